"""A value that a field accepts, made from its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.conventions import takes_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = "a red apple on a table"
_PICTURE = "https://example.com/in.png"
_LONGEST = 10_000


def sample(field: Mapping[str, Any]) -> Any:
    """The default, else the first of the values, else the least that the schema asks for.

    What a schema contradicts itself about comes out wrong: whoever uses it has to check.
    """
    if "default" in field and field["default"] != []:
        return field["default"]
    if "enum" in field:
        return field["enum"][0]
    kind = field.get("type")
    if kind == "array":
        return [sample(field.get("items", {}))] * max(1, min(field.get("minItems", 1), _LONGEST))
    if kind == "object":
        return {name: sample(field["properties"][name]) for name in field.get("required", ())}
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        return _number(field)
    return _PICTURE if takes_pictures(field) else _text(field)


def _number(field: Mapping[str, Any]) -> Any:
    """The number nearest to 1 in the field's range."""
    least, most = field.get("minimum", 1), field.get("maximum", 1)
    return max(least, min(1, most)) if least <= 1 else least


def _text(field: Mapping[str, Any]) -> str:
    wanted = min(field.get("minLength", 0), _LONGEST)
    text = _TEXT if len(_TEXT) >= wanted else _TEXT.ljust(wanted, ".")
    return text[: field.get("maxLength", len(text))]
