"""``prompts/list`` and ``prompts/get``, and the prompts themselves."""

from __future__ import annotations

import json
import re

import pytest

from kie_mcp import prompts
from kie_mcp.completion import KINDS
from kie_mcp.context import CallContext
from kie_mcp.errors import InputError
from kie_mcp.prompts import get_prompt, list_prompts
from kie_mcp.schemas import load_prompts
from kie_mcp.tools import TOOLS

ALL = load_prompts()["prompts"]
PLAIN = {
    "name": "plain",
    "title": "Plain",
    "description": "For tests.",
    "arguments": [
        {"name": "one", "title": "One", "description": "The first", "required": True, "completes": "model"},
        {"name": "two", "title": "Two", "description": "The second", "required": False},
    ],
    "lines": ["First {one}, again {one}.", "", "Second {two} with {one}.", 'As JSON: {"two": 2} {} { }', "End"],
}


@pytest.fixture
def get(services, official):
    """The text of a prompt, held against the official definition."""

    def text(name, **arguments):
        params = {"name": name, "arguments": arguments}
        result = official("prompts/get", get_prompt(services, params, CallContext()))
        (message,) = result["messages"]
        assert message["role"] == "user"
        return message["content"]["text"]

    return text


@pytest.fixture
def plain(monkeypatch):
    """A prompt that is good for tests in the place of the bundled ones."""
    monkeypatch.setattr(prompts, "load_prompts", lambda: {"prompts": [PLAIN]})


def words_of(prompt):
    return set(re.findall(r"`([^`]+)`", " ".join(prompt["lines"])))


# the functions


def test_all_prompts_are_listed_as_mcp_has_them(services, official):
    listed = official("prompts/list", list_prompts(services, {}, CallContext()))
    assert [prompt["name"] for prompt in listed["prompts"]] == [prompt["name"] for prompt in ALL]
    for prompt in listed["prompts"]:
        assert set(prompt) == {"name", "title", "description", "arguments"}
        for argument in prompt["arguments"]:
            assert set(argument) == {"name", "title", "description", "required"}


def test_there_is_one_page(services):
    assert list_prompts(services, {"cursor": None}, CallContext())["prompts"]
    with pytest.raises(InputError, match=r"params\.cursor"):
        list_prompts(services, {"cursor": "x"}, CallContext())


def test_neither_makes_a_ledger(services, get):
    list_prompts(services, {}, CallContext())
    get("picture_set", subjects="foxes")
    assert not services.config.state_path.exists()


@pytest.mark.usefixtures("plain")
def test_values_stand_in_their_places_and_lines_of_others_are_left_out(get):
    assert get("plain", one="A") == 'First A, again A.\n\nAs JSON: {"two": 2} {} { }\nEnd'
    assert get("plain", one="A", two="B").splitlines()[2] == "Second B with A."


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    "value", ["{two}", "{one}", "{", "}}", "{0}", "{one.__class__}", "%s", "\\1", "\\g<0>", '{"a": 1}', "a\n\nb", "狐"]
)
def test_a_value_is_put_in_as_it_is(get, value):
    assert get("plain", one=value, two="B").startswith(f"First {value}, again {value}.\n\nSecond B with {value}.\n")


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_value_counts_as_not_given(get, blank):
    assert "Second" not in get("plain", one="A", two=blank)
    with pytest.raises(InputError, match="needs 'one'"):
        get("plain", one=blank)


def test_the_description_comes_along(services):
    result = get_prompt(services, {"name": "finish_my_pictures", "arguments": None}, CallContext())
    assert result["description"] == ALL[-1]["description"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, r"Unknown prompt null\. There are: picture_set, "),
        ({"name": 5}, "Unknown prompt 5"),
        ({"name": ["picture_set"]}, "Unknown prompt"),
        ({"name": "pictures_set"}, r"Unknown prompt 'pictures_set'\. Did you mean 'picture_set'\?"),
        ({"name": "x" * 10_000}, "Unknown prompt"),
        ({"name": "picture_set"}, "picture_set needs 'subjects'"),
        ({"name": "platform_picture", "arguments": {}}, "needs 'subject' and 'platform'"),
        ({"name": "picture_set", "arguments": []}, r"params\.arguments must be an object"),
        ({"name": "picture_set", "arguments": "foxes"}, r"params\.arguments must be an object"),
        ({"name": "picture_set", "arguments": {"subjects": 5}}, "'subjects' must be a text"),
        ({"name": "picture_set", "arguments": {"subjects": None}}, "'subjects' must be a text"),
        ({"name": "picture_set", "arguments": {"subjects": ["a"]}}, "'subjects' must be a text"),
        ({"name": "picture_set", "arguments": {"subject": "a"}}, "no argument 'subject'. Did you mean 'subjects'"),
    ],
)
def test_what_cannot_be_used_is_named(services, params, message):
    with pytest.raises(InputError, match=message) as caught:
        get_prompt(services, params, CallContext())
    assert len(caught.value.message) < 300


