"""``tools/call``: results, tool errors, protocol errors, cancelling, and what is in flight."""

from __future__ import annotations

import json

import pytest

from kie_mcp.errors import CancelledError, InputError
from kie_mcp.tools.spec import Link, ToolResult

LINK = Link("file:///out/a.png", "a.png", "image/png", 42)


def test_a_result_carries_the_same_json_twice(harness):
    harness.tool = lambda *_: ToolResult({"ok": True, "path": "/ä/ü.png"})
    (answer,) = harness.call(0)
    assert answer["id"] == 0
    result = answer["result"]
    assert result["structuredContent"] == {"ok": True, "path": "/ä/ü.png"}
    assert result["content"] == [{"type": "text", "text": '{"ok":true,"path":"/ä/ü.png"}'}]
    assert result["isError"] is False


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26"])
def test_older_revisions_get_text_alone(harness, revision):
    harness.initialize(revision)
    harness.tool = lambda *_: ToolResult({"ok": True}, links=[LINK])
    (answer,) = harness.call()
    assert answer["result"] == {"content": [{"type": "text", "text": '{"ok":true}'}], "isError": False}


def test_links_follow_the_text(harness):
    harness.tool = lambda *_: ToolResult({"ok": True}, links=[LINK])
    (answer,) = harness.call()
    assert answer["result"]["content"][1] == {
        "type": "resource_link",
        "uri": "file:///out/a.png",
        "name": "a.png",
        "mimeType": "image/png",
        "size": 42,
    }


def test_the_revision_is_that_of_the_request_even_if_it_changes_before_the_answer(harness):
    harness.start(1)
    harness.initialize("2024-11-05")
    (answer,) = harness.run()
    assert "structuredContent" in answer["result"]


def test_absent_arguments_are_an_empty_object(harness):
    harness.call()
    assert harness.calls == [("generate_visual", {})]


def test_arguments_and_meta_of_null_count_as_absent(harness):
    params = {"name": "generate_visual", "arguments": None, "_meta": None}
    harness.ask_later("tools/call", params)
    (answer,) = harness.run()
    assert "result" in answer
    assert harness.calls == [("generate_visual", {})]


def test_a_name_that_is_too_long_is_not_said_in_part(harness):
    error = harness.ask("tools/call", {"name": "x" * 100 + "a-key" + "x" * 100})["error"]
    assert error == {"code": -32602, "message": "Unknown tool: a name of 205 characters"}
    error = harness.ask("y" * 199 + "a-key")["error"]
    assert (error["code"], "yyy" in error["message"]) == (-32601, False)


def test_once_all_is_cancelled_nothing_more_is_begun(harness):
    harness.server.cancel_all()
    (answer,) = harness.start()
    assert answer["error"]["code"] == -32600
    assert harness.run() == []
    assert harness.calls == []


def test_once_all_is_cancelled_in_the_middle_nothing_more_is_begun(harness):
    harness.start(1)
    harness.server.cancel_all()
    (answer,) = harness.start(2)
    assert answer["error"]["code"] == -32600
    assert harness.run() == []
    assert harness.server.wait_idle(0)


@pytest.mark.parametrize("arguments", [[], "x", 5, False])
def test_arguments_that_are_no_object_are_a_protocol_error(harness, arguments):
    params = {"name": "generate_visual", "arguments": arguments}
    assert harness.ask("tools/call", params)["error"]["code"] == -32602
    assert harness.jobs == []


@pytest.mark.parametrize("params", [{}, {"name": None}, {"name": 5}, {"name": []}])
def test_a_missing_name_is_a_protocol_error(harness, params):
    assert harness.ask("tools/call", params)["error"]["code"] == -32602


def test_an_unknown_tool_is_a_protocol_error_with_the_nearest_name(harness):
    error = harness.ask("tools/call", {"name": "generate_visuals"})["error"]
    assert error["code"] == -32602
    assert "generate_visual?" in error["message"]
    assert harness.ask("tools/call", {"name": "zzz"})["error"]["message"] == "Unknown tool: zzz"


def test_an_error_of_ours_is_a_tool_error(harness):
    def refuse(*_):
        raise InputError("prompt is empty", task_id="t1")

    harness.tool = refuse
    (answer,) = harness.call()
    result = answer["result"]
    assert result["isError"] is True
    assert result["structuredContent"]["ok"] is False
    assert result["structuredContent"]["error"]["category"] == "input"
    assert result["structuredContent"]["error"]["task_id"] == "t1"
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


