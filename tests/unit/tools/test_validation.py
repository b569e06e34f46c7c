"""What is said of arguments that do not fit: what is wrong, with what value, and what is right."""

from __future__ import annotations

import pytest

from kie_mcp.tools.validation import misfits_of, shown, told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"promt": "a fox"}, "Unknown argument 'promt'. Did you mean 'prompt'?"),
        ({"promt": "a fox"}, "'prompt' is missing."),
        ({"prompt": "a", "size": "1:1"}, "Known arguments: prompt, style, platform"),
        ({"prompt": 7}, "'prompt' is 7; it must be a string."),
        ({"prompt": None}, "'prompt' is null; it must be a string."),
        ({"prompt": ""}, "'prompt' is \"\"; it must be at least 1 character long."),
        ({"prompt": "a", "wait_for_result": "yes"}, "'wait_for_result' is \"yes\"; it must be true or false."),
        ({"prompt": "a", "output_format": "gif"}, "it must be one of png, jpeg, jpg, webp."),
        ({"prompt": "a", "image_input": "https://a/b.png"}, "'image_input' is \"https://a/b.png\"; it must be a list."),
        ({"prompt": "a", "image_input": ["https://a", 5]}, "'image_input[1]' is 5; it must be a string."),
        ({"prompt": "a", "model_params": [1]}, "'model_params' is [1]; it must be an object."),
        ({"prompt": "a", "poll_interval_seconds": 0}, "'poll_interval_seconds' is 0; it must be above 0."),
        ({"prompt": "a", "poll_timeout_seconds": "60"}, "it must be a number."),
        ({"prompt": "a", "callback_url": "example.com"}, "it must be an http or https URL with a host."),
        ({"prompt": "   "}, "'prompt' is missing or empty: say what the picture shows."),
        ({"prompt": "a", "poll_timeout_seconds": 10**400}, "it must be at most 1000000000 seconds."),
        ({"prompt": "a", "poll_interval_seconds": float("nan")}, "'poll_interval_seconds' is NaN; it must be at most"),
    ],
)
def test_arguments_that_do_not_fit_a_picture_are_explained(tools, kie, arguments, expected):
    error = tools.error("generate_visual", **arguments)
    assert error["category"] == "input"
    assert error["retryable"] is False
    assert "Correct the named argument" in error["next_step"]
    assert expected in error["message"]
    assert kie.bodies == []


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("get_visual_task", {}, "'task_id' is missing."),
        ("get_visual_task", {"task_id": "t", "wait_seconds": -1}, "'wait_seconds' is -1; it must be at least 0."),
        ("get_visual_task", {"task_id": "t", "wait_seconds": 1e300}, "it must be at most 1000000000 seconds."),
        ("get_visual_task", {"taskid": "t"}, "Did you mean 'task_id'?"),
        ("generate_visual_batch", {"items": []}, "'items' is []; it must be a list of at least 1."),
        ("generate_visual_batch", {"items": 5}, "'items' is 5; it must be a list or a string."),
        ("generate_visual_batch", {"items": [{"prompt": "a"}], "max_workers": 101}, "it must be at most 100."),
        ("generate_visual_batch", {"items": [{"prompt": "a"}], "max_workers": 0}, "it must be at least 1."),
        ("generate_visual_batch", {"items": [{"prompt": "a"}], "max_workers": 2.5}, "it must be a whole number."),
        ("generate_visual_batch", {"items": [{"prompt": "a"}], "default_styl": "x"}, "Did you mean 'default_style'?"),
        ("list_visual_tasks", {"status": "done"}, "it must be one of running, submitting"),
        ("list_visual_tasks", {"limit": 500}, "'limit' is 500; it must be at most 200."),
        ("get_credits", {"currency": "EUR"}, "Unknown argument 'currency'. There are no arguments."),
        ("describe_imager_interface", {"verbose": True}, "There are no arguments."),
        ("create_visual_task", {"prompt": "a", "output_path": "x.png"}, "Unknown argument 'output_path'."),
    ],
)
def test_arguments_that_do_not_fit_other_tools_are_explained(tools, name, arguments, expected):
    error = tools.error(name, **arguments)
    assert error["category"] == "input"
    assert expected in error["message"]


def test_several_mistakes_are_told_at_once(tools):
    message = tools.error("generate_visual", promt="a", wait_for_result=1, output_format="gif")["message"]
    assert all(word in message for word in ("'promt'", "'prompt' is missing", "'wait_for_result' is 1", "'gif'"[1:-1]))


def test_many_mistakes_are_told_in_part(tools):
    message = tools.error("generate_visual", prompt="a", image_input=[1, 2, 3, 4, 5, 6, 7, 8])["message"]
    assert message.count("must be a string") == 5
    assert message.endswith("And 3 more.")


def test_whole_numbers_written_with_a_point_are_whole_numbers(tools):
    batch = tools.call("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}], max_workers=2.0)
    assert batch["succeeded"] == 2
    assert len(tools.call("list_visual_tasks", limit=1.0)["tasks"]) == 1


def test_a_long_value_is_cut():
    assert len(shown("x" * 1000)) == 80
    assert shown({"a": object()}).startswith('{"a": "<object')


def test_the_value_itself_can_be_wrong():
    assert told(misfits_of({"type": "object"}, 5)) == "The value is 5; it must be an object."


def test_a_rule_without_words_of_its_own_is_named():
    assert told(misfits_of({"multipleOf": 3}, 5)) == "The value is 5; it must be as multipleOf 3 says."


def test_a_place_deep_inside_is_named_in_full():
    schema = {"properties": {"a": {"items": {"properties": {"b": {"type": "integer"}}}}}}
    assert told(misfits_of(schema, {"a": [{}, {"b": "x"}]})) == "'a[1].b' is \"x\"; it must be a whole number."
