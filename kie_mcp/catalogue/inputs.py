"""The inputs of a model, and where the common arguments go, once Kie describes them otherwise than the bundled file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.conventions import ARGUMENTS, route, spelled, with_picture_format, words
from kie_mcp.catalogue.live import UnusableError
from kie_mcp.catalogue.model import CHOICES, takes_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN = ("string", "integer", "number", "boolean")
_BOUNDS = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))
_NEEDED = ("prompt", "image_input", "aspect_ratio")
"""The arguments without whose route a model is not the one that it was."""


def fields_of(live: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The live inputs: those of the ``base`` with what Kie says of them, new ones as they are."""
    return {
        name: _sound(_merged(field, base[name]) if name in base else with_picture_format(name, field))
        for name, field in live.items()
    }


def limits(field: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of pictures, which stand in no schema of Kie's."""
    return {name: value for name, value in field.items() if name.startswith("x-")}


def _merged(field: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Kie's keywords over the bundled ones; the bundled field as it is where Kie's is not understood.

    What takes pictures, and what does not, is never for Kie's schema to change: pictures may leave this machine.
    """
    kind, known = _kind(field), _kind(before)
    if kind is None or (kind != known and not (kind in _PLAIN and known in _PLAIN)):
        return dict(before)
    if kind != known and "enum" in before and "enum" not in field:
        return dict(before)
    made = {**(before if kind == known else limits(before)), **field}
    if kind == known == "array":
        items, usual = field.get("items", {}), before.get("items", {})
        if _kind(items) not in (None, _kind(usual)):
            return dict(before)
        made["items"] = _with_format_of(usual, {**usual, **items})
    return _with_format_of(before, made)


def _kind(field: Mapping[str, Any]) -> str | None:
    """A field's type where it has just one; the two kinds of number are of one."""
    kind = field.get("type")
    return ("number" if kind == "integer" else kind) if isinstance(kind, str) else None


def _with_format_of(before: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in made.items() if name != "format"}
    return {**kept, "format": before["format"]} if "format" in before else kept


def _sound(field: dict[str, Any]) -> dict[str, Any]:
    """A field without a default that it does not take, or that would be a picture."""
    default = field.get("default")
    wrong = takes_pictures(field) or default not in field.get("enum", [default])
    if isinstance(default, int | float):
        wrong = wrong or not field.get("minimum", default) <= default <= field.get("maximum", default)
    if any(least in field and most in field and field[least] > field[most] for least, most in _BOUNDS):
        raise UnusableError("one of its inputs has a least value above the greatest")
    return {name: value for name, value in field.items() if name != "default" or not wrong}


def routes(fields: Mapping[str, Any], required: Sequence[str], base: Mapping[str, Any]) -> dict[str, Any]:
    """The ``mapping`` of a model file, given its inputs and the file so far.

    The base's routes are kept as far as they still lead somewhere; new inputs get those that their names suggest.
    Raises ``UnusableError`` where one is lost that callers cannot do without.
    """
    kept = {argument: _kept(argument, entry, fields, base) for argument, entry in base["mapping"].items()}
    made = {argument: entry for argument, entry in kept.items() if entry is not None}
    lost = {name for argument, entry in kept.items() if entry is None for name in _names(base["mapping"][argument])}
    for argument in ARGUMENTS:
        if argument not in made:
            taken = {name for entry in made.values() for name in _names(entry)}
            free = [name for name in fields if name not in base["input"]["properties"] or name in lost]
            free = [name for name in free if name not in taken]
            found = route(argument, fields, set(free).intersection(required)) or route(argument, fields, free)
            if found is not None:
                made[argument] = found
    gone = [argument for argument in _NEEDED if argument in kept and argument not in made]
    if gone:
        raise UnusableError(f"no input of it is known to take the {' or the '.join(gone)} any more")
    return made


def _names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (entry["field"], *entry.get("aliases", ()))


def _kept(
    argument: str, entry: Mapping[str, Any], fields: Mapping[str, Any], base: Mapping[str, Any]
) -> dict[str, Any] | None:
    name = entry["field"]
    if name not in fields:
        return None
    kept = {**entry, "aliases": [alias for alias in entry.get("aliases", ()) if alias in fields]}
    if not kept["aliases"]:
        del kept["aliases"]
    if argument not in CHOICES:
        return kept if argument == "image_input" or fields[name].get("type") == "string" else None
    values, before = (schema[name].get("enum", []) for schema in (fields, base["input"]["properties"]))
    return kept if values == before else _respelled(argument, kept, values, before)


def _respelled(argument: str, entry: dict[str, Any], values: list[Any], before: list[Any]) -> dict[str, Any] | None:
    """A route to a field whose values have changed: words whose value is gone are dropped, new values get theirs."""
    spoken = entry.get("values") or {value: value for value in before}
    left = {word: value for word, value in spoken.items() if value in values}
    added = words(argument, [value for value in values if value not in before])
    found = spelled(entry["field"], {**added, **left}, values)
    return None if found is None else {**{key: value for key, value in entry.items() if key != "values"}, **found}
