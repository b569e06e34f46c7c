"""Resources, prompts and completion: run like calls, told in the revision's words."""

from __future__ import annotations

import pytest

from kie_mcp.errors import ConfigError, InputError, NoResourceError

METHODS = [
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "completion/complete",
]
PICTURE = {
    "uri": "file:///pictures/fox.png",
    "name": "fox.png",
    "title": "A red fox",
    "annotations": {"audience": ["user"], "lastModified": "2026-11-22T10:00:00Z"},
}
PROMPT = {"name": "set", "title": "A set", "arguments": [{"name": "style", "title": "Style", "required": True}]}


def ask(harness, method="resources/list", **params):
    assert harness.ask_later(method, params) == []
    (answer,) = harness.run()
    return answer


def record(asked, feature):
    return lambda *of: asked.append(of) or feature(*of)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_asked_reaches_the_room_with_its_params(harness, method):
    asked = []
    harness.feature = record(asked, harness.feature)
    ask(harness, method, cursor="c")
    ((name, params, context),) = asked
    assert (name, params["cursor"], context.cancelled) == (method, "c", False)


@pytest.mark.parametrize("method", METHODS)
def test_a_request_without_params_asks_with_none(harness, method):
    asked = []
    harness.feature = record(asked, harness.feature)
    harness.say({"jsonrpc": "2.0", "id": 1, "method": method})
    harness.run()
    assert [params for _, params, _ in asked] == [{}]


@pytest.mark.parametrize(("revision", "titled"), [("2024-11-05", False), ("2025-03-26", False), ("2025-06-18", True)])
def test_titles_and_dates_are_told_where_the_revision_has_them(harness, revision, titled):
    harness.initialize(revision)
    plain = {"uri": PICTURE["uri"], "name": "fox.png", "annotations": {"audience": ["user"]}}
    harness.feature = lambda *_: {"resources": [PICTURE]}
    assert ask(harness)["result"] == {"resources": [PICTURE if titled else plain]}
    plain = {"name": "set", "arguments": [{"name": "style", "required": True}]}
    harness.feature = lambda *_: {"prompts": [PROMPT]}
    assert ask(harness, "prompts/list")["result"] == {"prompts": [PROMPT if titled else plain]}


@pytest.mark.parametrize(
    ("method", "cache"),
    [
        ("resources/list", {"ttlMs": 0, "cacheScope": "private"}),
        ("resources/read", {"ttlMs": 0, "cacheScope": "private"}),
        ("resources/templates/list", {"ttlMs": 300_000, "cacheScope": "public"}),
        ("prompts/list", {"ttlMs": 300_000, "cacheScope": "public"}),
        ("prompts/get", {}),
        ("completion/complete", {}),
    ],
)
def test_a_stateless_result_says_how_long_it_keeps(harness, envelope, method, cache):
    result = ask(harness, method, _meta=envelope)["result"]
    del result["_meta"]
    assert result == {"resultType": "complete", **harness.feature(method), **cache}


@pytest.mark.parametrize(("stateless", "code"), [(False, -32002), (True, -32602)])
def test_a_resource_that_is_not_there_has_the_code_of_its_era(harness, envelope, stateless, code):
    def refuse(*_):
        raise NoResourceError("file:///nope.png")

    harness.feature = refuse
    error = ask(harness, "resources/read", **({"_meta": envelope} if stateless else {}))["error"]
    assert error == {"code": code, "message": "Resource not found", "data": {"uri": "file:///nope.png"}}


def test_a_uri_that_is_very_long_is_not_repeated(harness):
    def refuse(*_):
        raise NoResourceError("file:///" + "x" * 1_000_000)

    harness.feature = refuse
    assert ask(harness, "resources/read")["error"] == {"code": -32002, "message": "Resource not found"}


def test_params_that_a_room_cannot_use_are_invalid(harness):
    def refuse(*_):
        raise InputError("params.cursor is 'x'.")

    harness.feature = refuse
    assert ask(harness)["error"] == {"code": -32602, "message": "params.cursor is 'x'."}


def test_what_a_room_cannot_do_says_why_and_what_helps(harness):
    def refuse(*_):
        raise ConfigError("KIE_AI_STATE_DIR cannot be written.")

    harness.feature = refuse
    error = ask(harness)["error"]
    assert (error["code"], error["message"]) == (-32603, "KIE_AI_STATE_DIR cannot be written.")
    assert error["data"]["category"] == "config"
    assert "next_step" in error["data"]


@pytest.mark.parametrize("raised", [RuntimeError("secret detail"), SystemExit(1)])
def test_an_unexpected_error_says_nothing_of_itself(harness, raised):
    def refuse(*_):
        raise raised

    harness.feature = refuse
    assert ask(harness)["error"] == {"code": -32603, "message": "Internal error"}
    assert harness.internal_errors == [raised]


def test_a_cancelled_request_is_not_answered_nor_begun(harness):
    asked = []
    harness.feature = record(asked, harness.feature)
    harness.ask_later("resources/read", {}, 7)
    assert harness.server.in_flight() == 1
    harness.cancel(7)
    assert harness.run() == []
    assert asked == []
    assert harness.server.wait_idle(0)


def test_the_answers_are_part_of_a_batch(harness):
    harness.initialize("2025-03-26")
    methods = ["prompts/list", "resources/list", "ping"]
    harness.say([{"jsonrpc": "2.0", "id": number, "method": method} for number, method in enumerate(methods)])
    (answers,) = harness.run()
    assert {answer["id"]: answer["result"] for answer in answers} == {0: {"prompts": []}, 1: {"resources": []}, 2: {}}
