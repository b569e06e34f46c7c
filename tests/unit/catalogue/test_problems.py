"""What is wrong with an input, in words that help."""

import pytest

GPT = "gpt-image-2-text-to-image"


@pytest.fixture
def found(catalogue, odd):
    """The problems of an input as (field, kind) pairs, and their messages."""

    def look(model_id, body, **options):
        model = catalogue.find(model_id) or odd.find(model_id)
        problems = model.problems(body, **options)
        return [(p.field, p.kind) for p in problems], " ".join(p.message for p in problems)

    return look


def test_a_minimal_input_has_no_problems(found):
    assert found("z-image", {"prompt": "x", "aspect_ratio": "1:1"}) == ([], "")


def test_every_missing_field_is_named_once(found):
    pairs, message = found("gpt-image/1.5-text-to-image", {})
    assert pairs == [("aspect_ratio", "missing"), ("prompt", "missing"), ("quality", "missing")]
    assert message.startswith("aspect_ratio is required by gpt-image/1.5-text-to-image.")


def test_an_unknown_field_gets_a_suggestion(found):
    pairs, message = found("qwen/text-to-image", {"prompt": "x", "sed": 1})
    assert pairs == [("sed", "unknown")]
    assert "Did you mean 'seed'?" in message


def test_an_unknown_field_is_tolerated_where_asked_and_the_rest_still_checked(found):
    assert found("z-image", {"prompt": "x", "aspect_ratio": "1:1", "q": 1}, tolerate_unknown=True)[0] == []
    assert found("z-image", {"prompt": "x", "q": 1}, tolerate_unknown=True)[0] == [("aspect_ratio", "missing")]
    wrong_together = {"prompt": "x", "resolution": "2K", "q": 1}
    assert found(GPT, wrong_together, tolerate_unknown=True)[0] == [("aspect_ratio", "conflict")]


@pytest.mark.parametrize(
    ("model", "body", "pair", "words"),
    [
        ("qwen/text-to-image", {"seed": "3"}, ("seed", "type"), "seed has to be an integer, not '3'."),
        ("qwen/text-to-image", {"seed": True}, ("seed", "type"), "an integer, not true"),
        ("odd/character", {"num_images": 2}, ("num_images", "type"), "a string, not 2. Did you mean '2'?"),
        ("odd/character", {"colors": 2}, ("colors", "type"), "colors has to be a list or null"),
        ("odd/character", {"colors": [{"hex": 1}]}, ("colors", "type"), "colors[0].hex has to be a string"),
        ("odd/character", {"strength": 2}, ("strength", "value"), "accepts at most 1."),
        ("odd/character", {"prompt": "x"}, ("prompt", "value"), "has 1 characters; odd/character needs"),
        ("odd/character", {"code": "7"}, ("code", "value"), "code '7' is not accepted"),
        ("odd/several", {"n": 0}, ("n", "value"), "accepts at least 1."),
        ("qwen/text-to-image", {"guidance_scale": 50}, ("guidance_scale", "value"), "accepts 0 to 20."),
        ("qwen/text-to-image", {"acceleration": "hihg"}, ("acceleration", "value"), "Did you mean 'high'?"),
        ("nano-banana-pro", {"image_input": ["u"] * 9}, ("image_input", "value"), "9 entries; nano-banana-pro accepts"),
        ("qwen2/text-to-image", {"prompt": "x" * 801}, ("prompt", "value"), "801 characters"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(found, model, body, pair, words):
    pairs, message = found(model, {"prompt": "a cat", **body})
    assert pairs == [pair]
    assert words in message


def test_a_long_value_is_cut_in_the_message(found):
    _, message = found("qwen/text-to-image", {"prompt": "x", "acceleration": "y" * 500})
    assert len(message) < 220


def test_local_paths_pass_where_the_schema_says_uri(found):
    assert found("nano-banana-pro", {"prompt": "x", "image_input": ["/tmp/a b.png"]})[0] == []


def test_a_shape_that_does_not_go_with_the_resolution_gets_the_ones_that_do(found):
    pairs, message = found(GPT, {"prompt": "x", "aspect_ratio": "1:1", "resolution": "4K"})
    assert pairs == [("aspect_ratio", "conflict")]
    assert message == (
        "aspect_ratio '1:1' does not go with resolution '4K'; with it, gpt-image-2-text-to-image accepts: "
        "3:2, 2:3, 4:3, 3:4, 16:9, 9:16, 2:1, 1:2, 21:9."
    )


@pytest.mark.parametrize("ratio", ["auto", "5:4", "4:5", "3:1", "1:3", "9:21"])
@pytest.mark.parametrize("resolution", ["2K", "4K"])
def test_some_shapes_are_made_at_1k_only(found, ratio, resolution):
    body = {"prompt": "x", "aspect_ratio": ratio}
    assert found(GPT, {**body, "resolution": resolution})[0] == [("aspect_ratio", "conflict")]
    assert found(GPT, {**body, "resolution": "1K"})[0] == found(GPT, body)[0] == []


def test_a_high_resolution_needs_a_shape(found):
    pairs, message = found(GPT, {"prompt": "x", "resolution": "2K"})
    assert pairs == [("aspect_ratio", "conflict")]
    assert message.startswith("aspect_ratio is required with resolution '2K'; with it,")


def test_a_background_goes_with_1k_only(found):
    assert found(GPT, {"prompt": "x", "background": "opaque"})[0] == []
    body = {"prompt": "x", "background": "opaque", "resolution": "2K", "aspect_ratio": "3:2"}
    pairs, message = found(GPT, body)
    assert pairs == [("resolution", "conflict")]
    assert "does not go with background 'opaque'; with it, gpt-image-2-text-to-image accepts: 1K." in message


def test_several_conflicts_are_one_problem_for_each_field(found):
    body = {"prompt": "x", "background": "opaque", "resolution": "4K", "aspect_ratio": "auto"}
    assert found(GPT, body)[0] == [("aspect_ratio", "conflict"), ("resolution", "conflict")]


def test_a_choice_of_required_fields_names_them(found):
    pairs, message = found("odd/either", {"size": "1:1"})
    assert pairs == [("prompt", "conflict")]
    assert message == "odd/either needs at least one of: prompt, files_url."
    assert "exactly one of: task_id, image_url" in found("segment-map", {"task_id": "a", "image_url": "b"})[1]


def test_a_field_that_depends_on_another_is_a_conflict(found):
    pairs, message = found("segment-map", {"image_url": "a", "mask": "b"})
    assert pairs == [("", "conflict")]
    assert "'task_id'" in message


def test_a_field_that_no_value_makes_right_has_no_list_of_values(found):
    pairs, message = found("segment-map", {"image_url": "a", "fast": True})
    assert pairs == [("fast", "conflict")]
    assert message == "fast true does not go with the other inputs."
