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

MOST_MODELS = 300
"""How many models are asked for, and kept: at one request a second this takes five minutes."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_LONGEST_ID = 100
_LONGEST_TITLE = 100
_LONGEST_PRICE = 300
_MOST_TASKS = 20
_IMAGE_TASK = re.compile(r"to[ -]image|image[ -]?(edit|generat|upscal)|upscal|background|inpaint", re.IGNORECASE)
_OTHER_TASK = re.compile(r"video|audio|speech|music|chat", re.IGNORECASE)


class UnusableError(ValueError):
    """Something that Kie's catalogue says and that cannot be used; its text says why, in half a sentence."""


@dataclass(frozen=True)
class Entry:
    """One model of the list, its texts made safe to show. ``price`` is in Kie's words."""

    id: str
    title: str
    tasks: tuple[str, ...]
    price: str | None

    @classmethod
    def of(cls, model_id: Any, title: Any, tasks: Any, price: Any) -> Entry:
        """An entry from JSON values of any type. Raises ``UnusableError`` where the id is none."""
        if not is_model_id(model_id):
            raise UnusableError("it has no usable id")
        named = tasks[:_MOST_TASKS] if isinstance(tasks, list) else [tasks]
        texts = tuple(text for task in named if (text := _text(task, _LONGEST_TITLE)))
        return cls(model_id, _text(title, _LONGEST_TITLE) or model_id, texts, _text(price, _LONGEST_PRICE))

    @property
    def is_for_images(self) -> bool:
        """Whether one of its tasks is to make or change an image."""
        return any(_IMAGE_TASK.search(task) and not _OTHER_TASK.search(task) for task in self.tasks)


def is_model_id(text: object) -> bool:
    """Whether a text has the form of an id: it may stand in a URL and in a file."""
    return isinstance(text, str) and len(text) <= _LONGEST_ID and _ID.fullmatch(text) is not None


def entries(data: Any, known: Collection[str]) -> list[Entry]:
    """The models to ask for: the ``known`` ones that are in the list, then others whose task is an image.

    ``data`` is the answer of GET /models, whatever that is. An entry that has no usable id is passed over, as is
    one that differs from another in case only. Raises ``UnusableError`` for a list that cannot be the whole one.
    """
    items, total = (data.get("models"), data.get("total")) if isinstance(data, dict) else (None, None)
    if not isinstance(items, list):
        raise UnusableError("it has no list of models")
    if isinstance(total, int | float) and total != len(items):
        raise UnusableError(f"its list of models is cut off after {len(items)}")
    first: dict[str, dict[str, Any]] = {}
    for item in items:
        if isinstance(item, dict) and is_model_id(item.get("model")):
            first.setdefault(item["model"], item)
    old = [_entry(item) for model_id, item in first.items() if model_id in known]
    if len(old) * 2 < len(known):
        raise UnusableError(f"its list has {len(old)} of the {len(known)} models that are known here")
    taken = {model_id.lower() for model_id in known}
    new: dict[str, Entry] = {}
    for model_id, item in first.items():
        if len(old) + len(new) < MOST_MODELS and model_id.lower() not in taken and _entry(item).is_for_images:
            new.setdefault(model_id.lower(), _entry(item))
    return [*old, *new.values()]


def _entry(item: dict[str, Any]) -> Entry:
    return Entry.of(item["model"], item.get("title"), item.get("taskType"), item.get("pricingDesc"))


def _text(value: Any, most: int) -> str | None:
    return (printable(value, most) or None) if isinstance(value, str) else None
