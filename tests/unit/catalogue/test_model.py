"""What a model file says: choices, limits, prices."""

import pytest

from kie_mcp.catalogue.model import Returns


def test_what_a_model_accepts_is_said_in_the_callers_words(catalogue):
    assert catalogue.find("seedream/4.5-text-to-image").accepts() == {
        "aspect_ratios": ["1:1", "4:3", "3:4", "16:9", "9:16", "2:3", "3:2", "21:9"],
        "resolutions": ["2K", "4K"],
        "output_formats": [],
        "max_images": 0,
        "other": ["nsfw_checker"],
    }
    assert catalogue.find("nano-banana-pro").accepts()["output_formats"] == ["png", "jpg", "jpeg"]
    assert catalogue.find("qwen/text-to-image").accepts()["aspect_ratios"] == ["1:1", "3:4", "9:16", "4:3", "16:9"]


def test_an_older_name_of_a_field_is_no_further_input(catalogue):
    assert catalogue.find("google/nano-banana").accepts()["other"] == ["nsfw_checker"]


def test_the_limits_of_input_pictures_are_known(catalogue):
    model = catalogue.find("google/nano-banana-edit")
    assert (model.max_images, model.image_required) == (10, True)
    assert model.picture_limits("image_urls") == (10 * 1024 * 1024, ("image/jpeg", "image/png", "image/webp"))
    assert not catalogue.find("nano-banana-pro").image_required


def test_a_model_without_pictures_has_no_limits_for_them(catalogue):
    model = catalogue.find("z-image")
    assert (model.max_images, model.image_required, model.picture_fields) == (0, False, frozenset())


def test_every_input_that_holds_urls_takes_pictures(catalogue):
    model = catalogue.find("ideogram/character-edit")
    assert model.picture_fields == {"image_url", "mask_url", "reference_image_urls"}
    assert (model.is_list("image_url"), model.is_list("reference_image_urls")) == (False, True)
    assert catalogue.find("wan/2-7-image").picture_limits("input_urls") == (None, ())


def test_what_a_model_returns_is_one_picture_unless_its_file_says_more(catalogue):
    assert catalogue.find("nano-banana-pro").returns == Returns()
    assert catalogue.find("grok-imagine/text-to-image").returns == Returns(pictures=2)
    assert catalogue.find("wan/2-7-image").returns == Returns(pictures=4, count_field="n")
    assert catalogue.find("grok-imagine-image-2-0/segment-map").returns == Returns(pictures=0, data=True)


def test_a_model_that_needs_more_than_a_prompt_does_not_work_on_one(catalogue):
    assert catalogue.find("flux-2/pro-text-to-image").works_on_a_prompt
    assert not catalogue.find("grok-imagine-image-2-0/segment-edit").works_on_a_prompt
    assert not catalogue.find("seedream/4.5-edit").works_on_a_prompt
    assert not catalogue.find("recraft/crisp-upscale").works_on_a_prompt


def test_a_single_picture_field_takes_one_and_an_open_list_the_usual_number(odd):
    assert odd.find("odd/upscale").max_images == 1
    assert odd.find("odd/several").max_images == 10


def test_an_estimate_counts_the_pictures_that_go_in_and_come_out(odd):
    model = odd.find("odd/several")
    assert model.estimate({"n": 2, "input_urls": ["a", "b"]}) == pytest.approx(10.1)
    assert odd.find("odd/upscale").estimate({"image": "https://example.com/a.png"}) == 0.5
    assert odd.find("odd/character").estimate({}) == 12
