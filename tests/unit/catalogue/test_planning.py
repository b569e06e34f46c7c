"""From a wish to an input."""

import pytest

from kie_mcp.catalogue import Wish
from kie_mcp.errors import InputError

SEEDREAM = "seedream/4.5-text-to-image"
QWEN = "qwen/text-to-image"


def test_a_prompt_alone_is_sent_alone(plan):
    planned = plan("nano-banana-pro")
    assert planned.input == {"prompt": "a cat"}
    assert (planned.model, planned.known, planned.prompt) == ("nano-banana-pro", True, "a cat")
    assert (planned.warnings, planned.estimated_credits) == ((), 18)


def test_every_common_argument_goes_to_the_models_own_field(plan):
    planned = plan("google/nano-banana-edit", aspect_ratio="16:9", output_format="jpg", image_input=("/a.png",))
    assert planned.input == {
        "prompt": "a cat",
        "aspect_ratio": "16:9",
        "output_format": "jpeg",
        "image_urls": ["/a.png"],
    }


@pytest.mark.parametrize(("asked", "sent"), [("png", "png"), ("jpg", "jpg"), ("jpeg", "jpg")])
def test_a_format_is_sent_in_the_models_own_word(plan, asked, sent):
    assert plan("nano-banana-2", output_format=asked).input["output_format"] == sent


def test_a_shape_is_sent_as_the_name_of_a_size_where_the_model_has_names(plan):
    assert plan(QWEN, aspect_ratio="3:4").input["image_size"] == "portrait_4_3"
    assert plan("qwen2/text-to-image", aspect_ratio="3:4").input["image_size"] == "3:4"


@pytest.mark.parametrize(("asked", "sent", "price_in_credits"), [("2k", "2K", 12), ("4K", "4K", 18), (None, None, 8)])
def test_a_resolution_may_be_written_in_any_case_and_sets_the_price(plan, asked, sent, price_in_credits):
    planned = plan("nano-banana-2", resolution=asked)
    assert planned.input.get("resolution") == sent
    assert planned.estimated_credits == price_in_credits


def test_a_resolution_is_sent_as_a_quality_where_the_model_has_that(plan):
    assert plan(SEEDREAM, resolution="4K").input["quality"] == "high"
    assert plan(SEEDREAM, resolution="2K").input["quality"] == "basic"


def test_what_the_model_requires_is_sent_where_the_caller_gave_nothing(plan):
    assert plan(SEEDREAM).input == {"prompt": "a cat", "aspect_ratio": "1:1", "quality": "basic"}
    assert plan("gpt-image/1.5-text-to-image", model_params={"quality": "high"}).estimated_credits == 22


def test_one_picture_is_made_unless_more_are_asked_for(odd):
    assert odd.plan(Wish("a cat", "odd/several")).input == {"prompt": "a cat", "n": 1}
    more = odd.plan(Wish("a cat", "odd/several", model_params={"n": 4}))
    assert (more.input["n"], more.estimated_credits) == (4, pytest.approx(19.2))


def test_a_field_without_a_list_of_values_takes_what_was_written(odd):
    assert odd.plan(Wish("a cat", "odd/several", aspect_ratio="5:7")).input["aspect_ratio"] == "5:7"


def test_a_negative_prompt_goes_where_the_model_has_a_field_for_it(plan):
    planned = plan(QWEN, negative_prompt="dogs")
    assert planned.input == {"prompt": "a cat", "negative_prompt": "dogs"}
    assert plan("z-image", negative_prompt="dogs").input["prompt"] == "a cat\n\nAvoid: dogs"


def test_further_inputs_are_sent_as_they_are(plan):
    assert plan(QWEN, model_params={"seed": 7}).input == {"prompt": "a cat", "seed": 7}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"sed": 7}, "Did you mean 'seed'?"),
        ({"aspect_ratio": "1:1"}, "Give it as the argument aspect_ratio instead."),
        ({"style": "ink"}, "Give it as the argument style instead."),
        ({"seed": "seven"}, "seed has to be an integer, not 'seven'."),
        ({"image_size": "16:9"}, "image_size '16:9' is not accepted"),
    ],
)
def test_a_further_input_that_cannot_be_used_is_refused(refusal, params, words):
    assert words in refusal(QWEN, model_params=params)


@pytest.mark.parametrize(
    ("model", "wish", "words"),
    [
        (SEEDREAM, {"resolution": "4K", "model_params": {"quality": "basic"}}, "model_params.quality is 'basic'"),
        ("google/nano-banana", {"aspect_ratio": "1:1", "model_params": {"image_size": "16:9"}}, "Give only one"),
        ("nano-banana-pro", {"model_params": {"prompt": "a dog"}}, "model_params.prompt is 'a dog'"),
        ("nano-banana-pro", {"image_input": ("a",), "model_params": {"image_input": ["b"]}}, "Give only one"),
        (QWEN, {"negative_prompt": "a", "model_params": {"negative_prompt": "b"}}, "Give only one"),
        ("new-model", {"resolution": "1K", "model_params": {"resolution": "2K"}}, "Give only one"),
        ("new-model", {"model_params": {"prompt": "a dog"}}, "Give only one"),
    ],
)
def test_two_values_for_one_field_are_refused(refusal, model, wish, words):
    assert words in refusal(model, **wish)


