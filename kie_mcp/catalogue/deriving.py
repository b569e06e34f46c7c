"""From what Kie says of a model to a model file, with the bundled file as its base."""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from kie_mcp.catalogue.conventions import is_a_count, is_of_a_film, one_picture
from kie_mcp.catalogue.inputs import fields_of, limits, routes
from kie_mcp.catalogue.live import UnusableError
from kie_mcp.catalogue.model import takes_pictures
from kie_mcp.catalogue.price import USD_PER_CREDIT, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue.live import Entry

_OWN_KEYWORDS = ("$schema", "type", "properties", "required", "additionalProperties")
"""What stands at the root of every input schema; what else does are rules between its fields."""

_NAMING = ("required", "properties", "dependentRequired")
"""The keywords of a rule that name inputs."""

_KINDS = {"upscal": "upscale", "background": "background-removal", "layer": "layer-decomposition"}
"""Words in the names of models and tasks, and what a model with a picture and no prompt then does."""

_NEW: Mapping[str, Any] = {
    "input": {"properties": {}},
    "mapping": {},
    "defaults": {},
    "price": {"credits": None},
    "notes": ["Its description was made from Kie's catalogue."],
    "source": ["Kie's catalogue API"],
}

_CREDITS = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*credits?\b", re.IGNORECASE)
_DOLLARS = re.compile(r"\$\s*(\d[\d,]*(?:\.\d+)?)")
_WORTH = re.compile(r"\b1\s*credit\s*[=≈]\s*\$\s*0?\.005\b", re.IGNORECASE)
"""What a credit is worth, which is no price."""


def model_file(entry: Entry, live: Mapping[str, Any], base: Mapping[str, Any] | None) -> dict[str, Any]:
    """The content of a model file; whether it is right has to be checked.

    ``live`` are the cleaned ``properties`` and ``required``, ``base`` is the bundled file (``None``: a new model).
    Inputs come from Kie; all that its schema cannot say, such as rules between inputs, stays as in the base.
    Raises ``UnusableError`` for what is no image model, or no longer the one that is known.
    """
    if base is None and any(is_of_a_film(name) for name in live["properties"]):
        raise UnusableError("it makes no pictures")
    known = _NEW if base is None else {name: value for name, value in base.items() if name != "minimal_input"}
    before, required = known["input"]["properties"], live["required"]
    fields = fields_of(live["properties"], before)
    counts = [name for name, field in fields.items() if _is_counted(name, field, known)]
    fields.update({name: _counted(fields[name]) for name in counts})
    mapping = routes(fields, required, known)
    old, new = (routed.get("image_input", {}).get("field") for routed in (known["mapping"], mapping))
    if old is not None:
        fields[new] = {**fields[new], **limits(before[old])}
    fresh = [name for name in counts if name not in before]
    times, count = (_followed(name, fields, fresh) for name in _counts_of(known))
    made = {
        **known,
        "id": entry.id,
        "input": {
            **_rules(known["input"], fields),
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": fields,
            "required": required,
            "additionalProperties": False,
        },
        "mapping": mapping,
        "defaults": _defaults(fields, required, mapping, known, counts),
        "price": _price(known["price"], entry.price, fields, times, fresh),
        "returns": {**known.get("returns", {}), "count_field": count},
    }
    if count is None:
        del made["returns"]["count_field"]
    return made if base is not None else {**made, "title": entry.title, "kind": _kind(entry, made)}


def shape(data: Mapping[str, Any]) -> Any:
    """What a model accepts and costs, comparable with another: without words for people, in one order."""
    root = {**data["input"], "required": sorted(data["input"]["required"])}
    fields = {
        name: {keyword: value for keyword, value in field.items() if keyword != "description"}
        for name, field in root["properties"].items()
    }
    return {**root, "properties": fields}, {**data["price"], "text": None}


