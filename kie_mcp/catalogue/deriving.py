"""From what Kie says of a model to a model file, with the file that there is as its base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from kie_mcp.catalogue.conventions import COUNTS, takes_pictures, with_picture_format
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.routing import routes
from kie_mcp.catalogue.samples import sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue.live import Entry

OWN_KEYWORDS = ("$schema", "type", "properties", "required", "additionalProperties")
"""What stands at the root of every input schema; what else does are rules between its fields."""

_NAMING = ("required", "properties", "dependentRequired")
"""The keywords of a rule that name inputs."""

_FROM_CALLERS = ("prompt", "image_input")

_KINDS = {"upscal": "upscale", "background": "background-removal", "layer": "layer-decomposition"}
"""Words in the names of models and tasks, and what a model with a picture and no prompt then does."""


def model_file(entry: Entry, live: Mapping[str, Any], base: Mapping[str, Any] | None, source: str) -> dict[str, Any]:
    """The content of a model file; whether it is right has to be checked.

    ``live`` are the cleaned ``properties`` and ``required``, ``base`` is the file so far (``None``: a new model).
    Inputs come from Kie; all that its schema cannot say, such as rules between inputs, stays as in the base.
    """
    known = base or {"input": {"properties": {}}, "mapping": {}, "defaults": {}, "price": {"credits": None}}
    fields = _fields(live["properties"], known["input"]["properties"])
    mapping = routes(fields, live["required"], known)
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
    """The live inputs; which of them take pictures, and what pictures, is known from the base."""
    made = {}
    for name, field in live.items():
        before = base.get(name, {})
        limits = {key: value for key, value in before.items() if key.startswith("x-")}
        made[name] = {**with_picture_format(name, field, known=takes_pictures(before)), **limits}
        if name in COUNTS:
            made[name] = _counted(made[name], before)
    return made


def _counted(field: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """An input that multiplies the price: a whole number from 1, at most as large as it could be so far."""
    if field.get("type") not in ("integer", "number"):
        return dict(field)
    bounds = {name: before[name] for name in ("minimum", "maximum") if name in before}
    counted = {**bounds, **field, "type": "integer"}
    return {**counted, "minimum": max(1, counted.get("minimum", 1))}


def _rules(base: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The base's rules between inputs, as long as there is every input that they speak of."""
    rules = {name: value for name, value in base.items() if name not in OWN_KEYWORDS}
    several = [rule for rule in rules.pop("allOf", []) if _inputs_in(rule) <= set(fields)]
    if not _inputs_in(rules) <= set(fields):
        rules = {}
    return {**rules, **({"allOf": several} if several else {})}


def _inputs_in(rule: Any) -> set[str]:
    """The inputs that a rule names, wherever in it."""
    if isinstance(rule, list):
        return {name for part in rule for name in _inputs_in(part)}
    if not isinstance(rule, dict):
        return set()
    depending = rule.get("dependentRequired", {})
    named = {*rule.get("required", ()), *rule.get("properties", ()), *depending}
    further = [value for keyword, value in rule.items() if keyword not in _NAMING]
    return named.union(*depending.values(), _inputs_in(further))


def _defaults(
    fields: Mapping[str, Any], required: list[str], mapping: Mapping[str, Any], base: Mapping[str, Any]
) -> dict[str, Any]:
    """The base's as far as they still fit, one for what Kie has come to require, and one picture of each task."""
    made = {
        name: value for name, value in base["defaults"].items() if name in fields and _is_valid(fields[name], value)
    }
    given = {mapping[argument]["field"] for argument in _FROM_CALLERS if argument in mapping}
    given.update(name for name, field in fields.items() if takes_pictures(field))
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
    required = made["input"]["required"]
    pictures, prompt = (made["mapping"].get(argument, {}).get("field") for argument in ("image_input", "prompt"))
    if pictures is None:
        return "text-to-image"
    if pictures not in required and prompt is not None:
        return "text-or-image-to-image"
    said = f"{entry.id} {' '.join(entry.tasks)}".lower() if prompt not in required else ""
    return next((kind for word, kind in _KINDS.items() if word in said), "image-to-image")


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
