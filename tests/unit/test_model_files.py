"""Every bundled model file is right in itself, so that adding a model is adding a file."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from kie_mcp import schemas
from kie_mcp.catalogue import Catalogue

FILES = schemas.names("models")
MODELS = {name: schemas.load(name) for name in FILES}
ARGUMENTS = {"prompt", "negative_prompt", "aspect_ratio", "resolution", "output_format", "image_input"}

# Ids and their required inputs, by the pages under docs.kie.ai/market.
REQUIRED = {
    "google/nano-banana": {"prompt"},
    "google/nano-banana-edit": {"image_urls", "prompt"},
    "gpt-image-2-text-to-image": {"prompt"},
    "gpt-image/1.5-text-to-image": {"aspect_ratio", "prompt", "quality"},
    "grok-imagine/text-to-image": {"aspect_ratio", "prompt"},
    "nano-banana-2": {"prompt"},
    "nano-banana-pro": {"prompt"},
    "qwen/text-to-image": {"prompt"},
    "qwen2/text-to-image": {"prompt"},
    "seedream/4.5-text-to-image": {"aspect_ratio", "prompt", "quality"},
    "z-image": {"aspect_ratio", "prompt"},
}


@pytest.fixture(params=FILES)
def name(request):
    return request.param


@pytest.fixture
def data(name):
    return MODELS[name]


def test_the_documented_models_are_there_with_their_required_inputs():
    found = {data["id"]: set(data["input"]["required"]) for data in MODELS.values()}
    assert {model_id: found.get(model_id) for model_id in REQUIRED} == REQUIRED


def test_the_file_is_named_after_the_id(name, data):
    assert Path(name).stem == data["id"].replace("/", "__")


def test_the_envelope_has_every_part(data):
    parts = {"id", "title", "kind", "input", "mapping", "defaults", "price", "notes", "minimal_input", "source"}
    assert set(data) == parts
    assert data["source"]
    assert all(note == note.strip() and note for note in data["notes"])


def test_the_input_schema_is_a_closed_object_of_its_metaschema(data):
    Draft202012Validator.check_schema(data["input"])
    assert data["input"]["type"] == "object"
    assert data["input"]["additionalProperties"] is False
    assert set(data["input"]["required"]) <= set(data["input"]["properties"])


def test_the_minimal_input_is_accepted(data):
    assert Catalogue.load().find(data["id"]).problems(data["minimal_input"]) == []


def test_the_schemas_own_defaults_are_accepted(data):
    for field, schema in data["input"]["properties"].items():
        if "default" in schema:
            assert Draft202012Validator(schema).is_valid(schema["default"]), field


def test_the_mapping_leads_to_inputs_and_to_values_they_have(data):
    properties = data["input"]["properties"]
    assert set(data["mapping"]) <= ARGUMENTS
    for route in data["mapping"].values():
        assert {route["field"], *route.get("aliases", ())} <= set(properties)
        for value in route.get("values", {}).values():
            assert value in properties[route["field"]]["enum"]


def test_the_callers_words_are_the_common_ones(data):
    formats = data["mapping"].get("output_format", {}).get("values", {})
    assert set(formats) <= {"png", "jpg", "jpeg", "webp"}
    assert ("jpg" in formats) == ("jpeg" in formats)
    if "aspect_ratio" in data["mapping"]:
        model = Catalogue.load().find(data["id"])
        assert all(":" in ratio or ratio == "auto" for ratio in model.accepts()["aspect_ratios"])


def test_the_defaults_are_accepted_and_fill_what_is_required(data):
    routes, properties = data["mapping"], data["input"]["properties"]
    for field, value in data["defaults"].items():
        assert Draft202012Validator(properties[field]).is_valid(value)
    callers = {routes[argument]["field"] for argument in ("prompt", "image_input") if argument in routes}
    mapped = {route["field"] for route in routes.values()}
    assert set(data["input"]["required"]) <= callers | set(data["defaults"]) | mapped


def test_a_plan_of_the_least_that_a_caller_gives_is_accepted(data):
    model = Catalogue.load().find(data["id"])
    from_caller = {r.field for a, r in model.mapping.items() if a in ("prompt", "image_input")}
    least = {field: value for field, value in data["minimal_input"].items() if field in from_caller}
    assert model.problems({**data["defaults"], **least}) == []


def test_input_pictures_have_their_limits(data):
    route = data["mapping"].get("image_input")
    if route:
        schema = data["input"]["properties"][route["field"]]
        assert schema["type"] in ("array", "string")
        assert schema["type"] == "string" or schema["maxItems"] >= 1
        assert all(mime.startswith("image/") for mime in schema["x-mime"])


def test_the_price_follows_an_input_that_there_is(data):
    price, properties = data["price"], data["input"]["properties"]
    assert price["text"]
    if "by" in price:
        schema = properties[price["by"]["field"]]
        words = ["true", "false"] if schema["type"] == "boolean" else schema["enum"]
        assert set(price["by"]["credits"]) == set(words)
    assert price.get("times") in {None, *properties}


def test_every_platform_has_shapes_in_the_usual_notation():
    for name, entry in schemas.load("platforms.json").items():
        assert name == name.lower().replace(" ", "-")
        assert entry["title"]
        assert entry["aspect_ratios"]
        assert all(part.isdigit() for ratio in entry["aspect_ratios"] for part in ratio.split(":"))
