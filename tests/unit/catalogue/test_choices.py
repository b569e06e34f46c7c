"""Shape, resolution and format in the caller's words; platforms."""

import pytest

from kie_mcp.catalogue import Wish
from kie_mcp.errors import InputError


@pytest.mark.parametrize(
    ("written", "suggested"),
    [("7:3", "21:9"), ("16x9", "16:9"), ("16 / 9", "16:9"), ("1024x1024", "1:1"), ("0:1", "1:1")],
)
def test_a_shape_that_the_model_does_not_make_gets_the_nearest_and_the_list(refusal, written, suggested):
    message = refusal("nano-banana-pro", aspect_ratio=written)
    assert message == (
        f"nano-banana-pro does not do aspect_ratio {written!r}. Did you mean {suggested!r}?"
        " It accepts: 1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9, auto."
    )


@pytest.mark.parametrize("written", ["100:1", "wide", ""])
def test_a_shape_like_no_other_gets_the_list_only(refusal, written):
    assert "Did you mean" not in refusal("z-image", aspect_ratio=written)


def test_a_choice_that_the_model_does_not_have_is_refused_with_what_it_has(refusal):
    assert refusal("z-image", output_format="png") == (
        "z-image has no output_format, so 'png' cannot be asked of it."
        " It accepts: aspect_ratio (1:1, 4:3, 3:4, 16:9, 9:16); model_params (nsfw_checker)."
    )
    assert "model_params (quality)" in refusal("gpt-image/1.5-text-to-image", resolution="2K")


def test_a_model_without_any_choice_says_what_it_takes(odd):
    with pytest.raises(InputError, match=r"It accepts: image_input \(1 picture\)"):
        odd.plan(Wish("", "odd/upscale", aspect_ratio="1:1", image_input=("/a.png",)))


def test_a_format_that_the_model_does_not_write_is_refused(refusal):
    assert "does not do output_format 'webp'. It accepts: png, jpg, jpeg." in refusal(
        "nano-banana-pro", output_format="webp"
    )


@pytest.mark.parametrize("name", ["instagram-story", "Instagram Story", "INSTAGRAM_STORY", " instagram  story "])
def test_a_known_platform_sets_the_shape_however_it_is_written(plan, name):
    planned = plan("z-image", platform=name)
    assert planned.input["aspect_ratio"] == "9:16"
    assert planned.warnings == ()


def test_a_platform_takes_the_first_of_its_shapes_that_the_model_makes(plan):
    assert plan("nano-banana-pro", platform="instagram").input["aspect_ratio"] == "4:5"
    assert plan("z-image", platform="instagram").input["aspect_ratio"] == "1:1"
    assert plan("qwen/text-to-image", platform="pinterest").input["image_size"] == "portrait_4_3"


def test_a_platform_passes_over_a_shape_that_does_not_go_with_the_resolution(plan):
    model = "gpt-image-2-text-to-image"
    assert plan(model, platform="instagram").input["aspect_ratio"] == "4:5"
    assert plan(model, platform="instagram", resolution="2K").input["aspect_ratio"] == "1:1"
    assert plan(model, platform="instagram", resolution="4K").input["aspect_ratio"] == "3:4"


def test_a_shape_that_the_caller_gave_wins_over_the_platform(plan):
    assert plan("z-image", platform="tiktok", aspect_ratio="1:1").input["aspect_ratio"] == "1:1"
    assert plan("z-image", platform="tiktok", model_params={"aspect_ratio": "4:3"}).input["aspect_ratio"] == "4:3"


def test_a_shape_under_an_older_name_wins_over_the_platform(plan):
    planned = plan("google/nano-banana", platform="tiktok", model_params={"image_size": "1:1"})
    assert planned.input == {"prompt": "a cat\n\nPlatform: tiktok", "aspect_ratio": "1:1"}


@pytest.mark.parametrize(
    ("model", "given", "sent"),
    [
        ("qwen/text-to-image", {"aspect_ratio": "landscape_16_9"}, {"image_size": "landscape_16_9"}),
        ("qwen/text-to-image", {"aspect_ratio": "Square_HD"}, {"image_size": "square_hd"}),
        ("seedream/4.5-text-to-image", {"resolution": "high"}, {"quality": "high"}),
    ],
)
def test_the_models_own_word_will_do_as_well(plan, model, given, sent):
    assert sent.items() <= plan(model, **given).input.items()


def test_a_platform_that_the_model_has_no_shape_for_gets_a_warning(plan, odd):
    planned = plan("qwen/text-to-image", platform="Instagram Reel")
    assert planned.input["image_size"] == "portrait_16_9"
    upscaled = odd.plan(Wish("", "odd/upscale", platform="tiktok", image_input=("/a.png",)))
    assert upscaled.warnings == (
        "odd/upscale can make none of the aspect ratios for TikTok (9:16, 2:3): none was set.",
    )


def test_an_unknown_platform_goes_into_the_prompt_only(plan):
    planned = plan("nano-banana-pro", platform="A Billboard")
    assert planned.input == {"prompt": "a cat\n\nPlatform: A Billboard"}
    assert planned.warnings == ()
