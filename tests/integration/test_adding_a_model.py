"""A new model is one new file: server and sandbox both use it, and no line of code knows its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import requests
from PIL import Image

from kie_mcp import schemas
from kie_mcp.catalogue import Catalogue
from kie_mcp.catalogue.checking import ModelFileCheck

MODEL = {
    "id": "painter/3-edit",
    "title": "Painter 3, edit",
    "kind": "image-to-image",
    "input": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 500},
            "source": {"type": "string", "format": "uri", "x-max-mb": 1, "x-mime": ["image/png"]},
            "canvas": {"type": "string", "enum": ["wide", "tall"], "default": "wide"},
            "strokes": {"type": "string", "enum": ["few", "many"]},
            "copies": {"type": "integer", "minimum": 1, "maximum": 4},
        },
        "required": ["text", "source", "strokes"],
        "additionalProperties": False,
    },
    "mapping": {
        "prompt": {"field": "text"},
        "aspect_ratio": {"field": "canvas", "values": {"16:9": "wide", "9:16": "tall"}},
        "image_input": {"field": "source"},
    },
    "defaults": {"strokes": "many"},
    "price": {"text": "3 per picture", "credits": 3, "times": "copies"},
    "returns": {"count_field": "copies"},
    "notes": ["Made up for a test."],
    "minimal_input": {"text": "a red apple", "source": "https://example.com/in.png", "strokes": "many"},
    "source": ["this test"],
}


@pytest.fixture
def catalogue(tmp_path):
    """The bundled models, and one more file among them."""
    folder = tmp_path / "schemas"
    shutil.copytree(schemas.root(), folder)
    (folder / "models" / "painter__3-edit.json").write_text(json.dumps(MODEL), encoding="utf-8")
    return Catalogue.load(str(folder))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "in.png"
    Image.new("RGB", (64, 64), "red").save(path)
    return path


def test_the_new_file_is_right_in_itself():
    assert ModelFileCheck().faults(MODEL) == []


def test_a_picture_is_made_with_it_from_a_local_one(kie, picture):
    answer = kie.call(
        "generate_visual",
        model="painter/3-edit",
        prompt="a red apple",
        aspect_ratio="9:16",
        image_input=[str(picture)],
        model_params={"copies": 2},
    )
    assert (answer["model"], answer["credits_consumed"]) == ("painter/3-edit", 6)
    assert len(answer["output_paths"]) == 2
    for path in map(Path, answer["output_paths"]):
        with Image.open(path) as made:
            assert made.height > made.width
    body = sent(kie, answer["task_id"])
    assert body.pop("source").startswith(kie.sandbox.upload_base_url)
    assert body == {"text": "a red apple", "canvas": "tall", "strokes": "many", "copies": 2}


def test_what_it_cannot_do_is_refused_in_its_own_terms(kie, picture):
    asked = {"model": "painter/3-edit", "prompt": "a red apple", "image_input": [str(picture)]}
    assert "16:9, 9:16" in kie.error("generate_visual", **asked, aspect_ratio="1:1")["message"]
    assert "aspect_ratio (16:9, 9:16)" in kie.error("generate_visual", **asked, resolution="2K")["message"]
    assert "few, many" in kie.error("generate_visual", **asked, model_params={"strokes": "none"})["message"]
    assert kie.billed == 0


def test_it_is_found_and_suggested_like_any_other(kie):
    assert [model["id"] for model in kie.call("list_models", query="painter")["models"]] == ["painter/3-edit"]
    assert "painter/3-edit" in kie.error("create_visual_task", model="painter-3-edit", prompt="a fox")["message"]


def test_the_sandbox_lists_it(kie, key):
    answer = requests.get(
        f"{kie.sandbox.base_url}/models/painter/3-edit/price",
        headers={"Authorization": f"Bearer {key}"},
        timeout=20,
    )
    assert answer.json()["data"] == {"model": "painter/3-edit", "pricingDesc": "3 per picture"}


def sent(kie, task_id):
    """The ``input`` that Kie was sent for a task."""
    return dict(kie.sandbox._state.task(task_id).input)
