"""Every bundled model file is right in itself, so that adding a model is adding a file."""

from pathlib import Path

import pytest

from kie_mcp import schemas
from kie_mcp.catalogue import Catalogue
from kie_mcp.catalogue.checking import ModelFileCheck

FILES = schemas.names("models")
MODELS = {name: schemas.load(name) for name in FILES}

# Ids and their required inputs, by the pages under docs.kie.ai/market and the list of /api/v1/models (2026-10).
REQUIRED = {
    "4o-image-api": {"size"},
    "bytedance/seedream": {"prompt"},
    "bytedance/seedream-v4-edit": {"image_urls", "prompt"},
    "bytedance/seedream-v4-text-to-image": {"prompt"},
    "flux-2/flex-image-to-image": {"aspect_ratio", "input_urls", "prompt", "resolution"},
    "flux-2/flex-text-to-image": {"aspect_ratio", "prompt", "resolution"},
    "flux-2/pro-image-to-image": {"aspect_ratio", "input_urls", "prompt", "resolution"},
    "flux-2/pro-text-to-image": {"aspect_ratio", "prompt", "resolution"},
    "flux1-kontext": {"prompt"},
    "google/imagen4": {"aspect_ratio", "prompt"},
    "google/imagen4-fast": {"aspect_ratio", "prompt"},
    "google/imagen4-ultra": {"aspect_ratio", "prompt"},
    "google/nano-banana": {"prompt"},
    "google/nano-banana-edit": {"image_urls", "prompt"},
    "gpt-image-2-5-flare-image-to-image": {"input_urls", "prompt"},
    "gpt-image-2-5-flare-text-to-image": {"prompt"},
    "gpt-image-2-5-sunburst-image-to-image": {"input_urls", "prompt"},
    "gpt-image-2-5-sunburst-text-to-image": {"prompt"},
    "gpt-image-2-6-economy-text-to-image": {"prompt"},
    "gpt-image-2-image-to-image": {"input_urls", "prompt"},
    "gpt-image-2-text-to-image": {"prompt"},
    "gpt-image/1.5-image-to-image": {"aspect_ratio", "input_urls", "prompt", "quality"},
    "gpt-image/1.5-text-to-image": {"aspect_ratio", "prompt", "quality"},
    "grok-imagine-image-2-0/image-edit": {"aspect_ratio", "image_urls"},
    "grok-imagine-image-2-0/segment-edit": {"prompt", "task_id"},
    "grok-imagine-image-2-0/segment-map": set(),
    "grok-imagine-image-2-0/text-to-image": {"aspect_ratio", "prompt"},
    "grok-imagine/image-to-image": {"image_urls"},
    "grok-imagine/text-to-image": {"aspect_ratio", "prompt"},
    "ideogram/character": {"prompt", "reference_image_urls"},
    "ideogram/character-edit": {"image_url", "mask_url", "prompt", "reference_image_urls"},
    "ideogram/character-remix": {"image_url", "prompt", "reference_image_urls"},
    "ideogram/v3-edit": {"image_url", "mask_url", "prompt"},
    "ideogram/v3-remix": {"image_url", "prompt"},
    "ideogram/v3-text-to-image": {"prompt"},
    "nano-banana-2": {"prompt"},
    "nano-banana-2-1": {"prompt"},
    "nano-banana-2-lite": {"aspect_ratio", "prompt"},
    "nano-banana-pro": {"prompt"},
    "omnihuman-1-5/human-identification": {"image_url"},
    "omnihuman-1-5/subject-detection": {"image_url"},
    "qwen/image-edit": {"image_url", "prompt"},
    "qwen/image-to-image": {"image_url", "prompt"},
    "qwen/text-to-image": {"prompt"},
    "qwen2-1/image-to-image": {"image_urls", "prompt"},
    "qwen2-1/text-to-image": {"prompt"},
    "qwen2/image-edit": {"image_url", "prompt"},
    "qwen2/text-to-image": {"prompt"},
    "qwen3/image-to-image": {"image_urls", "prompt"},
    "qwen3/pro-image-to-image": {"image_urls", "prompt"},
    "qwen3/pro-text-to-image": {"prompt"},
    "qwen3/text-to-image": {"prompt"},
    "recraft/crisp-upscale": {"image"},
    "recraft/remove-background": {"image"},
    "seedream/4.5-edit": {"aspect_ratio", "image_urls", "prompt", "quality"},
    "seedream/4.5-text-to-image": {"aspect_ratio", "prompt", "quality"},
    "seedream/5-flash-image-to-image": {"aspect_ratio", "image_urls", "prompt"},
    "seedream/5-flash-layer-decomposition": {"image_url"},
    "seedream/5-flash-text-to-image": {"aspect_ratio", "prompt"},
    "seedream/5-lite-image-to-image": {"aspect_ratio", "image_urls", "prompt", "quality"},
    "seedream/5-lite-text-to-image": {"aspect_ratio", "prompt", "quality"},
    "seedream/5-pro-image-to-image": {"aspect_ratio", "image_urls", "prompt", "quality"},
    "seedream/5-pro-layer-decomposition": {"image_url", "size"},
    "seedream/5-pro-text-to-image": {"aspect_ratio", "prompt", "quality"},
    "topaz/image-upscale": {"image_url", "upscale_factor"},
    "wan/2-7-image": {"prompt"},
    "wan/2-7-image-pro": {"prompt"},
    "z-image": {"aspect_ratio", "prompt"},
}


