"""The catalogue API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kie_mcp.sandbox.others import CARELESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench
    from kie_mcp.catalogue import Catalogue


def ask(bench: Bench, path: str) -> dict[str, Any]:
    bench.clock.advance(1)
    return bench.json("GET", f"/api/v1/models{path}")


def given_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The schema of ``input`` in a model's document, with what is elsewhere in the document put in place."""
    document = answer["data"]["openapi"]
    post = document["paths"]["/api/v1/jobs/createTask"]["post"]
    body: dict[str, Any] = post["requestBody"]["content"]["application/json"]["schema"]
    given: dict[str, Any] = body["properties"]["input"]
    for name, field in given["properties"].items():
        if field.get("$ref", "").startswith("#"):
            component = unquote(field["$ref"]).removeprefix("#/components/schemas/")
            given["properties"][name] = document["components"]["schemas"][component]
    return given


def test_the_list_has_every_model(bench: Bench, catalogue: Catalogue):
    data = ask(bench, "")["data"]
    ids = [entry["model"] for entry in data["models"]]
    assert data["total"] == len(ids) == len(set(ids))
    assert {model.id for model in catalogue.search()} < set(ids)
    entry = next(entry for entry in data["models"] if entry["model"] == "nano-banana-pro")
    assert set(entry) == {"model", "slug", "title", "provider", "taskType", "description", "pricingDesc"}
    assert entry["taskType"] == ["Text to Image", "Image to Image"]


def test_the_list_can_be_narrowed(bench: Bench):
    def ids(query: str) -> list[str]:
        return [entry["model"] for entry in ask(bench, query)["data"]["models"]]

    assert ids("?q=z-im") == ["z-image"]
    assert "seedream/4.5-text-to-image" not in ids("?provider=google")
    assert "google/nano-banana-edit" in ids("?provider=google&taskType=Image%20to%20Image")
    assert "google/nano-banana" not in ids("?taskType=image%20to%20image")


def test_a_model_has_a_schema_and_a_price(bench: Bench):
    data = ask(bench, "/google/nano-banana/schema")["data"]
    post = data["openapi"]["paths"]["/api/v1/jobs/createTask"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["model"]["enum"] == ["google/nano-banana"]
    assert "aspect_ratio" in schema["properties"]["input"]["properties"]
    assert ask(bench, "/z-image/price")["data"]["pricingDesc"]


def test_a_served_schema_has_fields_only_and_tells_the_rest_in_prose(bench: Bench, catalogue: Catalogue):
    for model in catalogue.search():
        given = given_of(ask(bench, f"/{model.id}/schema"))
        assert set(given) == {"type", "properties", "required", "x-apidog-orders"}
        assert given["required"] == model.input_schema["required"]
        assert set(given["properties"]) == set(model.fields)
        assert not re.search(r'"x-(?!apidog)', json.dumps(given))
        for name, field in given["properties"].items():
            assert field.get("enum") == model.fields[name].get("enum")
    pictures = given_of(ask(bench, "/nano-banana-pro/schema"))["properties"]["image_input"]
    assert pictures["description"].endswith("accepted types: image/jpeg, image/png, image/webp; max size: 30MB")
    assert pictures["maxItems"] == 8


def test_documents_look_like_those_of_kie(bench: Bench):
    document = ask(bench, "/google/nano-banana/schema")["data"]["openapi"]
    post = document["paths"]["/api/v1/jobs/createTask"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    schemas = document["components"]["schemas"]
    assert body["properties"]["callBackUrl"]["$ref"] == "#/components/schemas/CallbackUrl"
    assert "CallbackUrl" in schemas
    assert body["properties"]["input"]["properties"]["aspect_ratio"] == {"$ref": "#/components/schemas/aspect%20ratio"}
    assert [entry["value"] for entry in schemas["aspect ratio"]["x-apidog-enum"]] == schemas["aspect ratio"]["enum"]
    assert schemas["image size"]["deprecated"] is True
    assert schemas["aspect ratio"]["examples"]
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert unquote(reference) in schemas


def test_the_list_holds_models_that_make_no_pictures(bench: Bench):
    entries = {entry["model"]: entry for entry in ask(bench, "")["data"]["models"]}
    assert entries["gpt-5-2"]["taskType"] == ["Chat"]
    assert ask(bench, "/gpt-5-2/schema")["data"] == {"model": "gpt-5-2", "openapi": None}
    assert "/api/v1/jobs/createTask" not in ask(bench, "/claude-sonnet-4-5/schema")["data"]["openapi"]["paths"]
    assert "duration" in given_of(ask(bench, "/kling-2.6/text-to-video/schema"))["properties"]
    assert bench.create({"prompt": "x"}, "kling-2.6/text-to-video")["code"] == 422


def test_the_metadata_is_as_careless_as_that_of_kie(bench: Bench, catalogue: Catalogue):
    entries = {entry["model"]: entry for entry in ask(bench, "")["data"]["models"]}
    assert entries["ideogram/v3-text-to-image"]["taskType"] == ["Text to Video"]
    assert entries["recraft/remove-background"]["provider"] == "Elevenlabs"
    assert all(any(name.startswith(beginning) for name in entries) for beginning in CARELESS)
    for model in catalogue.search():
        assert entries[model.id]["pricingDesc"] == model.price.text


def test_how_often_a_model_has_succeeded_is_not_known(bench: Bench):
    assert ask(bench, "/google/nano-banana/success-rate")["data"] == {"model": "google/nano-banana", "points": []}


def test_answers_can_be_blank_or_hostile_for_once(bench: Bench):
    bench.faults.add("models", "blank", times=3)
    assert ask(bench, "")["data"] == {"total": 0, "models": []}
    assert ask(bench, "/z-image/schema")["data"]["openapi"] is None
    assert ask(bench, "/z-image/price")["data"]["pricingDesc"] is None
    bench.faults.add("models", "hostile", times=3)
    assert 7 in ask(bench, "")["data"]["models"]
    assert given_of(ask(bench, "/z-image/schema"))["required"] == "prompt"
    assert ask(bench, "/z-image/price")["data"]["pricingDesc"] == [7]
    assert ask(bench, "/z-image/price")["data"]["pricingDesc"] == "0.8"


def test_the_budget_can_be_made_wider(make_bench: Callable[..., Bench]):
    bench = make_bench(catalogue_seconds=0)
    assert [bench.json("GET", "/api/v1/models/z-image/price")["code"] for _ in range(5)] == [200] * 5


def test_an_unknown_model_and_an_escaped_slash_are_not_found(bench: Bench):
    for path in ("/no-such/schema", "/google%2Fnano-banana/schema", "/z-image", "/Z-Image/schema"):
        answer = ask(bench, path)
        assert answer["code"] == 404
        assert answer["msg"].startswith("The model name you specified is not supported.")
    assert ask(bench, "/z-image/colour")["msg"] == "No message available"


def test_there_is_one_request_a_second_for_all_of_it(bench: Bench):
    ask(bench, "")
    refused = bench.json("GET", "/api/v1/models/z-image/price")
    assert refused == {"code": 429, "msg": "Your call frequency is too high. Please try again later.", "data": None}
    assert ask(bench, "")["code"] == 200
