"""How many pictures, how large, in which format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kie_mcp.catalogue.model import Model
from kie_mcp.sandbox.shape import dimensions, image_count, shape_of

if TYPE_CHECKING:
    from kie_mcp.catalogue import Catalogue


def model_of(fields: dict[str, Any], **more: Any) -> Model:
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}, **fields}}
    data = {"id": "made/up", "title": "Made up", "kind": "text-to-image", "input": schema, "mapping": {}, **more}
    return Model.from_json(data, "made-up.json")


@pytest.mark.parametrize(
    ("ratio", "kilo", "size"),
    [
        ((1, 1), 1, (1024, 1024)),
        ((16, 9), 1, (1408, 792)),
        ((21, 9), 2, (3136, 1344)),
        ((1, 8), 1, (360, 2880)),
        ((1, 1), 4, (4096, 4096)),
        ((8, 1), 4, (8192, 1448)),
        ((2, 4), 1, (728, 1456)),
    ],
)
def test_a_size_has_the_ratio_and_about_the_pixels(ratio: tuple[int, int], kilo: float, size: tuple[int, int]):
    assert dimensions(*ratio, kilo) == size


@pytest.mark.parametrize(
    ("model", "given", "shape"),
    [
        ("nano-banana-pro", {}, (1, 1024, 1024, False)),
        ("nano-banana-pro", {"aspect_ratio": "9:16", "resolution": "2K"}, (1, 1512, 2688, False)),
        ("nano-banana-pro", {"aspect_ratio": "auto", "output_format": "jpg"}, (1, 1024, 1024, True)),
        ("nano-banana-2", {}, (1, 1024, 1024, True)),
        ("google/nano-banana", {"image_size": "3:2", "output_format": "jpeg"}, (1, 1248, 832, True)),
        ("qwen/text-to-image", {"image_size": "landscape_16_9"}, (1, 1408, 792, False)),
        ("qwen/text-to-image", {"image_size": "portrait_4_3"}, (1, 888, 1184, False)),
        ("qwen2/text-to-image", {}, (1, 1408, 792, False)),
        ("seedream/4.5-text-to-image", {"aspect_ratio": "1:1", "quality": "high"}, (1, 4096, 4096, False)),
        ("seedream/4.5-text-to-image", {"aspect_ratio": "1:1", "quality": "basic"}, (1, 2048, 2048, False)),
        ("grok-imagine/text-to-image", {"aspect_ratio": "2:3"}, (2, 832, 1248, False)),
    ],
)
def test_a_bundled_model_draws_what_its_own_fields_ask_for(
    catalogue: Catalogue, model: str, given: dict[str, Any], shape: tuple[int, int, int, bool]
):
    found = catalogue.find(model)
    assert found is not None
    drawn = shape_of(found, {"prompt": "x", **given})
    assert (drawn.count, drawn.width, drawn.height, drawn.jpeg) == shape


def test_fields_that_no_argument_is_mapped_to_count_too():
    model = model_of({"image_resolution": {"default": "2K"}, "size": {"enum": ["1:1"]}, "output_format": {}})
    shape = shape_of(model, {"size": "3:2", "output_format": "webp"})
    assert (shape.width, shape.height) == (2520, 1680)
    assert (shape.extension(0), shape.media_type(0)) == ("png", "image/png")


def test_sizes_in_words_that_say_nothing_are_passed_over():
    model = model_of({"quality": {"default": "medium"}, "image_size": {"default": "square"}})
    shape = shape_of(model, {"size": "1.5K", "image_size": "landscape_21_9"})
    assert (shape.width, shape.height) == (2352, 1008)
    assert shape_of(model, {"image_size": "huge"}).width == 1024


def test_jpeg_files_are_called_so():
    shape = shape_of(model_of({"output_format": {"default": "jpeg"}}), {})
    assert (shape.extension(0), shape.media_type(0)) == ("jpg", "image/jpeg")


def test_layers_are_png_whatever_their_base_picture_is():
    model = model_of({"output_format": {"default": "jpeg"}}, kind="layer-decomposition", returns={"pictures": 3})
    shape = shape_of(model, {})
    assert [shape.extension(index) for index in range(shape.count)] == ["jpg", "png", "png"]


@pytest.mark.parametrize(
    ("given", "count"), [({"n": 3}, 3), ({"n": "2"}, 2), ({"n": 4.0}, 4), ({"n": 0}, 1), ({"n": 99}, 12), ({}, 1)]
)
def test_the_number_of_pictures_is_what_was_asked(given: dict[str, Any], count: int):
    assert image_count(model_of({"n": {}}, returns={"count_field": "n"}), given) == count


def test_a_number_that_the_model_does_not_know_is_ignored():
    assert image_count(model_of({}), {"n": 3}) == 1


def test_a_model_says_how_many_it_makes_where_none_are_asked_for():
    assert image_count(model_of({"n": {}}, returns={"pictures": 4, "count_field": "n"}), {}) == 4
    assert image_count(model_of({}, returns={"pictures": 0, "data": True}), {}) == 0
