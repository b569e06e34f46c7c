"""The same value in the type that a model wants: some take numbers as text, others pictures as a list.

Only what stays the same is turned; everything else is left for the model's schema to refuse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue.model import Model

_WHOLE = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")
_LARGEST = 10.0**15
"""Whole numbers up to here are exact as floating point numbers."""
_WORDS = {"true": True, "false": False}


def in_models_types(model: Model, params: Mapping[str, Any]) -> dict[str, Any]:
    """``model_params`` with each value in the type of its input: ``2`` becomes ``"2"`` where text is wanted."""
    return {name: _turned(model, name, value) if name in model.fields else value for name, value in params.items()}


def _turned(model: Model, name: str, value: Any) -> Any:
    kind = model.fields[name].get("type")
    if name in model.picture_fields:
        return _one_or_many(kind, value)
    if isinstance(value, str):
        return _from_text(kind, value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        value = int(value)
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _one_or_many(kind: Any, value: Any) -> Any:
    if kind == "array" and isinstance(value, str):
        return [value]
    if kind == "string" and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _from_text(kind: Any, text: str) -> Any:
    if kind == "boolean":
        return _WORDS.get(text.lower(), text)
    if kind in ("integer", "number") and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    return text
