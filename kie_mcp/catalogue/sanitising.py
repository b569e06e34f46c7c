"""From an OpenAPI document that came from outside to an input schema that is safe to use.

Only keywords on a list get through, each with a value of its type; regular expressions do not, since one from
outside may run for ever. A ``$ref`` is followed inside the document only, and nothing is ever fetched for it.
Depth and size are bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kie_mcp.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CREATE_TASK = "/api/v1/jobs/createTask"

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_COMBINATIONS = ("allOf", "anyOf", "oneOf")
_DEEPEST = 6
_MOST_REFERENCES = 20
_MOST_SCHEMAS = 500
_MOST_VALUES = 200
_LONGEST_VALUE = 200
_LONGEST_DESCRIPTION = 300
_LARGEST = 10**15


class UnusableSchemaError(ValueError):
    """A document that cannot be used; its text says why."""


class OtherEndpointError(UnusableSchemaError):
    """A document of a model that is not called through createTask."""


def clean_input(openapi: Any) -> dict[str, Any]:
    """``properties`` and ``required`` of createTask's ``input``, cleaned.

    Raises ``UnusableSchemaError`` for what is no such document, or goes beyond the bounds.
    """
    if not isinstance(openapi, dict):
        raise UnusableSchemaError("Kie gives no schema for it")
    paths = openapi.get("paths")
    if not isinstance(paths, dict) or CREATE_TASK not in paths:
        raise OtherEndpointError("it is not called through createTask")
    cleaner = _Cleaner(openapi)
    body = cleaner.walk(paths[CREATE_TASK], "post", "requestBody", "content", "application/json", "schema")
    found = cleaner.cleaned(cleaner.walk(body, "properties", "input"))
    if not found.get("properties"):
        raise UnusableSchemaError("its schema names no inputs")
    return {"properties": found["properties"], "required": found.get("required", [])}


def clean_fields(fields: Any, required: Any) -> dict[str, Any]:
    """The same for an input schema that stands alone: what was cleaned once comes out as it went in."""
    found = _Cleaner({}).cleaned({"type": "object", "properties": fields, "required": required})
    return {"properties": found.get("properties", {}), "required": found.get("required", [])}


class _Cleaner:
    """Cleans the schemas of one document, and counts them."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._schemas = 0

    def walk(self, node: Any, *steps: str) -> Any:
        """What is found below ``node``, references followed at every step."""
        for step in steps:
            node = self._resolved(node).get(step)
        return node

    def cleaned(self, node: Any, depth: int = 0) -> dict[str, Any]:
        """One schema with the keywords that are known, and those of the schemas in it."""
        self._schemas += 1
        if depth > _DEEPEST or self._schemas > _MOST_SCHEMAS:
            raise UnusableSchemaError("its schema is too deep or too large")
        node = self._resolved(node)
        found: dict[str, Any] = {}
        kind = _type(node)
        if kind is not None:
            found["type"] = kind
        found.update(_values(node, kind))
        found.update({name: value for name, read in _KEYWORDS.items() if (value := read(node.get(name))) is not None})
        if kind == "array" and isinstance(node.get("items"), dict):
            found["items"] = self.cleaned(node["items"], depth + 1)
        if kind == "object" and isinstance(node.get("properties"), dict):
            found.update(self._object(node, depth))
        return found

    def _object(self, node: Mapping[str, Any], depth: int) -> dict[str, Any]:
        fields = {
            name: self.cleaned(schema, depth + 1)
            for name, schema in node["properties"].items()
            if isinstance(name, str) and _FIELD_NAME.fullmatch(name)
        }
        required = _list(node.get("required"))
        if any(not isinstance(name, str) or name not in fields for name in required):
            raise UnusableSchemaError("its schema requires an input that it does not describe")
        return {"properties": fields, "required": list(dict.fromkeys(required))}

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        """``node`` without a reference, and without a combination that leaves one choice; else empty."""
        for _ in range(_MOST_REFERENCES):
            if not isinstance(node, dict):
                return {}
            further = self._target(node["$ref"]) if "$ref" in node else _only_choice(node)
            if further is None:
                return node
            beside = {name: value for name, value in node.items() if name not in ("$ref", *_COMBINATIONS)}
            node = {**further, **beside} if isinstance(further, dict) else {}
        raise UnusableSchemaError("its schema refers to itself")

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#/components/"):
            raise UnusableSchemaError("its schema refers to something outside of it")
        target: Any = self._document
        for part in reference.removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or name not in target:
                raise UnusableSchemaError("its schema refers to something that is not there")
            target = target[name]
        return target


def _only_choice(node: Mapping[str, Any]) -> Any:
    """The one schema of a combination beside "null", as documents write a value that may be missing."""
    for keyword in _COMBINATIONS:
        choices = [choice for choice in _list(node.get(keyword)) if not _is_null(choice)]
        if len(choices) == 1:
            return choices[0]
    return None


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _type(node: Mapping[str, Any]) -> str | list[str] | None:
    """The type without "null"; where none is given, what the other keywords imply."""
    given = node.get("type")
    known = list(dict.fromkeys(name for name in (given if isinstance(given, list) else [given]) if name in _TYPES))
    if known:
        return known[0] if len(known) == 1 else known
    values = _enum(node, None)
    if values and all(isinstance(value, str) for value in values):
        return "string"
    implied = {"items": "array", "properties": "object"}
    return next((name for keyword, name in implied.items() if isinstance(node.get(keyword), dict)), None)


def _values(node: Mapping[str, Any], kind: str | list[str] | None) -> dict[str, Any]:
    """``enum`` and ``default``, as far as their values are of the schema's own type."""
    enum, default = _enum(node, kind), node.get("default")
    found: dict[str, Any] = {"enum": enum} if enum else {}
    if (_fits(default, kind) and (not enum or default in enum)) or (default == [] and kind == "array"):
        found["default"] = default
    return found


def _enum(node: Mapping[str, Any], kind: str | list[str] | None) -> list[Any]:
    given = _list(node.get("enum"))
    if len(given) > _MOST_VALUES:
        raise UnusableSchemaError(f"its schema has a list of more than {_MOST_VALUES} values")
    return [value for number, value in enumerate(given) if _fits(value, kind) and value not in given[:number]]


def _fits(value: Any, kind: str | list[str] | None) -> bool:
    """Whether a plain value is of a type. Lists and objects are no plain values."""
    kinds = [kind] if isinstance(kind, str) else kind or _TYPES
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, str):
        return "string" in kinds and len(value) <= _LONGEST_VALUE and value.isprintable()
    if isinstance(value, int):
        return abs(value) < _LARGEST and ("integer" in kinds or "number" in kinds)
    return isinstance(value, float) and abs(value) < _LARGEST and "number" in kinds


def _bound(value: Any) -> int | float | None:
    return value if not isinstance(value, bool) and _fits(value, "number") else None


def _count(value: Any) -> int | None:
    number = _bound(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def _format(value: Any) -> str | None:
    return "uri" if value in ("uri", "url") else None


def _description(value: Any) -> str | None:
    return (printable(value, _LONGEST_DESCRIPTION) or None) if isinstance(value, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_KEYWORDS: Mapping[str, Callable[[Any], Any]] = {
    "minimum": _bound,
    "maximum": _bound,
    "minLength": _count,
    "maxLength": _count,
    "minItems": _count,
    "maxItems": _count,
    "format": _format,
    "description": _description,
}