def _counts_of(base: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What multiplies the price, and what the number of pictures."""
    return base["price"].get("times"), base.get("returns", {}).get("count_field")


def _is_counted(name: str, field: Mapping[str, Any], base: Mapping[str, Any]) -> bool:
    """Whether an input multiplies the price: by the base, and a new one by its name."""
    return name in _counts_of(base) or (name not in base["input"]["properties"] and is_a_count(name, field))


def _counted(field: dict[str, Any]) -> dict[str, Any]:
    """Such an input where it is a number: a whole one from 1."""
    if field.get("type") not in ("integer", "number"):
        return field
    kept = {name: value for name, value in field.items() if name != "default" or value >= 1}
    return {**kept, "type": "integer", "minimum": max(1, ceil(field.get("minimum", 1)))}


def _followed(name: str | None, fields: Mapping[str, Any], fresh: list[str]) -> str | None:
    """The input that was ``name``; where that is gone, or there was none, a new one that says the same."""
    usable = (new for new in fresh if "enum" in fields[new] or fields[new]["type"] == "integer")
    return name if name in fields else next(usable, None)


def _rules(base: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The base's rules between inputs, as long as there is every input that they speak of."""
    rules = {name: value for name, value in base.items() if name not in _OWN_KEYWORDS}
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
    fields: Mapping[str, Any],
    required: list[str],
    mapping: Mapping[str, Any],
    base: Mapping[str, Any],
    counts: list[str],
) -> dict[str, Any]:
    """The base's as far as they still fit, one for what Kie has come to require, and one picture of each task."""
    made = {name: value for name, value in base["defaults"].items() if _fits(fields.get(name), value)}
    known = base["input"]["properties"]
    for name in counts:
        one = one_picture(fields[name])
        if name in made or (name in known and fields[name].get("default") == one):
            continue
        if not _fits(fields[name], one):
            raise UnusableError(f"it does not say how few pictures {name} may ask for")
        made[name] = one
    from_callers = {mapping[argument]["field"] for argument in ("prompt", "image_input") if argument in mapping}
    for name in required:
        field = fields[name]
        if not (name in made or name in counts or name in from_callers or takes_pictures(field)):
            usual = [field["default"]] if "default" in field else field.get("enum", [])
            made |= {name: usual[0]} if usual else {}
    return made


def _fits(field: Mapping[str, Any] | None, value: Any) -> bool:
    return field is not None and Draft202012Validator(dict(field)).is_valid(value)


def _price(
    base: Mapping[str, Any], text: str | None, fields: Mapping[str, Any], times: str | None, fresh: list[str]
) -> dict[str, Any]:
    """Kie's words for people with the base's numbers; no numbers where they no longer say what a task costs.

    ``times`` is the input that multiplies the price; that ``fresh`` ones beside it do so, too, is likely.
    """
    text = text or base.get("text")
    left = {**base, "text": text, **({"times": times} if times else {})}
    if "by" in base:
        words = words_of(fields.get(base["by"]["field"], {}))
        prices = {word: number for word, number in base["by"]["credits"].items() if word in words}
        left["by"] = {**base["by"], "credits": prices}
        if not prices:
            return {"text": text, "credits": None}
    if not set(fresh) <= {times} or ("times" in base and times is None) or not _says_the_same(text, base):
        return {"text": text, "credits": None}
    return left


def _says_the_same(text: str | None, base: Mapping[str, Any]) -> bool:
    """Whether Kie's words name no price but the bundled ones; numbers that cannot be read may be others."""
    if text in (None, base.get("text")) or not any(character.isdigit() for character in text or ""):
        return True
    numbers = {
        base["credits"],
        *base.get("by", {}).get("credits", {}).values(),
        base.get("per_image", {}).get("credits"),
    }
    known = {round(number, 4) for number in numbers if number is not None}
    worth = _WORTH.sub(" ", text or "")
    told = {float(number.replace(",", "")) for number in _CREDITS.findall(worth)}
    told |= {round(float(number.replace(",", "")) / USD_PER_CREDIT, 4) for number in _DOLLARS.findall(worth)}
    return bool(told) and told <= known


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
