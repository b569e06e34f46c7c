"""Wishes and refusals against the bundled models, and a folder for models of every other kind."""

import json
import random
import shutil
from pathlib import Path

import pytest

from kie_mcp import schemas
from kie_mcp.catalogue import Catalogue, Wish
from kie_mcp.errors import InputError

PICTURE = {"type": "string", "format": "uri"}


@pytest.fixture
def plan(catalogue):
    """Plan a wish for a cat against the bundled catalogue."""

    def make(model, **wish):
        return catalogue.plan(Wish(**{"prompt": "a cat", "model": model, **wish}))

    return make


@pytest.fixture
def refusal(plan):
    """The message of the refusal of a wish for a cat."""

    def make(model, **wish):
        with pytest.raises(InputError) as caught:
            plan(model, **wish)
        return caught.value.message

    return make


@pytest.fixture
def folder(tmp_path):
    """A schemas folder without any model."""
    (tmp_path / "models").mkdir()
    shutil.copy(Path(schemas.root()) / "platforms.json", tmp_path)
    return tmp_path


@pytest.fixture
def add(folder):
    """Drop one model file into ``folder``."""

    def make(model_id, properties, mapping, *, required=(), schema=None, **rest):
        described = {
            "id": model_id,
            "title": model_id.title(),
            "kind": "text-to-image",
            "input": {
                "type": "object",
                "properties": properties,
                "required": list(required),
                "additionalProperties": False,
                **(schema or {}),
            },
            "mapping": {argument: {"field": field} for argument, field in mapping.items()},
            **rest,
        }
        (folder / "models" / f"{model_id.replace('/', '__')}.json").write_text(json.dumps(described), "utf-8")

    return make


@pytest.fixture
def odd(folder, add):
    """A catalogue of models that each do something that the bundled ones do not."""
    prompt = {"type": "string", "minLength": 3}
    add(
        "odd/upscale",
        {"image": {"type": "string", "format": "uri", "x-max-mb": 10, "x-mime": ["image/png"]}},
        {"image_input": "image"},
        required=["image"],
        kind="upscale",
        price={"text": "0.5", "credits": 0.5},
    )
    add(
        "odd/several",
        {
            "prompt": prompt,
            "aspect_ratio": {"type": "string"},
            "input_urls": {"type": "array", "items": PICTURE},
            "n": {"type": "integer", "minimum": 1},
        },
        {"prompt": "prompt", "aspect_ratio": "aspect_ratio", "image_input": "input_urls"},
        required=["prompt"],
        defaults={"n": 1},
        price={"credits": 4.8, "times": "n", "per_image": {"credits": 0.5, "free": 1}},
    )
    add(
        "odd/character",
        {
            "prompt": prompt,
            "num_images": {"type": "string", "enum": ["1", "2"], "default": "1"},
            "strength": {"type": "number", "maximum": 1},
            "colors": {
                "type": ["array", "null"],
                "items": {"type": "object", "properties": {"hex": {"type": "string"}}},
            },
            "code": {"type": "string", "pattern": "^[a-z]+$"},
        },
        {"prompt": "prompt"},
        price={"credits": 12, "times": "num_images"},
    )
    add(
        "odd/either",
        {"prompt": prompt, "size": {"enum": ["1:1"]}, "files_url": {"type": "array", "items": PICTURE, "maxItems": 5}},
        {"prompt": "prompt", "aspect_ratio": "size", "image_input": "files_url"},
        required=["size"],
        schema={"anyOf": [{"required": ["prompt"]}, {"required": ["files_url"]}]},
    )
    add(
        "segment-map",
        {"task_id": {"type": "string"}, "image_url": PICTURE, "mask": {"type": "string"}, "fast": {"type": "boolean"}},
        {"image_input": "image_url"},
        schema={
            "oneOf": [{"required": ["task_id"]}, {"required": ["image_url"]}],
            "dependentRequired": {"mask": ["task_id"]},
            "if": {"not": {"required": ["task_id"]}},
            "then": {"properties": {"fast": {"not": {}}}},
        },
    )
    return Catalogue.load(str(folder))


@pytest.fixture
def openapi():
    """A document such as Kie's catalogue has, with these inputs; ``components`` of it by their names."""

    def make(properties, required=(), **components):
        schema = {
            "type": "object",
            "properties": {
                "model": {"type": "string"},
                "input": {"type": "object", "properties": properties, "required": list(required)},
            },
        }
        post = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
        return {"openapi": "3.1.0", "paths": {"/api/v1/jobs/createTask": {"post": post}}, "components": components}

    return make


WORDS = [
    *("type", "properties", "required", "items", "enum", "default", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "format", "description", "$ref", "allOf", "anyOf", "oneOf", "pattern"),
    *("string", "integer", "number", "boolean", "array", "object", "null", "uri", "#/components/A"),
    *("prompt", "image_urls", "image_size", "aspect_ratio", "resolution", "quality", "output_format", "n"),
    *("1:1", "16:9", "auto", "2K", "png", "jpeg", "square_hd", "landscape_16_9"),
    *("\x1b[31m", "\u202e", "__proto__", "../../x"),
]


def _value(rng, depth):
    """JSON that looks like a schema from afar."""
    kind = rng.randrange(8 if depth else 5)
    if kind < 3:
        return rng.choice(WORDS)
    if kind == 3:
        return rng.choice([None, True, False, "", 0, 1, -1, 2.5, 1e308, 10**30])
    if kind == 4:
        return [rng.choice(WORDS) for _ in range(rng.randrange(4))]
    if kind == 5:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(WORDS): _value(rng, depth - 1) for _ in range(rng.randrange(6))}


@pytest.fixture
def random_json():
    """So many JSON values, always the same ones."""

    def make(count):
        rng = random.Random(7)
        return (_value(rng, rng.randrange(6)) for _ in range(count))

    return make