@pytest.fixture(scope="module")
def check():
    return ModelFileCheck()


def test_every_model_of_the_market_is_there_with_its_required_inputs():
    found = {data["id"]: set(data["input"]["required"]) for data in MODELS.values()}
    assert found == REQUIRED
    assert len(found) == 68


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_right_in_itself(check, name):
    assert check.faults(MODELS[name]) == []


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_named_after_the_id(name):
    assert Path(name).stem == MODELS[name]["id"].replace("/", "__")


@pytest.mark.parametrize("name", FILES)
def test_the_minimal_input_is_accepted(catalogue, name):
    model = catalogue.find(MODELS[name]["id"])
    assert model.problems(MODELS[name]["minimal_input"]) == []


@pytest.mark.parametrize("name", FILES)
def test_jpeg_goes_by_both_of_its_names(name):
    formats = MODELS[name]["mapping"].get("output_format", {}).get("values", {})
    assert ("jpg" in formats) == ("jpeg" in formats)
    if "output_format" in MODELS[name]["mapping"]:
        assert formats, "callers say jpg and jpeg, models know one of them"


@pytest.mark.parametrize("name", FILES)
def test_one_picture_is_made_unless_more_are_asked_for(catalogue, name):
    model = catalogue.find(MODELS[name]["id"])
    count = model.returns.count_field
    if count is not None:
        sent = model.defaults.get(count, model.fields[count].get("default"))
        assert int(sent) == 1


def test_every_price_is_known_but_those_that_kie_does_not_publish():
    unknown = {data["id"] for data in MODELS.values() if data["price"]["credits"] is None}
    assert unknown == {
        "gpt-image-2-6-economy-text-to-image",
        "grok-imagine-image-2-0/image-edit",
        "ideogram/v3-remix",
        "omnihuman-1-5/human-identification",
        "omnihuman-1-5/subject-detection",
    }


def test_a_model_has_its_default_taken_for_granted_nowhere_but_in_its_file():
    """What Kie requires and callers do not give stands in ``defaults`` (the schema's own are not applied by Kie)."""
    for model in Catalogue.load().search():
        routed = {route.field for argument, route in model.mapping.items() if argument in ("prompt", "image_input")}
        choices = {name for name in model.input_schema["required"] if "enum" in model.fields[name]}
        assert choices - routed <= set(model.defaults), model.id


def test_every_platform_has_shapes_in_the_usual_notation():
    for name, entry in schemas.load("platforms.json").items():
        assert name == name.lower().replace(" ", "-")
        assert entry["title"]
        assert entry["aspect_ratios"]
        assert all(part.isdigit() for ratio in entry["aspect_ratios"] for part in ratio.split(":"))