# the prompts


def test_names_are_unique():
    assert len({prompt["name"] for prompt in ALL}) == len(ALL) >= 4
    for prompt in ALL:
        names = [argument["name"] for argument in prompt["arguments"]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("prompt", ALL, ids=lambda prompt: prompt["name"])
def test_every_argument_is_used_and_every_place_has_its_argument(prompt):
    assert set(prompt) == {"name", "title", "description", "arguments", "lines"}
    declared = {argument["name"] for argument in prompt["arguments"]}
    assert set(re.findall(r"\{(\w+)\}", "\n".join(prompt["lines"]))) == declared
    for argument in prompt["arguments"]:
        assert argument.keys() - {"completes"} == {"name", "title", "description", "required"}
        assert argument.get("completes") in (None, *KINDS)


@pytest.mark.parametrize("prompt", ALL, ids=lambda prompt: prompt["name"])
def test_every_name_in_a_prompt_is_one_of_the_tools(prompt, tool_words):
    assert words_of(prompt) - tool_words == set()
    lines = re.sub(r"\{\w+\}", "", "\n".join(prompt["lines"]))
    assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", lines)) - tool_words == set()


@pytest.mark.parametrize("prompt", ALL, ids=lambda prompt: prompt["name"])
def test_every_prompt_says_how_nothing_is_paid_for_twice(prompt, tools_by_name):
    assert {"unknown_outcome", "list_visual_tasks", "get_visual_task"} <= words_of(prompt)
    assert words_of(prompt) & tools_by_name


SEVERAL = [prompt for prompt in ALL if "generate_visual_batch" in words_of(prompt) and "dry_run" in words_of(prompt)]


def test_what_can_cost_much_is_rehearsed_and_told_before():
    assert [prompt["name"] for prompt in SEVERAL] == ["picture_set", "picture_variations"]
    for prompt in SEVERAL:
        text = "\n".join(prompt["lines"])
        told = re.search(r"Where there are more than four.*, or they should cost more than 50 credits.*", text)
        assert "wait for my yes" in told[0]
        assert text.index("`dry_run` true") < text.index("`credits_estimated`") < text.index("without `dry_run`")
        assert prompt["description"].endswith("More than four, or more than 50 credits, are made only after your yes.")


def test_which_items_of_a_batch_are_fetched_and_which_asked_for_again_is_said_by_fields_that_tell_it():
    for prompt in SEVERAL:
        text = "\n".join(prompt["lines"])
        assert "An item with a `next_step` and no `error` goes on at Kie and is paid for" in text
        assert "ask again only for those whose `error` is `retryable`" in text
        assert "`status` is not `success`" not in text


def test_every_status_is_told_what_to_do_with_it():
    (tool,) = [tool for tool in TOOLS if tool.name == "list_visual_tasks"]
    states = {*tool.input_schema["properties"]["status"]["enum"]} - {"running"}
    assert {"submitting", "success"} < states <= words_of(ALL[-1])


def test_a_platform_that_is_not_known_is_given_its_shape(get, catalogue):
    text = get("platform_picture", subject="a fox", platform="etsy")
    assert "give the `aspect_ratio` that suits it" in text
    (named,) = re.findall(r"Well-known places, such as (\S+) or (\S+),", text)
    assert set(named) <= set(catalogue.platform_names())


@pytest.mark.parametrize("prompt", ALL, ids=lambda prompt: prompt["name"])
def test_every_prompt_can_be_filled_with_little_and_with_much(get, prompt):
    required = {argument["name"]: "A-1" for argument in prompt["arguments"] if argument["required"]}
    everything = {argument["name"]: f"<{argument['name']}>" for argument in prompt["arguments"]}
    for given in (required, everything):
        text = get(prompt["name"], **given)
        assert all(value in text for value in given.values())
        assert len(text) < 4000
        assert "{" not in text
        assert "\n\n\n" not in text


def test_every_kind_of_values_is_asked_for_somewhere():
    asked = {argument["completes"] for prompt in ALL for argument in prompt["arguments"] if "completes" in argument}
    assert asked == set(KINDS)


def test_styles_are_short_and_unique():
    styles = load_prompts()["styles"]
    assert styles == sorted(set(styles), key=str.lower)
    assert all(len(style) < 40 for style in styles)


def test_the_file_is_written_as_it_is_shown():
    assert json.dumps(ALL, ensure_ascii=False).isprintable()
