"""From what Kie says of a model to a model file, with the file that there is as its base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from kie_mcp.catalogue.conventions import COUNTS, takes_pictures, with_picture_format
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.routing import routes
from kie_mcp.catalogue.samples import sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kie_mcp.catalogue.live import Entry

OWN_KEYWORDS = ("$schema", "type", "properties", "required", "additionalProperties")
"""What stands at the root of every input schema; what else does are rules between its fields."""

_FROM_CALLERS = ("prompt", "image_input")


def model_file(entry: Entry, live: Mapping[str, Any], base: Mapping[str, Any] | None, source: str) -> dict[str, Any]:
    """The content of a model file; whether it is right has to be checked.

    ``live`` are the cleaned ``properties`` and ``required``, ``base`` is the file so far (``None``: a new model).
    Inputs come from Kie; all that its schema cannot say, such as rules between inputs, stays as in the base.
    """
    known = base or {"input": {"properties": {}}, "mapping": {}, "defaults": {}, "price": {"credits": None}}
    fields = _fields(live["properties"], known["input"]["properties"])
    mapping = routes(fields, known)
    made = {
        "id": entry.id,
        "title": known.get("title", entry.title),
        "kind": known.get("kind", ""),
        "input": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": fields,
            "required": list(live["required"]),
            "additionalProperties": False,
            **_rules(known["input"], fields),
        },
        "mapping": mapping,
        "defaults": _defaults(fields, live["required"], mapping, known),
        "price": _price(known["price"], entry.price, fields),
        **_returns(known, fields),
        "notes": list(known.get("notes", ["Its description was made from Kie's catalogue."])),
        "source": [*known.get("source", ()), source],
    }
    if base is None:
        made["kind"] = _kind(entry, made)
    made["minimal_input"] = _minimal_input(made, known)
    return made


def shape(input_schema: Mapping[str, Any]) -> Any:
    """What an input schema accepts, comparable with another: without words for people, in one order."""
    return _comparable({name: value for name, value in input_schema.items() if name != "$schema"})


def _comparable(node: Any) -> Any:
    if isinstance(node, list):
        return [_comparable(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _comparable(value) for name, value in node.items() if not _is_description(name, value)}
    if isinstance(kept.get("required"), list):
        kept["required"] = sorted(kept["required"], key=str)
    return kept


def _is_description(name: str, value: Any) -> bool:
    return name == "description" and isinstance(value, str)


def _fields(live: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _with_limits(field, base[name]) if name in base else with_picture_format(name, field)
        for name, field in live.items()
    }


def _with_limits(field: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The live field; that it takes pictures, and which, is known from the base."""
    limits = {name: value for name, value in base.items() if name.startswith("x-")}
    if not takes_pictures(base):
        return {**field, **limits}
    entry = {key: value for key, value in field.items() if key != "format"}
    if field.get("type") == "array":
        entry["items"] = {"type": "string", **field.get("items", {}), "format": "uri"}
        return {**entry, **limits}
    return {**entry, "format": "uri", **limits}


def _rules(base: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The base's rules between inputs, as long as there is every input that they speak of."""
    rules = {name: value for name, value in base.items() if name not in OWN_KEYWORDS}
    several = [rule for rule in rules.pop("allOf", []) if _inputs_in(rule) <= set(fields)]
    if not _inputs_in(rules) <= set(fields):
        rules = {}
    return {**rules, **({"allOf": several} if several else {})}


def _inputs_in(rule: Any) -> set[str]:
    """The inputs that a rule names, wherever in it."""
    return set(_names_in(rule))


def _names_in(rule: Any) -> Iterator[str]:
    if isinstance(rule, list):
        for part in rule:
            yield from _names_in(part)
    elif isinstance(rule, dict):
        for keyword, value in rule.items():
            if keyword == "required":
                yield from value
            elif keyword in ("properties", "dependentRequired", "dependentSchemas"):
                yield from value
                if keyword == "dependentRequired":
                    yield from (name for names in value.values() for name in names)
                elif keyword == "dependentSchemas":
                    yield from _names_in(list(value.values()))
            else:
                yield from _names_in(value)


def _defaults(
    fields: Mapping[str, Any], required: list[str], mapping: Mapping[str, Any], base: Mapping[str, Any]
) -> dict[str, Any]:
    """The base's as far as they still fit, one for what Kie has come to require, and one picture of each task."""
    made = {
        name: value for name, value in base["defaults"].items() if name in fields and _is_valid(fields[name], value)
    }
    given = {mapping[argument]["field"] for argument in _FROM_CALLERS if argument in mapping}
    for name in required:
        if name not in made and name not in given and ("enum" in fields[name] or "default" in fields[name]):
            made[name] = sample(fields[name])
    for name in COUNTS:
        if name in fields and name not in base["input"]["properties"]:
            made.update([(name, one) for one in (1, "1") if _is_valid(fields[name], one)])
    return made


def _is_valid(field: Mapping[str, Any], value: Any) -> bool:
    return Draft202012Validator(dict(field)).is_valid(value)


def _price(base: Mapping[str, Any], text: str | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Kie's words for people with the base's numbers, as far as the inputs that they follow are there."""
    made = {**base, "text": text or base.get("text")}
    if made.get("times") not in fields:
        made.pop("times", None)
    by = made.pop("by", None)
    if by is not None and by["field"] in fields:
        field = fields[by["field"]]
        values = ["true", "false"] if field.get("type") == "boolean" else field.get("enum", ())
        prices = {word: number for word, number in by["credits"].items() if word in values}
        if prices:
            made["by"] = {**by, "credits": prices}
    return made


def _returns(base: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    if "returns" in base:
        gone = base["returns"].get("count_field", "") not in {"", *fields}
        return {
            "returns": {name: value for name, value in base["returns"].items() if name != "count_field" or not gone}
        }
    count = next((name for name in COUNTS if name in fields and name not in base["input"]["properties"]), None)
    return {"returns": {"count_field": count}} if count else {}


def _kind(entry: Entry, made: Mapping[str, Any]) -> str:
    """What a new model does, by its inputs, and by its name where it takes a picture alone."""
    pictures = made["mapping"].get("image_input")
    if pictures is None:
        return "text-to-image"
    if "prompt" not in made["mapping"]:
        said = f"{entry.id} {' '.join(entry.tasks)}".lower()
        if "upscal" in said:
            return "upscale"
        return "background-removal" if "background" in said else "image-to-image"
    return "image-to-image" if pictures["field"] in made["input"]["required"] else "text-or-image-to-image"


def _minimal_input(made: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The base's if it still fits, else one made from the schema."""
    known = base.get("minimal_input")
    if known is not None and not Model.from_json({**made, "minimal_input": {}}, made["id"]).problems(known):
        return dict(known)
    fields, defaults = made["input"]["properties"], made["defaults"]
    wanted = list(made["input"]["required"])
    if "prompt" in made["mapping"] and made["mapping"]["prompt"]["field"] not in wanted:
        wanted.append(made["mapping"]["prompt"]["field"])
    return {name: defaults[name] if name in defaults else sample(fields[name]) for name in wanted}