def test_two_names_of_one_input_are_refused_where_they_differ_and_become_one_where_not(plan, refusal):
    both = {"image_size": "16:9", "aspect_ratio": "1:1"}
    assert refusal("google/nano-banana", model_params=both) == (
        "model_params.aspect_ratio is '1:1', but model_params.image_size is '16:9', and both set the same input."
        " Give only one of them."
    )
    planned = plan("google/nano-banana", aspect_ratio="16:9", model_params={"image_size": "16:9"})
    assert planned.input == {"prompt": "a cat", "aspect_ratio": "16:9"}


def test_the_same_value_given_twice_is_fine(plan):
    assert plan(SEEDREAM, resolution="4K", model_params={"quality": "high"}).input["quality"] == "high"
    planned = plan("nano-banana-pro", style="ink", model_params={"prompt": "a cat"})
    assert planned.input == {"prompt": "a cat\n\nStyle: ink"}


URL = "https://pictures.example/b.png"


def test_prompt_and_pictures_may_come_as_further_inputs(plan):
    planned = plan("google/nano-banana-edit", prompt="", model_params={"prompt": "a dog", "image_urls": [URL]})
    assert planned.input == {"prompt": "a dog", "image_urls": [URL]}
    assert [(picture.text, picture.argument) for picture in planned.pictures] == [(URL, "model_params.image_urls")]


@pytest.mark.parametrize(("resolution", "ratio"), [("2K", "1:1"), ("4K", "3:2")])
def test_a_shape_that_the_size_requires_is_set_and_told(plan, resolution, ratio):
    planned = plan("gpt-image-2-text-to-image", resolution=resolution)
    assert planned.input == {"prompt": "a cat", "resolution": resolution, "aspect_ratio": ratio}
    assert planned.warnings == (f"aspect_ratio was set to {ratio}: gpt-image-2-text-to-image requires one here.",)


def test_a_misspelt_platform_is_told(plan):
    planned = plan("nano-banana-pro", platform="Linkdin")
    assert "aspect_ratio" not in planned.input
    assert planned.warnings == (
        "The platform 'Linkdin' is not known, so it sets no aspect ratio. Did you mean 'linkedin'?",
    )


@pytest.mark.parametrize("written", [" nano-banana-pro", "Nano-Banana-Pro", "nano-banana-pro\n"])
def test_an_id_is_found_however_it_is_written(plan, written):
    planned = plan(written)
    assert (planned.model, planned.known) == ("nano-banana-pro", True)


def test_an_empty_prompt_is_a_missing_one(refusal):
    assert refusal("nano-banana-pro", prompt="") == "prompt is required by nano-banana-pro."


def test_a_prompt_that_is_too_long_with_its_additions_names_both_lengths(refusal):
    message = refusal("qwen2/text-to-image", prompt="x" * 795, style="ink")
    assert message == "prompt has 807 characters; qwen2/text-to-image accepts at most 800."


def test_a_missing_field_is_named_with_the_argument_that_sets_it(odd):
    with pytest.raises(InputError, match=r"size is required by odd/either\. Give it as aspect_ratio\."):
        odd.plan(Wish("a cat", "odd/either"))


def test_fields_that_do_not_go_together_are_refused(refusal):
    assert "does not go with resolution '4K'" in refusal(
        "gpt-image-2-text-to-image", aspect_ratio="1:1", resolution="4k"
    )


def test_a_model_without_a_prompt_does_not_get_one(odd):
    planned = odd.plan(Wish("sharper", "odd/upscale", platform="mars", image_input=("/a.png",)))
    assert planned.input == {"image": "/a.png"}
    assert planned.prompt == "sharper"


@pytest.mark.parametrize("wish", [{"style": "ink"}, {"negative_prompt": "dogs"}])
def test_a_model_without_a_prompt_refuses_what_only_a_prompt_could_carry(odd, wish):
    with pytest.raises(InputError, match="takes no prompt"):
        odd.plan(Wish("x", "odd/upscale", image_input=("/a.png",), **wish))


def test_uploaded_pictures_take_the_place_of_local_ones(plan, odd):
    planned = plan("nano-banana-pro", image_input=("/a.png", "/b.png"))
    assert [(picture.text, picture.place) for picture in planned.pictures] == [("/a.png", 0), ("/b.png", 1)]
    assert planned.with_pictures(["https://u/1", "https://u/2"]).input["image_input"] == ["https://u/1", "https://u/2"]
    assert planned.input["image_input"] == ["/a.png", "/b.png"]
    single = odd.plan(Wish("", "odd/upscale", image_input=("/a.png",)))
    assert [(picture.text, picture.place) for picture in single.pictures] == [("/a.png", None)]
    assert single.with_pictures(["https://u/1"]).input == {"image": "https://u/1"}


