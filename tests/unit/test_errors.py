"""The tree of errors is the one that its docstring draws, and errors carry data."""

from __future__ import annotations

import inspect
import re

import pytest

from kie_mcp import errors
from kie_mcp.errors import (
    LONGEST_TEXT,
    CancelledError,
    ConfigError,
    KieMcpError,
    NoResourceError,
    RateLimitError,
    ServerError,
    TaskFailedError,
)

RETRYABLE = {
    "RateLimitError",
    "NetworkError",
    "NotConnectedError",
    "ServerError",
    "NotAcceptedError",
    "UnclearAnswerError",
    "CancelledError",
}


def every_class():
    found = inspect.getmembers(errors, lambda item: inspect.isclass(item) and issubclass(item, KieMcpError))
    return {name: cls for name, cls in found if cls.__module__ == errors.__name__}


def drawn():
    """Name, parent and category of each line of the tree in the docstring."""
    parents, lines = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    (?P<branch>[│├└─ ]*)(?P<name>\w+Error) +(?P<category>[a-z_]+)(?: {2,}|$)", line)
        if match:
            depth = len(match["branch"]) // 4
            parents[depth] = match["name"]
            lines.append((match["name"], parents.get(depth - 1, "Exception"), match["category"]))
    return sorted(lines)


def test_the_drawn_tree_is_the_real_one():
    real = sorted((name, cls.__bases__[0].__name__, cls.category) for name, cls in every_class().items())
    assert drawn() == real


def test_every_error_has_a_category_of_the_contract(error_schema):
    categories = error_schema["properties"]["category"]["enum"]
    assert {cls.category for cls in every_class().values()} == set(categories)


def test_asking_again_is_offered_only_where_it_can_help():
    assert {name for name, cls in every_class().items() if cls.retryable} == RETRYABLE


@pytest.mark.parametrize("cls", [cls for cls in every_class().values() if cls is not NoResourceError])
def test_every_error_says_what_to_do(cls):
    shown = cls("what is wrong").as_dict()
    assert shown == {
        "category": cls.category,
        "message": "what is wrong",
        "retryable": cls.retryable,
        "next_step": cls.next_step,
    }
    assert shown["next_step"].endswith(".")
    assert str(cls("what is wrong")) == "what is wrong"


def test_a_resource_that_is_not_there_is_named():
    error = NoResourceError("file:///nope.png")
    assert (error.uri, error.message) == ("file:///nope.png", "Resource not found")
    assert "resources/list" in error.next_step


def test_the_code_and_the_task_are_shown_where_they_are_known():
    shown = TaskFailedError("it failed", code="422", task_id="t1", retryable=True, next_step="Ask again.").as_dict()
    assert shown == {
        "category": "task_failed",
        "message": "it failed",
        "retryable": True,
        "next_step": "Ask again.",
        "code": "422",
        "task_id": "t1",
    }


def test_a_code_of_zero_is_a_code():
    assert ConfigError("odd", code=0).as_dict()["code"] == 0


@pytest.mark.parametrize("cls", [RateLimitError, ServerError])
def test_the_wait_that_a_server_asked_for_is_kept_but_not_shown(cls):
    error = cls("too many", retry_after=2.5, code=429)
    assert error.retry_after == 2.5
    assert error.code == 429
    assert "retry_after" not in error.as_dict()


def test_one_error_can_differ_from_its_class_without_changing_it():
    assert not CancelledError("stopped", retryable=False).as_dict()["retryable"]
    assert CancelledError.retryable


def test_no_text_of_an_error_is_longer_than_anybody_reads():
    error = TaskFailedError("m" * 100_000, next_step="n" * 100_000, task_id="t" * 100_000)
    assert [len(error.as_dict()[name]) for name in ("message", "next_step", "task_id")] == [LONGEST_TEXT] * 3
    assert str(error) == error.message
    assert KieMcpError("b" * 9_000 + "e" * 9_000).message == "b" * 1_499 + "…" + "e" * 500
    assert error.task_id == "t" * 100_000
