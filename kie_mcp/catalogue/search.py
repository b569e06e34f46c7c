"""Finding models by words: what they are called, and what they accept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kie_mcp.catalogue.model import CHOICES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from kie_mcp.catalogue.model import Model

_ENDING = re.compile(r"(?<=\w{3})(ing|ers?|e?s)$")


def found(models: Sequence[Model], words: Collection[str]) -> list[Model]:
    """The models that have every one of the lower-case ``words``, in the order given.

    What some model accepts (``16:9``, ``4k``, ``seed``) is looked for as a whole; any other word may be part of
    an id, a title or a kind. Where nothing is found, the notes are searched too, then for the words without
    their endings.
    """
    facts = {id(model): _facts(model) for model in models}
    exact = set().union(*facts.values()) if facts else set()

    def has(model: Model, word: str) -> bool:
        if word in exact:
            return word in facts[id(model)] or word in re.findall(r"[\w.]+", _names(model))
        return word in _names(model)

    ways: tuple[Callable[[Model, str], bool], ...] = (
        has,
        lambda model, word: word in _prose(model),
        lambda model, word: _ENDING.sub("", word) in _prose(model),
    )
    hits = ([model for model in models if all(way(model, word) for word in words)] for way in ways)
    return next(filter(None, hits), [])


def _facts(model: Model) -> set[str]:
    """What a model accepts: its inputs and the common arguments, and the values of both."""
    values = [str(value) for name in model.other_fields for value in model.fields[name].get("enum", ())]
    spoken = [word for argument in CHOICES for word in model.choices(argument)]
    return {text.lower() for text in (*model.fields, *model.mapping, *values, *spoken)}


def _names(model: Model) -> str:
    return f"{model.id} {model.title} {model.kind}".lower()


def _prose(model: Model) -> str:
    return " ".join((_names(model), *model.notes)).lower()