def test_pictures_and_links_are_not_mixed_up(plan):
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        plan("nano-banana-pro", image_input=("/a.png", "/b.png")).with_pictures(["https://u/1"])


def test_a_plan_without_pictures_stays_as_it_is(plan):
    for planned in (plan("z-image"), plan("nano-banana-pro")):
        assert planned.pictures == ()
        assert planned.with_pictures([]) == planned


def test_an_unknown_model_gets_the_common_body_and_a_warning(plan):
    planned = plan(
        "nano-bananna-pro",
        negative_prompt="dogs",
        aspect_ratio="7:3",
        resolution="8K",
        output_format="png",
        image_input=("/a.png",),
        model_params={"q": 1},
    )
    assert planned.input == {
        "prompt": "a cat\n\nAvoid: dogs",
        "aspect_ratio": "7:3",
        "resolution": "8K",
        "output_format": "png",
        "image_input": ["/a.png"],
        "q": 1,
    }
    assert (planned.known, planned.estimated_credits) == (False, None)
    assert planned.with_pictures(["https://u/1"]).input["image_input"] == ["https://u/1"]
    (warning,) = planned.warnings
    assert warning == (
        "'nano-bananna-pro' is not in the list of models, so Kie decides."
        " Did you mean 'nano-banana-pro' or 'nano-banana-2' or 'nano-banana-2-1'?"
    )


def test_an_unknown_model_like_no_other_is_sent_as_it_is(plan):
    planned = plan("xyz", prompt="", model_params={"task_id": "1"})
    assert planned.input == {"task_id": "1"}
    assert planned.warnings == ("'xyz' is not in the list of models, so Kie decides.",)


def test_what_a_model_needs_beside_a_picture_is_named_with_the_place_to_give_it(refusal):
    assert refusal("ideogram/v3-edit", image_input=("/a.png",)) == (
        "mask_url is required by ideogram/v3-edit. Give it as model_params.mask_url."
    )


def test_a_choice_between_inputs_is_told_in_the_callers_words(refusal):
    assert refusal("grok-imagine-image-2-0/segment-map") == (
        "grok-imagine-image-2-0/segment-map needs exactly one of: task_id, image_url. "
        "Give task_id as model_params.task_id or image_url as image_input."
    )


@pytest.mark.parametrize(
    ("model", "wish", "message"),
    [
        (
            "wan/2-7-image-pro",
            {"resolution": "4K", "image_input": ("/a.png",)},
            "input_urls ['/a.png'] does not go with resolution '4K'; none of them does. It is given as image_input.",
        ),
        (
            "wan/2-7-image-pro",
            {"resolution": "4K", "model_params": {"thinking_mode": True}},
            (
                "thinking_mode true does not go with resolution '4K'; only false does."
                " It is given as model_params.thinking_mode."
            ),
        ),
        (
            "qwen2-1/image-to-image",
            {"image_input": ("/a.png", "/b.png"), "model_params": {"mask_url": "/m.png"}},
            (
                "image_urls ['/a.png', '/b.png'] does not go with mask_url '/m.png'; at most 1 of them does."
                " It is given as image_input."
            ),
        ),
        (
            "flux1-kontext",
            {"image_input": ("/a.png",), "model_params": {"safety_tolerance": 5}},
            (
                "safety_tolerance 5 does not go with input_image '/a.png'; at most 2 does."
                " It is given as model_params.safety_tolerance."
            ),
        ),
        (
            "gpt-image-2-text-to-image",
            {"resolution": "2K", "model_params": {"background": "transparent"}},
            (
                "resolution '2K' does not go with background 'transparent'; with it, "
                "gpt-image-2-text-to-image accepts: 1K."
            ),
        ),
    ],
)
def test_inputs_that_clash_are_told_with_what_would_go(refusal, model, wish, message):
    assert refusal(model, **wish) == message


@pytest.mark.parametrize("number", [0, -3, 13])
def test_a_number_of_pictures_that_is_none_is_refused(refusal, number):
    assert "n " in refusal("wan/2-7-image", model_params={"n": number})


def test_what_a_model_lists_and_does_not_make_is_neither_offered_nor_sent(catalogue, refusal):
    assert catalogue.find("wan/2-7-image").choices("resolution") == ["1K", "2K"]
    assert refusal("wan/2-7-image", resolution="4K") == (
        "wan/2-7-image does not do resolution '4K'. It accepts: 1K, 2K."
    )


def test_what_is_billed_by_the_piece_costs_one_piece_at_least(plan):
    planned = plan("seedream/5-pro-layer-decomposition", image_input=("/a.png",), resolution="2K")
    assert (planned.estimated_credits, planned.least_credits) == (None, 14)
