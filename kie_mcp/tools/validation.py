"""Checking arguments against a tool's published schema, and saying in plain words what is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from kie_mcp.catalogue import did_you_mean
from kie_mcp.errors import InputError
from kie_mcp.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kie_mcp.tools.spec import Tool

_MOST_PROBLEMS = 5
_LONGEST_VALUE = 80
_TYPES = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minLength": "at least {} character long",
    "minItems": "a list of at least {}",
}


@dataclass(frozen=True)
class Misfit:
    """One place where a value does not fit a schema: where, which rule, and what stands there instead."""

    path: tuple[str | int, ...]
    rule: str
    accepted: Any
    value: Any
    schema: Any


def validated(tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as they are, if they fit; raises ``InputError`` naming every misfit.

    Misfits inside the items of a batch belong to those items: the batch reports them there.
    """
    misfits = [misfit for misfit in misfits_of(tool.input_schema, arguments) if not _of_item(misfit)]
    if misfits:
        raise InputError(told(misfits))
    return arguments


def misfits_of(schema: Mapping[str, Any], value: Any) -> list[Misfit]:
    """Every misfit between a value and a schema, in the order of the value's names."""
    misfits = [
        Misfit(tuple(error.absolute_path), str(error.validator), error.validator_value, error.instance, error.schema)
        for error in Draft202012Validator(dict(schema)).iter_errors(value)
    ]
    return sorted(misfits, key=lambda misfit: [str(part) for part in misfit.path])


def told(misfits: Iterable[Misfit]) -> str:
    """The misfits in sentences, the first few of them."""
    sentences = [_sentence(misfit) for misfit in misfits]
    more = len(sentences) - _MOST_PROBLEMS
    return " ".join(sentences[:_MOST_PROBLEMS]) + (f" And {more} more." if more > 0 else "")


def shown(value: Any) -> str:
    """A value for a message: as JSON, cut where it is long."""
    return shortened(json.dumps(value, ensure_ascii=False, default=repr), _LONGEST_VALUE)


def _of_item(misfit: Misfit) -> bool:
    return len(misfit.path) > 1 and misfit.path[0] == "items"


def _sentence(misfit: Misfit) -> str:
    if misfit.rule == "additionalProperties":
        return _unknown_names(misfit)
    if misfit.rule == "required":
        missing = [name for name in misfit.accepted if name not in misfit.value]
        return f"{', '.join(map(repr, missing))} is missing."
    return f"{_name(misfit)} is {shown(misfit.value)}; it must be {_accepted(misfit)}."


def _unknown_names(misfit: Misfit) -> str:
    known = list(misfit.schema.get("properties", {}))
    unknown = [name for name in misfit.value if name not in known]
    listed = f" Known arguments: {', '.join(known)}." if known else " There are no arguments."
    named = [shortened(name, _LONGEST_VALUE) for name in unknown[:_MOST_PROBLEMS]]
    more = len(unknown) - len(named)
    further = f" And {more} more." if more else ""
    return " ".join(f"Unknown argument {name!r}.{did_you_mean(name, known)}" for name in named) + further + listed


def _name(misfit: Misfit) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in misfit.path)
    return repr(path.removeprefix(".")) if path else "The value"


def _accepted(misfit: Misfit) -> str:
    accepted = misfit.accepted
    if misfit.rule == "type":
        kinds: list[str] = accepted if isinstance(accepted, list) else [accepted]
        return " or ".join(_TYPES.get(kind, kind) for kind in kinds)
    if misfit.rule == "enum":
        return "one of " + ", ".join(map(str, accepted))
    return _BOUNDS.get(misfit.rule, f"as {misfit.rule} {{}} says").format(accepted)
