"""Kie's list of models: which of them are to be asked for their schemas.

Source: docs.kie.ai, GET /api/v1/models. Its metadata is loose (an image model has the task type "Text to Video"),
and chat models stand in the same list; so it only says whom to ask, and the schema says what a model is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_MODELS = 500
"""How many models are asked for: at one request a second this takes nine minutes."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_LONGEST_ID = 100
_LONGEST_TITLE = 100
_LONGEST_PRICE = 300
_MOST_TASKS = 20
_IMAGE_TASK = re.compile(r"to[ -]image|image[ -]?(edit|generat|upscal)|upscal|background|inpaint", re.IGNORECASE)
_OTHER_TASK = re.compile(r"video|audio|speech|music|chat", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One model of the list, its texts made safe to show. ``price`` is in Kie's words."""

    id: str
    title: str
    tasks: tuple[str, ...]
    price: str | None


def is_model_id(text: object) -> bool:
    """Whether a text has the form of an id: it may stand in a URL and in a file."""
    return isinstance(text, str) and len(text) <= _LONGEST_ID and _ID.fullmatch(text) is not None


def entries(data: Any, known: Collection[str]) -> list[Entry]:
    """The models to ask for: the ``known`` ones that are in the list, then others whose task is an image.

    ``data`` is the answer of GET /models, whatever that is. An entry that has no usable id is passed over, as is
    one that differs from another in case only; where there are too many, the known ones come first.
    """
    listed = data.get("models") if isinstance(data, dict) else None
    first: dict[str, Any] = {}
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and is_model_id(item.get("model")):
            first.setdefault(item["model"], item)
    taken = {model_id.lower() for model_id in known}
    old = [_entry(item) for model_id, item in first.items() if model_id in known]
    new: dict[str, Entry] = {}
    for model_id, item in first.items():
        if len(new) < MOST_MODELS and model_id.lower() not in taken and _is_for_images(item):
            new.setdefault(model_id.lower(), _entry(item))
    return [*old, *new.values()][:MOST_MODELS]


def _entry(item: dict[str, Any]) -> Entry:
    model_id = item["model"]
    price = _text(item.get("pricingDesc"), _LONGEST_PRICE)
    return Entry(model_id, _text(item.get("title"), _LONGEST_TITLE) or model_id, _tasks(item), price)


def _text(value: Any, most: int) -> str | None:
    return (printable(value, most) or None) if isinstance(value, str) else None


def _tasks(item: dict[str, Any]) -> tuple[str, ...]:
    given = item.get("taskType")
    named = given[:_MOST_TASKS] if isinstance(given, list) else [given]
    return tuple(text for task in named if (text := _text(task, _LONGEST_TITLE)))


def _is_for_images(item: dict[str, Any]) -> bool:
    return any(_IMAGE_TASK.search(task) and not _OTHER_TASK.search(task) for task in _tasks(item))
