"""Where the common arguments go, once a model's inputs have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.conventions import ARGUMENTS, route, spelled, takes_pictures, words
from kie_mcp.catalogue.model import CHOICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def routes(fields: Mapping[str, Any], required: Sequence[str], base: Mapping[str, Any]) -> dict[str, Any]:
    """The ``mapping`` of a model file, given the inputs that Kie says it has and the file so far.

    The base's routes are kept as far as they still lead somewhere; new inputs get those that their names suggest.
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
        fits = takes_pictures(fields[name]) if argument == "image_input" else fields[name].get("type") == "string"
        return kept if fits else None
    values, before = (schema[name].get("enum", []) for schema in (fields, base["input"]["properties"]))
    if values == before or (not values and "values" not in entry and fields[name].get("type") == "string"):
        return kept
    return _respelled(argument, kept, values, before)


def _respelled(argument: str, entry: dict[str, Any], values: list[Any], before: list[Any]) -> dict[str, Any] | None:
    """A route to a field whose values have changed: words whose value is gone are dropped, new values get theirs."""
    spoken = entry.get("values") or {value: value for value in before}
    left = {word: value for word, value in spoken.items() if value in values}
    added = words(argument, [value for value in values if value not in before])
    found = spelled(entry["field"], {**added, **left}, values)
    return None if found is None else {**{key: value for key, value in entry.items() if key != "values"}, **found}
