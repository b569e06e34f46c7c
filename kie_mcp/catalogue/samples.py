"""A value that a field accepts, made from its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.conventions import takes_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = "a red apple on a table"
_PICTURE = "https://example.com/in.png"
_LONGEST = 10_000
_MOST_ITEMS = 50


def sample(field: Mapping[str, Any], most: int = _MOST_ITEMS) -> Any:
    """The default, else the first of the values, else the least that the schema asks for.

    At most ``most`` items of a list, and one of each list in it. So what a schema contradicts itself about, or asks
    far too much of, comes out wrong: whoever uses it has to check.
    """
    if "default" in field and field["default"] != []:
        return field["default"]
    if "enum" in field:
        return field["enum"][0]
    kind = field.get("type")
    if kind == "array":
        return [sample(field.get("items", {}), 1)] * min(max(1, field.get("minItems", 1)), most)
    if kind == "object":
        return {name: sample(field["properties"][name], most) for name in field.get("required", ())}
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        return _number(field)
    return _PICTURE if takes_pictures(field) else _text(field)


def _number(field: Mapping[str, Any]) -> Any:
    """The number nearest to 1 in the field's range."""
    number = min(1, field.get("maximum", 1))
    return max(number, field.get("minimum", number))


def _text(field: Mapping[str, Any]) -> str:
    wanted = min(field.get("minLength", 0), _LONGEST)
    text = _TEXT if len(_TEXT) >= wanted else _TEXT.ljust(wanted, ".")
    return text[: field.get("maxLength", len(text))]
