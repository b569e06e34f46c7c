"""Options made from the tools' schemas."""

from __future__ import annotations

import argparse

import pytest

from kie_mcp.cli.options import add_options, arguments_from, finite
from kie_mcp.tools import TOOLS

TOOL = next(tool for tool in TOOLS if tool.name == "generate_visual")


def read(*words, tool=TOOL):
    parser = argparse.ArgumentParser()
    add_options(parser, tool, leave_out={"prompt"})
    return arguments_from(parser.parse_args(words), tool)


def test_what_is_not_given_is_left_out():
    assert read() == {}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_argument_of_every_tool_becomes_an_option(tool):
    parser = argparse.ArgumentParser()
    add_options(parser, tool)
    shown = parser.format_help()
    assert all(f"--{name.replace('_', '-')} " in shown for name in tool.input_schema["properties"])


def test_an_argument_that_is_left_out_has_no_option():
    with pytest.raises(SystemExit):
        read("--prompt", "x")


def test_each_type_is_read_as_its_own():
    assert read("--poll-timeout-seconds", "1.5", "--output-format", "png", "--style", "ink") == {
        "poll_timeout_seconds": 1.5,
        "output_format": "png",
        "style": "ink",
    }


def test_a_list_is_given_one_by_one():
    assert read("--image-input", "a", "--image-input", "b") == {"image_input": ["a", "b"]}


def test_a_switch_can_be_turned_both_ways():
    assert read("--wait-for-result") == {"wait_for_result": True}
    assert read("--no-wait-for-result") == {"wait_for_result": False}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("true", True),
        ("soft", "soft"),
        ("", ""),
        ("a=b", "a=b"),
        ("NaN", "NaN"),
        ("[1]", [1]),
        ("[" * 99_999, "[" * 99_999),
    ],
)
def test_further_inputs_are_json_where_they_can_be(text, value):
    assert read("--model-params", f"name={text}") == {"model_params": {"name": value}}


def test_further_inputs_are_given_one_by_one():
    assert read("--model-params", "a=1", "--model-params", "b=2") == {"model_params": {"a": 1, "b": 2}}


def test_defaults_and_percent_signs_of_a_schema_reach_the_help():
    class Odd:
        input_schema = {"properties": {"part": {"type": "number", "description": "in %", "default": 50}}}  # noqa: RUF012 - as a schema is

    parser = argparse.ArgumentParser()
    add_options(parser, Odd())
    assert "in %; default 50" in parser.format_help()


@pytest.mark.parametrize("text", ["inf", "-Infinity", "nan", "", "1,5"])
def test_a_number_is_finite(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number"):
        finite(text)
