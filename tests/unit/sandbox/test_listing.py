"""The catalogue API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Bench


def ask(bench: Bench, path: str) -> dict[str, Any]:
    bench.clock.advance(1)
    return bench.json("GET", f"/api/v1/models{path}")


def test_the_list_has_every_model(bench: Bench):
    data = ask(bench, "")["data"]
    assert data["total"] == len(data["models"]) >= 11
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


def test_an_unknown_model_and_an_escaped_slash_are_not_found(bench: Bench):
    for path in ("/no-such/schema", "/google%2Fnano-banana/schema", "/z-image"):
        answer = ask(bench, path)
        assert answer["code"] == 404
        assert answer["msg"].startswith("The model name you specified is not supported.")
    assert ask(bench, "/z-image/colour")["msg"] == "No message available"


def test_there_is_one_request_a_second_for_all_of_it(bench: Bench):
    ask(bench, "")
    refused = bench.json("GET", "/api/v1/models/z-image/price")
    assert refused == {"code": 429, "msg": "Your call frequency is too high. Please try again later.", "data": None}
    assert ask(bench, "")["code"] == 200
