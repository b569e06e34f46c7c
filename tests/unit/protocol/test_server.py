"""Messages that are answered at once, in both eras."""

from __future__ import annotations

import json

import pytest

from kie_mcp import __version__
from kie_mcp.clock import Clock
from kie_mcp.protocol.outlets import Outlets
from kie_mcp.protocol.publish import INSTRUCTIONS
from kie_mcp.protocol.server import Server
from kie_mcp.tools.spec import ToolResult

HANDSHAKE_REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"


@pytest.mark.parametrize("revision", HANDSHAKE_REVISIONS)
def test_initialize_answers_with_the_revision_that_was_asked_for(harness, revision):
    result = harness.initialize(revision)
    assert result["protocolVersion"] == revision
    completions = {} if revision == "2024-11-05" else {"completions": {}}
    assert result["capabilities"] == {"logging": {}, **completions, "prompts": {}, "resources": {}, "tools": {}}
    assert result["serverInfo"]["name"] == "kie-mcp"
    assert result["serverInfo"]["version"] == __version__
    assert ("title" in result["serverInfo"]) == (revision >= "2025-06-18")
    assert result["instructions"] == INSTRUCTIONS


@pytest.mark.parametrize("params", [{"protocolVersion": "2026-07-28"}, {"protocolVersion": "x"}, {}, None])
def test_initialize_with_another_revision_answers_the_latest_handshake(harness, params):
    assert harness.ask("initialize", params)["result"]["protocolVersion"] == "2025-11-25"


def test_the_instructions_are_short_enough_for_every_host():
    assert len(INSTRUCTIONS) < 2000


def test_the_tools_are_not_loaded_before_they_are_needed(harness):
    harness.initialize("2025-11-25")
    harness.ask("ping")
    assert harness.loads == 0
    harness.ask("tools/list")
    harness.ask("tools/list")
    harness.call()
    assert harness.loads == 1


@pytest.mark.parametrize("request_id", [0, "", "a", 7])
def test_ping_echoes_the_id_with_its_type(harness, request_id):
    answer = harness.ask("ping", request_id=request_id)
    assert answer == {"jsonrpc": "2.0", "id": request_id, "result": {}}
    assert type(answer["id"]) is type(request_id)


def test_requests_before_initialize_are_answered(harness):
    assert "structuredContent" in harness.call()[0]["result"]
    assert len(harness.ask("tools/list")["result"]["tools"]) == 2


def test_the_published_tool_has_what_the_revision_knows(harness):
    fields = {}
    for revision in HANDSHAKE_REVISIONS:
        harness.initialize(revision)
        fields[revision] = list(harness.ask("tools/list")["result"]["tools"][0])
    base = ["name", "description", "inputSchema"]
    full = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"]
    assert fields == {
        "2024-11-05": base,
        "2025-03-26": [*base, "annotations"],
        "2025-06-18": full,
        "2025-11-25": full,
    }


def test_annotations_carry_the_title(harness):
    tool = harness.ask("tools/list")["result"]["tools"][0]
    assert tool["annotations"] == {"title": "Generate", "readOnlyHint": True}


def test_an_unknown_cursor_is_an_error_and_none_is_no_cursor(harness):
    assert harness.ask("tools/list", {"cursor": "x"})["error"]["code"] == -32602
    assert "result" in harness.ask("tools/list", {"cursor": None})


@pytest.mark.parametrize(
    "method",
    [
        "nope",
        "",
        "resources/subscribe",
        "resources/unsubscribe",
        "subscriptions/listen",
        "server/discover",
        "notifications/initialized",
        "rpc.discover",
    ],
)
def test_a_method_that_is_not_offered_is_not_found(harness, method):
    answer = harness.ask(method)
    assert answer["error"]["code"] == -32601
    assert answer["id"] == 1


@pytest.mark.parametrize("params", [[], "x", 5, None])
def test_params_that_are_no_object_are_invalid(harness, params):
    (answer,) = harness.say({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params})
    assert answer["error"]["code"] == -32602


def test_a_meta_that_is_no_object_is_invalid(harness):
    assert harness.ask("ping", {"_meta": []})["error"]["code"] == -32602


def test_discover_answers_all_revisions(harness):
    result = harness.ask_stateless("server/discover")["result"]
    assert result["supportedVersions"][0] == "2026-07-28"
    assert len(result["supportedVersions"]) == 5
    assert set(result["capabilities"]) == {"logging", "completions", "prompts", "resources", "tools"}
    assert result["resultType"] == "complete"
    assert result["cacheScope"] == "public"
    assert result["ttlMs"] > 0
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "kie-mcp"
    assert "protocolVersion" not in result


def test_a_stateless_list_carries_the_cache_hints(harness):
    result = harness.ask_stateless("tools/list")["result"]
    assert {"resultType", "tools", "ttlMs", "cacheScope", "_meta"} == set(result)


def test_a_stateless_call_carries_type_and_server_but_no_cache_hints(harness, envelope):
    (answer,) = harness.call(meta=envelope)
    assert {"resultType", "content", "structuredContent", "isError", "_meta"} == set(answer["result"])


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe", "nope"])
def test_methods_that_the_stateless_era_does_not_have_are_not_found(harness, method):
    assert harness.ask_stateless(method)["error"]["code"] == -32601
    assert harness.ask(method, {"_meta": {VERSION_KEY: "2026-07-28"}})["error"]["code"] == -32601


