"""What Kie's names of inputs and values mean."""

from __future__ import annotations

import pytest

from kie_mcp.catalogue.conventions import (
    is_a_count,
    is_of_a_film,
    one_picture,
    route,
    with_picture_format,
)
from kie_mcp.catalogue.model import takes_pictures

URL = {"type": "string", "format": "uri"}


def choice(*values):
    return {"type": "string", "enum": list(values)}


@pytest.mark.parametrize(
    ("argument", "fields", "found"),
    [
        ("prompt", {"prompt": {"type": "string"}}, {"field": "prompt"}),
        ("prompt", {"prompt": {"type": "array"}}, None),
        ("prompt", {"text": {"type": "string"}}, None),
        ("prompt", {"prompt": URL}, None),
        ("negative_prompt", {"negative_prompt": URL}, None),
        ("negative_prompt", {"negative_prompt": {"type": "string"}}, {"field": "negative_prompt"}),
        ("aspect_ratio", {"aspect_ratio": choice("1:1", "auto")}, {"field": "aspect_ratio"}),
        ("aspect_ratio", {"image_size": choice("1:1", "16:9")}, {"field": "image_size"}),
        ("aspect_ratio", {"size": choice("1:1", "3:2")}, {"field": "size"}),
        ("aspect_ratio", {"size": choice("1K", "2K", "auto")}, None),
        (
            "aspect_ratio",
            {"aspect_ratio": choice("adaptive", "1:1")},
            {"field": "aspect_ratio", "values": {"1:1": "1:1"}},
        ),
        ("aspect_ratio", {"aspect_ratio": choice("0:1", "1:1000", "a:b")}, None),
        ("aspect_ratio", {"aspect_ratio": {"type": "string"}}, None),
        ("aspect_ratio", {"aspect_ratio": {"type": "integer", "enum": [1, 2]}}, None),
        (
            "aspect_ratio",
            {
                "image_size": choice(
                    "square", "square_hd", "portrait_4_3", "portrait_9_16", "landscape_21_9", "square_1_1"
                )
            },
            {
                "field": "image_size",
                "values": {
                    "1:1": "square_hd",
                    "3:4": "portrait_4_3",
                    "9:16": "portrait_9_16",
                    "21:9": "landscape_21_9",
                },
            },
        ),
        ("aspect_ratio", {"image_size": choice("square")}, {"field": "image_size", "values": {"1:1": "square"}}),
        ("aspect_ratio", {"image_size": choice("portrait", "landscape_0_3")}, None),
        ("resolution", {"resolution": choice("1K", "2K")}, {"field": "resolution"}),
        ("resolution", {"image_resolution": choice("1K", "4K")}, {"field": "image_resolution"}),
        ("resolution", {"size": choice("1K", "1.5K", "auto")}, {"field": "size"}),
        ("resolution", {"quality": choice("1K", "best")}, {"field": "quality", "values": {"1K": "1K"}}),
        ("resolution", {"quality": choice("basic", "high")}, None),
        ("resolution", {"size": choice("auto")}, None),
        (
            "output_format",
            {"output_format": choice("png", "jpeg")},
            {"field": "output_format", "values": {"png": "png", "jpg": "jpeg", "jpeg": "jpeg"}},
        ),
        (
            "output_format",
            {"output_format": choice("JPG", "WEBP", "gif")},
            {"field": "output_format", "values": {"jpg": "JPG", "jpeg": "JPG", "webp": "WEBP"}},
        ),
        ("output_format", {"output_format": choice("url", "b64_json")}, None),
        ("image_input", {"image_urls": {"type": "array", "items": URL}}, {"field": "image_urls"}),
        ("image_input", {"image": URL, "mask_url": URL}, {"field": "image"}),
        ("image_input", {"image": {"type": "string"}}, None),
        ("image_input", {"mask_url": URL}, None),
    ],
)
def test_a_common_argument_goes_where_names_and_values_say(argument, fields, found):
    assert route(argument, fields, list(fields)) == found


def test_only_the_fields_that_are_free_are_looked_at():
    assert route("prompt", {"prompt": {"type": "string"}}, []) is None


@pytest.mark.parametrize(
    ("name", "field", "takes"),
    [
        ("image_url", {"type": "string"}, True),
        ("input_urls", {"type": "array", "items": {"type": "string", "maxLength": 9}}, True),
        ("reference_image_urls", {"type": "array"}, True),
        ("mask_url", {"type": "string"}, True),
        ("image", {}, True),
        ("logo", {"type": "string", "format": "uri"}, True),
        ("video_url", {"type": "string", "format": "uri"}, False),
        ("prompt", {"type": "string", "format": "uri"}, False),
        ("negative_prompt", {"type": "string", "format": "uri"}, False),
        ("callback_url", {"type": "string", "format": "uri"}, False),
        ("num_images", {"type": "string"}, False),
        ("image", {"type": "boolean"}, False),
        ("image", {"type": "string", "enum": ["a"]}, False),
        ("images", {"type": "array", "items": {"type": "object", "format": "uri"}}, False),
        ("image_size", {"type": "string"}, False),
        ("watermark", {"type": "string"}, False),
    ],
)
def test_pictures_are_told_by_their_format_and_their_name(name, field, takes):
    found = with_picture_format(name, field)
    assert takes_pictures(found) is takes
    assert with_picture_format(name, found) == found


@pytest.mark.parametrize(
    "name",
    [
        *("n", "num_images", "num_outputs", "number_of_images", "num_samples", "max_images", "image_count", "count"),
        *("batch_size", "quantity", "samples", "numImages", "nImages", "imageNum", "images_number", "numberOfPictures"),
    ],
)
def test_numbers_of_pictures_are_told_by_their_names(name):
    assert is_a_count(name, {"type": "integer"})
    assert is_a_count(name, choice("1", "2"))
    assert not is_a_count(name, {"type": "array"})
    assert not is_a_count(name, {"type": "boolean"})


@pytest.mark.parametrize(
    "name", ["num_inference_steps", "steps", "seed", "num_frames", "frame_count", "max_tokens", "number", "strength"]
)
def test_other_numbers_are_not(name):
    assert not is_a_count(name, {"type": "integer"})


@pytest.mark.parametrize(
    ("field", "one"),
    [
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 2}, 2),
        ({"type": "string"}, "1"),
        (choice("auto", "4", "1"), "1"),
        (choice("0", "4", "12"), "4"),
        ({"type": "integer", "enum": [3, 2]}, 2),
        (choice("auto"), None),
    ],
)
def test_one_picture_or_as_few_as_there_can_be(field, one):
    assert one_picture(field) == one


@pytest.mark.parametrize(
    ("name", "film"),
    [
        ("video_url", True),
        ("audio_urls", True),
        ("reference_video_url", True),
        ("duration", True),
        ("fps", True),
        ("first_frame_url", True),
        ("frame_duration_ms", False),
        ("image_url", False),
        ("prompt", False),
    ],
)
def test_inputs_of_films_are_known_by_their_names(name, film):
    assert is_of_a_film(name) is film