@pytest.mark.parametrize("error", [RuntimeError("secret detail"), SystemExit(3), RecursionError()])
def test_any_other_exception_is_an_internal_tool_error_with_nothing_inside(harness, error):
    def fail(*_):
        raise error

    harness.tool = fail
    (answer,) = harness.call()
    assert answer["result"]["structuredContent"]["error"]["category"] == "internal"
    assert answer["result"]["structuredContent"]["error"]["message"] == "Internal error."
    assert "detail" not in str(answer)
    assert harness.internal_errors == [error]


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_an_answer_that_is_no_json_is_an_internal_error(harness, value):
    harness.tool = lambda *_: ToolResult({"ok": value})
    (answer,) = harness.call()
    assert answer["result"]["isError"] is True
    assert len(harness.internal_errors) == 1


def test_secrets_are_taken_out_before_the_text_is_made(harness):
    harness.secret = 'a"\\b'
    harness.tool = lambda *_: ToolResult({"said": 'the key a"\\b'})
    (answer,) = harness.call()
    assert answer["result"]["content"][0]["text"] == '{"said":"the key ***"}'
    assert answer["result"]["structuredContent"] == {"said": "the key ***"}


def test_a_call_is_in_flight_until_it_is_answered(harness):
    assert harness.server.in_flight() == 0
    assert harness.server.wait_idle(5)
    harness.start(1)
    harness.start("1")
    assert harness.server.in_flight() == 2
    assert not harness.server.wait_idle(5)
    harness.run()
    assert harness.server.in_flight() == 0
    assert harness.server.wait_idle(0)


def test_other_requests_are_answered_while_a_call_runs(harness):
    harness.start(1)
    assert harness.ask("ping", request_id=2)["result"] == {}
    assert [answer["id"] for answer in harness.run()] == [1]


def test_an_id_in_flight_may_not_be_used_again(harness):
    harness.start(1)
    (answer,) = harness.start(1)
    assert (answer["id"], answer["error"]["code"]) == (1, -32600)
    assert len(harness.run()) == 1
    assert len(harness.call(1)) == 1


def test_a_cancelled_call_is_not_answered_and_no_longer_in_flight(harness):
    def wait(_, context):
        assert harness.cancel(1) == []
        assert harness.server.in_flight() == 0
        assert not harness.server.wait_idle(0)
        context.sleep(60)

    harness.tool = wait
    assert harness.call(1) == []
    assert harness.server.wait_idle(0)


def test_a_call_that_was_cancelled_and_succeeds_all_the_same_is_not_answered(harness):
    def go_on(*_):
        harness.cancel(1)
        return ToolResult({"ok": True})

    harness.tool = go_on
    assert harness.call(1) == []


def test_a_call_that_is_cancelled_before_it_runs_never_runs(harness):
    harness.start(1)
    harness.cancel(1)
    assert harness.run() == []
    assert harness.calls == []


def test_the_id_of_a_cancelled_call_is_free_again(harness):
    harness.start(1)
    harness.cancel(1)
    harness.start(1)
    assert [answer["id"] for answer in harness.run()] == [1]


@pytest.mark.parametrize("request_id", [2, "1", None, True, 1.0, [], {}])
def test_cancelling_anything_else_is_ignored(harness, request_id):
    assert harness.cancel(request_id) == []
    harness.start(1)
    assert harness.cancel(request_id) == []
    assert len(harness.run()) == 1


def test_cancelling_without_params_or_after_the_answer_is_ignored(harness):
    harness.call(1)
    assert harness.cancel(1) == []
    assert harness.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": []}) == []
    assert harness.say({"jsonrpc": "2.0", "method": "notifications/cancelled"}) == []


def test_a_cancelled_error_without_a_cancellation_is_a_tool_error(harness):
    def end(*_):
        raise CancelledError("The wait ended.")

    harness.tool = end
    (answer,) = harness.call()
    assert answer["result"]["structuredContent"]["error"]["category"] == "cancelled"


def test_cancel_all_ends_every_call_without_an_answer(harness):
    harness.server.cancel_all()
    harness.start(1)
    harness.start(2)
    harness.server.cancel_all()
    assert harness.server.in_flight() == 0
    assert harness.run() == []


def test_a_call_for_which_there_is_no_thread_is_an_internal_error_and_never_runs(harness):
    def half_spawn(job):
        harness.jobs.append(job)
        raise RuntimeError("can't start new thread")

    harness.spawn = half_spawn
    (answer,) = harness.start(1)
    assert answer["error"] == {"code": -32603, "message": "Internal error"}
    assert harness.server.in_flight() == 0
    assert harness.server.wait_idle(0)
    assert harness.run() == []
    assert harness.calls == []