@pytest.mark.parametrize("capabilities", [{}, {CAPABILITIES_KEY: None}, {CAPABILITIES_KEY: []}])
def test_a_stateless_request_must_tell_the_capabilities(harness, capabilities):
    answer = harness.ask("tools/list", {"_meta": {VERSION_KEY: "2026-07-28", **capabilities}})
    assert answer["error"]["code"] == -32602
    assert CAPABILITIES_KEY in answer["error"]["message"]


@pytest.mark.parametrize("requested", ["1900-01-01", "2025-11-25", ""])
def test_an_unknown_stateless_revision_is_answered_with_those_that_are_known(harness, requested):
    error = harness.ask("tools/list", {"_meta": {VERSION_KEY: requested, CAPABILITIES_KEY: {}}})["error"]
    assert error["code"] == -32022
    assert error["data"]["requested"] == requested
    assert len(error["data"]["supported"]) == 5


def test_a_revision_that_is_none_is_not_repeated_at_length(harness):
    meta = {VERSION_KEY: "x" * 1_000_000, CAPABILITIES_KEY: {}}
    assert len(str(harness.ask("tools/list", {"_meta": meta}))) < 1_000


def test_a_stateless_revision_that_is_no_string_is_invalid(harness):
    assert harness.ask("tools/list", {"_meta": {VERSION_KEY: 5}})["error"]["code"] == -32602


def test_both_eras_live_side_by_side(harness):
    harness.ask_stateless("server/discover")
    assert harness.initialize("2024-11-05")["protocolVersion"] == "2024-11-05"
    assert "resultType" in harness.ask_stateless("tools/list")["result"]
    assert list(harness.ask("tools/list")["result"]) == ["tools"]


@pytest.mark.parametrize("line", ["", " ", "\r", "\t \r"])
def test_blank_lines_are_nothing(harness, line):
    assert harness.line(line) == []


def test_garbage_gets_one_error_without_an_id_and_the_server_goes_on(harness):
    for line in (b"{", b"\xff", b"[" * 50_000, b"\x00"):
        (answer,) = harness.line(line)
        assert answer["error"]["code"] == -32700
        assert "id" not in answer
    assert harness.ask("ping")["result"] == {}


def test_a_line_that_was_not_delivered_gets_a_parse_error(harness):
    (answer,) = harness.reject("too long.")
    assert answer == {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error: too long."}}


def test_notifications_and_responses_get_no_answer(harness):
    assert harness.say({"jsonrpc": "2.0", "method": "notifications/initialized"}) == []
    assert harness.say({"jsonrpc": "2.0", "method": "notifications/unknown", "params": 5}) == []
    assert harness.say({"jsonrpc": "2.0", "id": 1, "result": {}}) == []
    assert harness.say({"jsonrpc": "2.0", "error": {"code": 1, "message": "x"}}) == []


def test_a_request_method_without_an_id_does_nothing(harness):
    assert harness.say({"jsonrpc": "2.0", "method": "ping"}) == []
    params = {"name": "generate_visual", "arguments": {}}
    assert harness.say({"jsonrpc": "2.0", "method": "tools/call", "params": params}) == []
    harness.say({"jsonrpc": "2.0", "method": "initialize", "params": {"protocolVersion": "2024-11-05"}})
    assert harness.jobs == []
    assert "outputSchema" in harness.ask("tools/list")["result"]["tools"][0]


def test_an_invalid_request_keeps_its_usable_id(harness):
    (answer,) = harness.say({"jsonrpc": "2.0", "id": 5})
    assert (answer["id"], answer["error"]["code"]) == (5, -32600)
    (answer,) = harness.say({"jsonrpc": "2.0", "id": None, "method": "ping"})
    assert "id" not in answer


def test_lone_surrogates_come_back_as_they_came(harness):
    (answer,) = harness.line(b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}')
    assert answer["id"] == "\ud800"


def test_what_goes_wrong_inside_is_told_to_the_log_and_not_to_the_client(harness):
    def broken():
        raise RuntimeError("secret detail")

    harness.server._load_tools = broken
    answer = harness.ask("tools/list")
    assert answer == {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error"}}
    assert isinstance(harness.internal_errors[0], RuntimeError)


def test_everything_that_is_sent_is_redacted(harness):
    harness.secret = "KEY"
    assert "KEY" not in str(harness.ask("KEY"))


def test_what_a_client_knows_its_requests_by_stays_as_it_is(harness):
    harness.secret = "n1"
    harness.tool = lambda _, context: context.progress(1, 2, "half of n1 is done") or ToolResult({"ok": True})
    progress, answer = harness.call("n1", meta={"progressToken": "n1"})
    assert progress["params"] == {"progressToken": "n1", "progress": 1, "total": 2, "message": "half of *** is done"}
    assert answer["id"] == "n1"


def test_the_text_of_an_answer_stays_the_json_that_it_is(harness):
    harness.secret = "n1"
    harness.tool = lambda *_: ToolResult({"ok": True, "prompt": "n1, then a line\n1 fox"})
    (answer,) = harness.call(1)
    result = answer["result"]
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    assert result["structuredContent"]["prompt"] == "***, then a line\n1 fox"


def test_without_a_redactor_messages_go_out_as_they_are():
    lines = []
    outlets = Outlets(
        call_tool=lambda *_: ToolResult({}),
        answer=lambda *_: {},
        send_line=lines.append,
        spawn=lambda job: job(),
        spawn_feature=lambda job: job(),
        clock=Clock(),
        on_internal_error=print,
    )
    server = Server(list, outlets)
    server.receive(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
    assert lines == ['{"jsonrpc":"2.0","id":1,"result":{}}']
