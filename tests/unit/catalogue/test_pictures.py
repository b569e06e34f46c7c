"""Which models take pictures, and how many."""

import pytest

from kie_mcp.catalogue import Catalogue, InputPicture, Wish
from kie_mcp.errors import InputError


def test_a_model_without_pictures_names_its_sibling_that_takes_them(refusal):
    assert refusal("google/nano-banana", image_input=("/a.png",)) == (
        "google/nano-banana takes no pictures (image_input). Its sibling 'google/nano-banana-edit' does. It accepts: "
        "aspect_ratio (1:1, 9:16, 16:9, 3:4, 4:3, 3:2, 2:3, 5:4, 4:5, 21:9, auto); output_format (png, jpg, jpeg); "
        "model_params (nsfw_checker)."
    )


def test_a_model_without_such_a_sibling_names_others(refusal):
    assert "These do: 4o-image-api, flux1-kontext, nano-banana-2." in refusal("z-image", image_input=("/a.png",))


def test_the_sibling_is_the_likest_of_its_family(folder, add):
    text, picture = {"type": "string"}, {"type": "array"}
    add("gpt-image-2-text-to-image", {"prompt": text}, {"prompt": "prompt"})
    for name in ("gpt-image-2-5-flare-image-to-image", "gpt-image-2-image-to-image", "gpt-other"):
        add(name, {"prompt": text, "urls": picture}, {"prompt": "prompt", "image_input": "urls"})
    with pytest.raises(InputError, match="'gpt-image-2-image-to-image' does"):
        Catalogue.load(str(folder)).plan(Wish("x", "gpt-image-2-text-to-image", image_input=("a",)))


def test_a_catalogue_without_any_such_model_says_so(folder, add):
    add("alone", {"prompt": {"type": "string"}}, {"prompt": "prompt"})
    with pytest.raises(InputError, match="No known model does"):
        Catalogue.load(str(folder)).plan(Wish("x", "alone", image_input=("a",)))


def test_too_many_pictures_are_refused(refusal):
    assert refusal("nano-banana-pro", image_input=("a",) * 9) == (
        "image_input has 9 pictures; nano-banana-pro accepts at most 8."
    )


def test_a_model_that_works_on_pictures_needs_one(refusal):
    assert refusal("google/nano-banana-edit") == (
        "google/nano-banana-edit works on pictures: give 1 to 10 pictures as image_input. "
        "Its sibling 'google/nano-banana' needs none."
    )
    assert refusal("recraft/crisp-upscale") == "recraft/crisp-upscale works on pictures: give 1 picture as image_input."


SIBLINGS = {
    "bytedance/seedream": "bytedance/seedream-v4-edit",
    "bytedance/seedream-v4-text-to-image": "bytedance/seedream-v4-edit",
    "flux-2/flex-text-to-image": "flux-2/flex-image-to-image",
    "flux-2/pro-text-to-image": "flux-2/pro-image-to-image",
    "google/nano-banana": "google/nano-banana-edit",
    "gpt-image-2-5-flare-text-to-image": "gpt-image-2-5-flare-image-to-image",
    "gpt-image-2-5-sunburst-text-to-image": "gpt-image-2-5-sunburst-image-to-image",
    "gpt-image-2-text-to-image": "gpt-image-2-image-to-image",
    "gpt-image/1.5-text-to-image": "gpt-image/1.5-image-to-image",
    "grok-imagine-image-2-0/text-to-image": "grok-imagine-image-2-0/image-edit",
    "grok-imagine/text-to-image": "grok-imagine/image-to-image",
    "ideogram/v3-text-to-image": "ideogram/v3-remix",
    "qwen/text-to-image": "qwen/image-to-image",
    "qwen2-1/text-to-image": "qwen2-1/image-to-image",
    "qwen2/text-to-image": "qwen2/image-edit",
    "qwen3/pro-text-to-image": "qwen3/pro-image-to-image",
    "qwen3/text-to-image": "qwen3/image-to-image",
    "seedream/4.5-text-to-image": "seedream/4.5-edit",
    "seedream/5-flash-text-to-image": "seedream/5-flash-image-to-image",
    "seedream/5-lite-text-to-image": "seedream/5-lite-image-to-image",
    "seedream/5-pro-text-to-image": "seedream/5-pro-image-to-image",
}


@pytest.mark.parametrize(("text_model", "picture_model"), SIBLINGS.items())
def test_the_two_halves_of_a_family_point_to_each_other(refusal, text_model, picture_model):
    assert f"Its sibling {picture_model!r} does." in refusal(text_model, image_input=("/a.png",))
    back = next(text for text, picture in sorted(SIBLINGS.items(), reverse=True) if picture == picture_model)
    assert f"Its sibling {back!r} needs none." in refusal(picture_model)


def test_a_second_picture_for_another_purpose_is_shown_its_input(refusal):
    assert refusal("ideogram/v3-edit", image_input=("a", "b")) == (
        "image_input has 2 pictures; ideogram/v3-edit accepts at most 1. "
        "Pictures for another purpose go into model_params.mask_url."
    )


def test_the_pictures_of_an_unknown_model_are_known_by_their_form(plan):
    params = {
        "image_urls": ["data:image/png;base64,AA==", "https://example.com/a.png", " FILE:///a.png"],
        "mask_url": "task:t1",
        "prompt_suffix": "task: a better one",
        "seed": 7,
        "words": ["task", 3],
    }
    planned = plan("brand-new", image_input=("/a.png",), model_params=params)
    assert [(picture.argument, picture.place) for picture in planned.pictures] == [
        ("image_input", 0),
        ("model_params.image_urls", 0),
        ("model_params.image_urls", 2),
        ("model_params.mask_url", None),
    ]
    sent = planned.with_pictures(["https://u/1", "https://u/2", "https://u/3", "https://u/4"]).input
    assert sent["image_urls"] == ["https://u/2", "https://example.com/a.png", "https://u/3"]
    assert (sent["mask_url"], sent["seed"]) == ("https://u/4", 7)


def test_every_picture_of_a_plan_is_known_with_its_limits(plan):
    planned = plan(
        "ideogram/character-edit",
        image_input=("/a.png",),
        model_params={"mask_url": "/mask.png", "reference_image_urls": ["/1.png", "https://example.com/2.png"]},
    )
    limits = (10 * 1024 * 1024, ("image/jpeg", "image/png", "image/webp"))
    assert planned.pictures == (
        InputPicture("image_url", None, "/a.png", "image_input", *limits),
        InputPicture("mask_url", None, "/mask.png", "model_params.mask_url", *limits),
        InputPicture("reference_image_urls", 0, "/1.png", "model_params.reference_image_urls", *limits),
        InputPicture(
            "reference_image_urls", 1, "https://example.com/2.png", "model_params.reference_image_urls", *limits
        ),
    )
