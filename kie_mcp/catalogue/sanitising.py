"""From an OpenAPI document that came from outside to an input schema that is safe to use.

Only keywords on a list get through, each with a value of its type; regular expressions do not, since one from
outside may run for ever. A ``$ref`` is followed inside the document only, and nothing is ever fetched for it.
Depth and size are bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kie_mcp.catalogue.live import UnusableError
from kie_mcp.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CREATE_TASK = "/api/v1/jobs/createTask"

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_COMBINATIONS = ("allOf", "anyOf", "oneOf")
_NOT_PLAIN = frozenset({"anyOf", "oneOf", "not", "if"})
_DEEPEST = 6
_MOST_REFERENCES = 20
_MOST_SCHEMAS = 100
_MOST_VALUES = 200
_LONGEST_VALUE = 200
_LONGEST_DESCRIPTION = 300
_LARGEST = 10**15


def clean_input(openapi: Any) -> dict[str, Any]:
    """``properties`` and ``required`` of createTask's ``input``, cleaned.

    A field whose type is not to be told comes out without one. Raises ``UnusableError`` for what is no such document,
    or goes beyond the bounds.
    """
    if not isinstance(openapi, dict):
        raise UnusableError("Kie gives no schema for it")
    paths = openapi.get("paths")
    if not isinstance(paths, dict) or CREATE_TASK not in paths:
        raise UnusableError("it is not called through createTask")
    cleaner = _Cleaner(openapi)
    body = cleaner.walk(paths[CREATE_TASK], "post", "requestBody", "content", "application/json", "schema")
    return cleaner.fields(cleaner.walk(body, "properties", "input"))


def clean_fields(fields: Any, required: Any) -> dict[str, Any]:
    """The same for inputs that stand alone: what was cleaned once comes out as it went in."""
    return _Cleaner({}).fields({"type": "object", "properties": fields, "required": required})


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

    def fields(self, node: Any) -> dict[str, Any]:
        """The ``properties`` and ``required`` of an object, which may be given in several parts."""
        found = self.cleaned(self._whole(node, 0))
        if not found.get("properties"):
            raise UnusableError("its schema names no inputs")
        return {"properties": found["properties"], "required": found["required"]}

    def _whole(self, node: Any, depth: int) -> Mapping[str, Any]:
        """``node`` with the parts of an ``allOf`` in it, where all of them are plain objects."""
        self._count(depth)
        found = self._resolved(node)
        if "allOf" not in found:
            return found
        parts = [self._whole(part, depth + 1) for part in _list(found["allOf"])]
        parts.append({"type": "object", **{name: value for name, value in found.items() if name != "allOf"}})
        if any(_type(part) != "object" or not _NOT_PLAIN.isdisjoint(part) for part in parts):
            raise UnusableError("its inputs are combined in a way that is not understood")
        properties: dict[str, Any] = {}
        required: list[Any] = []
        for part in parts:
            given = part.get("properties", {})
            properties.update(given if isinstance(given, dict) else {})
            required += _list(part.get("required"))
        return {"type": "object", "properties": properties, "required": required}

    def _count(self, depth: int) -> None:
        self._schemas += 1
        if depth > _DEEPEST or self._schemas > _MOST_SCHEMAS:
            raise UnusableError("its schema is too deep or too large")

    def cleaned(self, node: Any, depth: int = 0) -> dict[str, Any]:
        """One schema with the keywords that are known, and those of the schemas in it."""
        self._count(depth)
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
            raise UnusableError("its schema requires an input that it does not describe")
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
        raise UnusableError("its schema refers to itself")

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#/components/"):
            raise UnusableError("its schema refers to something outside of it")
        target: Any = self._document
        for part in reference.removeprefix("#/").split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")  # RFC 6901, section 6
            if not isinstance(target, dict) or name not in target:
                raise UnusableError("its schema refers to something that is not there")
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
    """The type without "null"; where none is given, what the other keywords imply.

    Numbers whose values are given as text are text.
    """
    given, values = node.get("type"), _enum(node, None)
    known = list(dict.fromkeys(name for name in (given if isinstance(given, list) else [given]) if name in _TYPES))
    if values and all(isinstance(value, str) for value in values) and {"integer", "number"}.issuperset(known):
        return "string"
    if known:
        return known[0] if len(known) == 1 else known
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
        raise UnusableError(f"its schema has a list of more than {_MOST_VALUES} values")
    return list(dict.fromkeys(value for value in given if _fits(value, kind)))


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
    """A number, which documents write as text at times."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
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
