"""What a finished task answers: pictures, data, or both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kie_mcp.catalogue import Catalogue, Model
from kie_mcp.catalogue.platforms import Platforms

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

PICTURE = {"image_url": "https://example.com/in.png"}


def result_of(bench: Bench, given: dict[str, Any], model: str) -> dict[str, Any]:
    record = bench.finished(given, model)
    assert json.loads(record["resultJson"]) == record["response"]
    result: dict[str, Any] = record["response"]
    return result


def test_layers_have_their_places_and_a_link_each(bench: Bench):
    result = result_of(bench, {**PICTURE, "size": "2K", "output_format": "jpeg"}, "seedream/5-pro-layer-decomposition")
    base, *layers = result["resultObject"]["layers_data"]
    assert [layer["url"] for layer in (base, *layers)] == result["resultUrls"]
    assert [layer["z_index"] for layer in (base, *layers)] == [0, 1, 2]
    assert set(base) == {"z_index", "size", "output_format", "url"}
    assert (base["size"], base["output_format"]) == ("2048x2048", "jpeg")
    for layer in layers:
        assert set(layer) == {*base, "bounding_box", "name", "description"}
        assert (layer["output_format"], layer["url"][-4:]) == ("png", ".png")
        left, top, right, bottom = layer["bounding_box"]["absolute"]
        assert 0 <= left < right <= 2048
        assert 0 <= top < bottom <= 2048
    for layer in (base, *layers):
        signs = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG"}
        assert bench.file(layer["url"])[1].startswith(signs[layer["output_format"]])


def test_each_layer_costs_what_its_size_costs(bench: Bench):
    sizes = {"auto": 7, "2K": 14}
    for size, price in sizes.items():
        record = bench.finished({**PICTURE, "size": size}, "seedream/5-pro-layer-decomposition")
        assert record["creditsConsumed"] == 3 * price


def test_layers_are_billed_one_by_one(bench: Bench):
    record = bench.finished({**PICTURE, "size": "auto"}, "seedream/5-pro-layer-decomposition")
    assert record["creditsConsumed"] == 21
    assert bench.sandbox.stats()["credits"] == 5916.25 - 21


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("omnihuman-1-5/subject-detection", "subjects"),
        ("omnihuman-1-5/human-identification", "subjects"),
        ("grok-imagine-image-2-0/segment-map", "segments"),
    ],
)
def test_a_task_of_data_makes_no_files(bench: Bench, model: str, name: str):
    result = result_of(bench, PICTURE, model)
    assert list(result) == ["resultObject"]
    found = result["resultObject"][name]
    assert [entry["index"] for entry in found] == list(range(len(found)))
    assert all(len(entry["bounding_box"]["normalized"]) == 4 for entry in found)


def test_no_links_can_be_told_of_layers_and_is_nothing_to_a_task_of_data(bench: Bench):
    bench.faults.add("poll", "no_urls", times=2)
    layers = result_of(bench, {**PICTURE, "size": "auto"}, "seedream/5-pro-layer-decomposition")
    assert layers == {"resultUrls": [], "resultObject": {"layers_data": []}}
    assert "subjects" in result_of(bench, PICTURE, "omnihuman-1-5/subject-detection")["resultObject"]


def test_data_of_any_other_kind_is_an_empty_object(make_bench: Callable[..., Bench]):
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
    data = {"id": "made/up", "title": "Made up", "kind": "upscale", "input": schema, "mapping": {}}
    model = Model.from_json({**data, "returns": {"data": True}}, "made-up.json")
    bench = make_bench(catalogue=Catalogue([model], Platforms({})))
    result = result_of(bench, {"prompt": "x"}, "made/up")
    assert (len(result["resultUrls"]), result["resultObject"]) == (1, {})
