"""Whether a model file is right in itself: by the schema of model files, then in what a schema cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from kie_mcp import schemas
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.price import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FORMATS = ("png", "jpg", "jpeg", "webp")
_CALLERS = ("prompt", "image_input")
"""The arguments that callers give; every other required input needs a default."""


class ModelFileCheck:
    """Checks model files against ``schemas/model.json``; may be used for many of them."""

    def __init__(self) -> None:
        self._envelope = Draft202012Validator(schemas.load("model.json"))

    def faults(self, data: Any) -> list[str]:
        """What is wrong with the content of one file, in sentences; empty where nothing is."""
        wrong = [f"{_place(error.absolute_path)}: {error.message}" for error in self._envelope.iter_errors(data)]
        if wrong:
            return wrong
        try:
            Draft202012Validator.check_schema(data["input"])
        except SchemaError as error:
            return [f"input is no JSON Schema: {error.message}"]
        return faults_within(data)


def faults_within(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with the content of a file whose form is right already."""
    return list(_of_the_mapping(data)) or list(_of_the_model(data, Model.from_json(data, str(data["id"]))))


def _place(path: Iterable[str | int]) -> str:
    return ".".join(map(str, path)) or "the file"


def _of_the_mapping(data: Mapping[str, Any]) -> Iterator[str]:
    """Routes that lead nowhere, or to values that the input does not have."""
    fields = data["input"]["properties"]
    for argument, route in data["mapping"].items():
        for name in (route["field"], *route.get("aliases", ())):
            if name not in fields:
                yield f"mapping.{argument} goes to {name}, which is no input"
        known = fields.get(route["field"], {}).get("enum")
        for word, value in route.get("values", {}).items():
            if known is not None and value not in known:
                yield f"mapping.{argument} turns {word} into {value!r}, which {route['field']} does not have"


def _of_the_model(data: Mapping[str, Any], model: Model) -> Iterator[str]:
    yield from _of_the_words(model)
    yield from _of_the_defaults(model, data["input"]["required"])
    yield from _of_the_price(model)
    if "minimal_input" in data:
        yield from (f"minimal_input: {problem.message}" for problem in model.problems(model.minimal_input))
    yield from _of_the_pictures(model)
    yield from _of_the_number(model)
    yield from _of_the_estimate(model)


def _of_the_pictures(model: Model) -> Iterator[str]:
    """What holds pictures, which are uploaded where they are files, is known by its format; words never do."""
    for argument, route in model.mapping.items():
        if argument == "image_input" and route.field not in model.picture_fields:
            yield f"{route.field} takes pictures, so its format has to be uri"
        if argument != "image_input" and route.field in model.picture_fields:
            yield f"{route.field} takes the {argument}, so it cannot hold pictures"


def _of_the_words(model: Model) -> Iterator[str]:
    """The callers' words have to be the common ones."""
    for ratio in model.choices("aspect_ratio"):
        if ratio != "auto" and not all(part.isdigit() for part in ratio.split(":", 1)):
            yield f"aspect_ratio has {ratio!r}; it takes shapes such as 16:9, and auto"
    for word in model.choices("output_format"):
        if word not in _FORMATS:
            yield f"output_format has {word!r}; callers may ask for {', '.join(_FORMATS)}"


def _of_the_defaults(model: Model, required: Iterable[str]) -> Iterator[str]:
    """Defaults have to fit, and to fill every required input that no caller gives."""
    for name, value in model.defaults.items():
        if name not in model.fields:
            yield f"defaults has {name}, which is no input"
        elif not Draft202012Validator(dict(model.fields[name])).is_valid(value):
            yield f"defaults has {value!r} for {name}, which it does not accept"
    given = {route.field for argument, route in model.mapping.items() if argument in _CALLERS}
    for name in required:
        if name not in model.fields:
            yield f"{name} is required, but no input"
        elif name not in given and name not in model.defaults and "enum" in model.fields[name]:
            yield f"{name} is required and has no default"


def _of_the_number(model: Model) -> Iterator[str]:
    """The number of pictures is money: it has to be one, and at least 1."""
    for where, name in (("returns.count_field", model.returns.count_field), ("price.times", model.price.times)):
        if name is None:
            continue
        if name not in model.fields:
            yield f"{where} is {name}, which is no input"
        elif "enum" not in model.fields[name]:
            field = model.fields[name]
            if field.get("type") != "integer" or field.get("minimum", 0) < 1:
                yield f"{where} is {name}, which has to be an integer from 1"


def _of_the_price(model: Model) -> Iterator[str]:
    price = model.price
    if price.by_field is None:
        return
    if price.by_field not in model.fields:
        yield f"price follows {price.by_field}, which is no input"
    else:
        unknown = sorted(set(price.by_credits or ()) - set(words_of(model.fields[price.by_field])))
        if unknown:
            yield f"price has credits for {', '.join(unknown)}, which {price.by_field} does not have"


def _of_the_estimate(model: Model) -> Iterator[str]:
    """Whatever is sent at least has a price, or it is not known."""
    for body in ({}, model.defaults, model.minimal_input):
        try:
            estimate = model.estimate(body)
        except (ArithmeticError, TypeError, ValueError) as error:
            yield f"price cannot be worked out for {body}: {error!r}"
        else:
            if estimate is not None and not 0 <= estimate < float("inf"):
                yield f"price comes out as {estimate} for {body}"
