"""What the log says is told to the clients that have asked for it, and to no other."""

from __future__ import annotations

import pytest

from kie_mcp.protocol.logs import LEVELS
from kie_mcp.tools.spec import ToolResult

LEVEL_KEY = "io.modelcontextprotocol/logLevel"


def told(messages):
    return [message["params"] for message in messages if message.get("method") == "notifications/message"]


def test_nothing_is_told_before_it_is_asked_for(harness):
    harness.listeners.say("error", "A poll failed.")
    harness.call()
    assert harness.listeners.ears == []
    assert told(harness.sent()) == []


@pytest.mark.parametrize("level", LEVELS)
def test_after_a_handshake_everything_of_a_level_is_told(harness, level):
    assert harness.ask("logging/setLevel", {"level": level})["result"] == {}
    assert harness.listeners.ears[0][0] == level
    harness.listeners.say(level, "A poll failed.")
    assert told(harness.sent()) == [{"level": level, "logger": "kie-mcp", "data": "A poll failed."}]


@pytest.mark.parametrize("params", [{}, {"level": "loud"}, {"level": 7}, {"level": None}, {"level": ["debug"]}])
def test_a_level_that_is_none_is_refused(harness, params):
    error = harness.ask("logging/setLevel", params)["error"]
    assert error["code"] == -32602
    assert "debug, info, notice" in error["message"]
    assert harness.listeners.ears == []


def test_a_request_without_a_handshake_is_told_what_it_asked_for_while_it_runs(harness, envelope):
    def work(*_):
        harness.listeners.say("info", "submitted")
        return ToolResult({"ok": True})

    harness.tool = work
    messages = harness.call(meta={**envelope, LEVEL_KEY: "info"})
    assert told(messages) == [{"level": "info", "logger": "kie-mcp", "data": "submitted"}]
    assert "result" in messages[-1]
    harness.listeners.say("info", "later")
    assert told(harness.sent()) == told(messages)


def test_a_cancelled_request_is_told_nothing_more(harness, envelope):
    def work(*_):
        harness.cancel(1)
        harness.listeners.say("info", "too late")
        return ToolResult({"ok": True})

    harness.tool = work
    assert harness.call(meta={**envelope, LEVEL_KEY: "debug"}) == []


def test_resources_tell_what_they_log_too(harness, envelope):
    harness.feature = lambda *_: harness.listeners.say("debug", "looked") or {"resources": []}
    harness.ask_later("resources/list", {"_meta": {**envelope, LEVEL_KEY: "debug"}})
    note, answer = harness.run()
    assert note["params"]["data"] == "looked"
    assert answer["id"] == 1


def test_a_request_that_asks_for_no_known_level_is_refused(harness, envelope):
    (answer,) = harness.start(meta={**envelope, LEVEL_KEY: "loud"})
    assert answer["error"]["code"] == -32602
    assert LEVEL_KEY in answer["error"]["message"]


def test_the_level_of_a_request_counts_only_where_there_is_no_handshake(harness):
    def work(*_):
        harness.listeners.say("info", "submitted")
        return ToolResult({"ok": True})

    harness.tool = work
    assert told(harness.call(meta={LEVEL_KEY: "info"})) == []


def test_without_a_handshake_nothing_is_told_that_was_not_asked_for(harness, envelope):
    def work(*_):
        harness.listeners.say("error", "of a request that has not asked")
        return ToolResult({"ok": True})

    harness.ask("logging/setLevel", {"level": "debug"})
    harness.tool = work
    assert told(harness.call(meta=envelope)) == []
    assert told(harness.call(2)) != []
