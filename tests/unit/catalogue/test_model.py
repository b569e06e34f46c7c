"""What a model file says: choices, limits, prices."""

import pytest

from kie_mcp.catalogue.model import Price


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
    assert model.image_limits() == (10 * 1024 * 1024, ("image/jpeg", "image/png", "image/webp"))
    assert not catalogue.find("nano-banana-pro").image_required


def test_a_model_without_pictures_has_no_limits_for_them(catalogue):
    model = catalogue.find("z-image")
    assert (model.max_images, model.image_required, model.image_limits()) == (0, False, (None, ()))


def test_a_single_picture_field_takes_one_and_an_open_list_the_usual_number(odd):
    assert odd.find("recraft/crisp-upscale").max_images == 1
    assert odd.find("wan/2-7-image").max_images == 10


@pytest.mark.parametrize(
    ("price", "values", "pictures", "price_in_credits"),
    [
        ({}, {}, 0, None),
        ({"credits": 4}, {}, 3, 4),
        ({"credits": 18, "by": {"field": "resolution", "credits": {"4K": 24}}}, {"resolution": "4K"}, 0, 24),
        ({"credits": 18, "by": {"field": "resolution", "credits": {"4K": 24}}}, {}, 0, 18),
        ({"credits": 4, "by": {"field": "pro", "credits": {"true": 5}}}, {"pro": True}, 0, 5),
        ({"by": {"field": "quality", "credits": {"high": 22}}}, {"quality": "low"}, 0, None),
        ({"credits": 5, "times": "num_images"}, {"num_images": "3"}, 0, 15),
        ({"credits": 5, "times": "n"}, {}, 0, 5),
        ({"credits": 7, "per_image": {"credits": 0.5, "free": 1}}, {}, 3, 8),
        ({"credits": 7, "per_image": {"credits": 0.5, "free": 1}}, {}, 0, 7),
    ],
)
def test_a_price_follows_the_fields_that_set_it(price, values, pictures, price_in_credits):
    assert Price.from_json(price).estimate(values, pictures) == price_in_credits


def test_an_estimate_counts_the_pictures_that_go_in_and_come_out(odd):
    model = odd.find("wan/2-7-image")
    assert model.estimate({"n": 2, "input_urls": ["a", "b"]}) == pytest.approx(10.1)
    assert odd.find("recraft/crisp-upscale").estimate({"image": "https://example.com/a.png"}) == 0.5
    assert odd.find("ideogram/character").estimate({}) == 12
