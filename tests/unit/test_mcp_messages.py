"""What the other tests hold the server's messages against finds what is wrong with them, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest

import mcp_definitions as definitions
from mcp_messages import Conversation

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
SERVER_INFO = {"_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1"}}}
STATELESS = {"resultType": "complete", **SERVER_INFO}
CACHE = {"ttlMs": 0, "cacheScope": "private"}
CALL = {"name": "draw"}
TEXT = {"content": [{"type": "text", "text": '{"ok":true}'}]}
CALLED = {**TEXT, "structuredContent": {"ok": True}, "isError": False}
OUTPUT = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
JPEG = b"\xff\xd8\xff" + bytes(100)
TOOL = {"name": "draw", "inputSchema": {"type": "object", "additionalProperties": False}}
OLDER = ["2024-11-05", "2025-03-26"]
NEWER = ["2025-06-18", "2025-11-25"]


class Talk:
    """A conversation that was begun in a revision."""

    def __init__(self, revision=None, **options):
        self.conversation = Conversation(**options)
        self.revision = revision
        if revision in definitions.HANDSHAKE:
            self.ask("initialize", {"protocolVersion": revision, "capabilities": {}}, "init")
            assert self.answer(initialized(revision), "init") == []

    def send(self, *messages):
        for message in messages:
            self.conversation.sent(json.dumps(message))

    def ask(self, method, params=None, request_id=1):
        meta = {"_meta": ENVELOPE} if self.revision == "2026-07-28" else {}
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": {**meta, **(params or {})}})

    def cancel(self, request_id=1):
        self.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}})

    def hear(self, message):
        """The problems of a message of the server."""
        before = len(self.conversation.problems)
        self.conversation.received(message if isinstance(message, str) else json.dumps(message))
        return self.conversation.problems[before:]

    def answer(self, result, request_id=1):
        return self.hear({"jsonrpc": "2.0", "id": request_id, "result": result})

    def fail(self, code, request_id=1, **more):
        return self.hear({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": "no", **more}})

    def progress(self, value, token="t", **more):
        params = {"progressToken": token, "progress": value, **more}
        return self.hear({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

    def log(self, level):
        params = {"level": level, "logger": "l", "data": "text"}
        return self.hear({"jsonrpc": "2.0", "method": "notifications/message", "params": params})


def initialized(revision, **more):
    info = {"name": "s", "version": "1"}
    return {"protocolVersion": revision, "capabilities": {"tools": {}}, "serverInfo": info, **more}


def answered(revision, method, result, params=None):
    """The problems of a result to a request in a revision."""
    talk = Talk(revision)
    talk.ask(method, params)
    return talk.answer(result)


RIGHT = {
    "tools/list": {"tools": [TOOL]},
    "tools/call": TEXT,
    "resources/list": {"resources": [{"uri": "file:///a.png", "name": "a", "size": 1}], "nextCursor": "x"},
    "resources/templates/list": {"resourceTemplates": [{"uriTemplate": "kie-mcp://models/{model}", "name": "m"}]},
    "resources/read": {"contents": [{"uri": "kie-mcp://guide", "text": "t"}, {"uri": "file:///a", "blob": "YQ=="}]},
    "prompts/list": {"prompts": [{"name": "p", "arguments": [{"name": "a", "required": True}]}]},
    "prompts/get": {"messages": [{"role": "user", "content": {"type": "text", "text": "t"}}]},
    "completion/complete": {"completion": {"values": ["a"], "total": 1, "hasMore": False}},
}


@pytest.mark.parametrize("method", RIGHT)
@pytest.mark.parametrize("revision", definitions.HANDSHAKE)
def test_a_right_result_has_no_problems(revision, method):
    result = CALLED if method == "tools/call" and revision in NEWER else RIGHT[method]
    assert answered(revision, method, result) == []


@pytest.mark.parametrize("method", RIGHT)
def test_a_right_result_without_a_handshake_has_no_problems(method):
    cache = CACHE if method.endswith(("list", "read")) else {}
    result = {**(CALLED if method == "tools/call" else RIGHT[method]), **STATELESS, **cache}
    assert answered("2026-07-28", method, result) == []
    assert answered("2026-07-28", method, result | {"resultType": "input_required"})
    for member in ["resultType", "_meta", *cache]:
        wrong = {name: value for name, value in result.items() if name != member}
        assert answered("2026-07-28", method, wrong), member


def test_discovering_and_the_empty_results_have_no_problems():
    found = {"supportedVersions": ["2026-07-28"], "capabilities": {}, **STATELESS, **CACHE}
    assert answered("2026-07-28", "server/discover", found) == []
    for method in ("ping", "logging/setLevel"):
        assert answered("2024-11-05", method, {}) == []
        assert answered("2024-11-05", method, {"ok": True})


@pytest.mark.parametrize("method", RIGHT)
@pytest.mark.parametrize("wrong", [{}, [], None, "x", {"tools": {}}, {"content": "x"}])
def test_a_result_that_is_not_of_its_definition_is_wrong(method, wrong):
    for revision in definitions.REVISIONS:
        assert answered(revision, method, {**wrong, **STATELESS, **CACHE} if wrong == {} else wrong)


@pytest.mark.parametrize(
    ("revision", "method"),
    [
        ("2026-07-28", "initialize"),
        ("2026-07-28", "ping"),
        ("2026-07-28", "logging/setLevel"),
        ("2025-11-25", "server/discover"),
        ("2025-11-25", "nope"),
        ("2025-11-25", "resources/subscribe"),
    ],
)
def test_a_method_that_the_revision_does_not_have_has_no_result(revision, method):
    result = initialized("2025-11-25") if method == "initialize" else {}
    assert "does not have" in answered(revision, method, {**result, **STATELESS})[0]


@pytest.mark.parametrize("member", ["title", "annotations", "outputSchema"])
def test_tools_have_no_more_than_the_revision_knows(member):
    values = {"title": "T", "annotations": {"title": "T", "readOnlyHint": True}, "outputSchema": OUTPUT}
    tools = {"tools": [{**TOOL, member: values[member]}]}
    unknown_in = ["2024-11-05"] if member == "annotations" else OLDER
    for revision in definitions.HANDSHAKE:
        assert bool(answered(revision, "tools/list", tools)) == (revision in unknown_in)


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("resources/list", {"resources": [{"uri": "file:///a", "name": "a", "title": "A"}]}),
        ("resources/list", {"resources": [{"uri": "file:///a", "name": "a", "annotations": {"lastModified": "x"}}]}),
        ("resources/templates/list", {"resourceTemplates": [{"uriTemplate": "a://{b}", "name": "a", "title": "A"}]}),
        ("prompts/list", {"prompts": [{"name": "a", "title": "A"}]}),
        ("prompts/list", {"prompts": [{"name": "a", "arguments": [{"name": "a", "title": "A"}]}]}),
        ("tools/call", {**TEXT, "structuredContent": {"ok": True}}),
        (
            "tools/call",
            {**CALLED, "content": [*TEXT["content"], {"type": "resource_link", "uri": "file:/a", "name": "a"}]},
        ),
    ],
)
def test_titles_structured_content_and_links_came_with_2025_06_18(method, result):
    assert [revision for revision in definitions.HANDSHAKE if answered(revision, method, result)] == OLDER


def test_the_title_of_the_server_came_with_2025_06_18():
    info = {"name": "s", "version": "1", "title": "S"}
    for revision in definitions.HANDSHAKE:
        talk = Talk()
        talk.ask("initialize", {"protocolVersion": revision})
        assert bool(talk.answer(initialized(revision, serverInfo=info))) == (revision in OLDER)


@pytest.mark.parametrize("more", [{"resultType": "complete"}, {"ttlMs": 1}, {"cacheScope": "public"}])
@pytest.mark.parametrize("revision", definitions.HANDSHAKE)
def test_what_belongs_to_the_stateless_era_is_wrong_in_the_other(revision, more):
    assert answered(revision, "tools/list", {"tools": [], **more})


def test_completions_are_no_capability_of_2024_11_05():
    for revision in definitions.HANDSHAKE:
        talk = Talk()
        talk.ask("initialize", {"protocolVersion": revision})
        problems = talk.answer(initialized(revision, capabilities={"completions": {}}))
        assert bool(problems) == (revision == "2024-11-05")


def test_there_are_at_most_a_hundred_completions():
    assert answered("2025-06-18", "completion/complete", {"completion": {"values": ["a"] * 100}}) == []
    assert answered("2025-06-18", "completion/complete", {"completion": {"values": ["a"] * 101}})


@pytest.mark.parametrize("uri", ["/a.png", "a.png", "", "file:///ä", "file:///a b"])
def test_a_uri_is_one(uri):
    assert answered("2025-11-25", "resources/list", {"resources": [{"uri": uri, "name": "a"}]})


def test_base64_is_base64():
    for blob in ("YQ=", "Y Q==", "ä"):
        assert answered("2025-11-25", "resources/read", {"contents": [{"uri": "file:///a", "blob": blob}]})


# initialize


def test_what_was_asked_for_is_settled_on_and_the_latest_for_all_else():
    for requested in ("2024-11-05", "1900-01-01", None, 5, "2026-07-28"):
        expected = requested if requested in definitions.HANDSHAKE else "2025-11-25"
        for told in definitions.REVISIONS:
            talk = Talk()
            talk.ask("initialize", {"protocolVersion": requested})
            assert bool(talk.answer(initialized(told))) == (told != expected)


def test_the_last_handshake_before_a_request_decides_even_if_its_answer_comes_later():
    talk = Talk("2025-11-25")
    talk.ask("tools/call", CALL, "old")
    talk.ask("initialize", {"protocolVersion": "2024-11-05"}, "init")
    talk.ask("tools/call", CALL, "new")
    assert talk.answer(initialized("2024-11-05"), "init") == []
    assert talk.answer(CALLED, "old") == []
    assert talk.answer(TEXT, "new") == []
    assert talk.conversation.owed == []


def test_a_handshake_that_was_refused_changes_nothing():
    talk = Talk("2024-11-05")
    talk.ask("initialize", {"protocolVersion": "2025-11-25"}, "init")
    assert talk.fail(-32603, "init") == []
    talk.ask("initialize", {"protocolVersion": "2025-11-25", "_meta": 5}, "init")
    talk.ask("tools/call", CALL)
    assert talk.answer(CALLED)
    assert talk.fail(-32602, "init") == []
    talk.send({"jsonrpc": "1.0", "id": 2, "method": "initialize"})
    assert talk.fail(-32600, 2) == []
    talk.ask("ping")
    assert talk.answer({}) == []


def test_before_any_handshake_the_latest_holds_and_each_request_may_name_its_own():
    talk = Talk()
    talk.ask("tools/call", CALL, 1)
    talk.ask("tools/call", {**CALL, "_meta": ENVELOPE}, 2)
    assert talk.answer(CALLED, 1) == []
    assert talk.answer(CALLED, 2)


# calls


def called(result, revision="2025-11-25", outputs=None):
    talk = Talk(revision, outputs={"draw": OUTPUT} if outputs is None else outputs)
    talk.ask("tools/call", CALL)
    return talk.answer(result)


@pytest.mark.parametrize("told", ['{"ok":false}', "ok", "[]", '{"ok":true'])
def test_the_text_is_the_json_of_the_structured_content(told):
    assert called({**CALLED, "content": [{"type": "text", "text": told}]})


@pytest.mark.parametrize("content", [[], [{"type": "resource_link", "uri": "file:///a", "name": "a"}]])
def test_a_result_begins_with_its_text(content):
    assert called({**CALLED, "content": content})


@pytest.mark.parametrize("revision", definitions.HANDSHAKE)
def test_the_output_schema_binds_every_result(revision):
    wrong = {"content": [{"type": "text", "text": '{"ok":"yes"}'}], "isError": True}
    more = {"structuredContent": {"ok": "yes"}} if revision in NEWER else {}
    assert called({**wrong, **more}, revision)
    assert called({**wrong, **more}, revision, outputs={}) == []
    assert revision not in NEWER or called(TEXT, revision)


def test_the_output_schema_is_that_of_the_list():
    talk = Talk("2025-11-25", outputs={"draw": {"properties": {"ok": {"const": False}}}})
    talk.ask("tools/call", CALL)
    assert talk.answer(CALLED)
    talk.ask("tools/list")
    assert talk.answer({"tools": [{**TOOL, "outputSchema": OUTPUT}]}) == []
    talk.ask("tools/call", CALL)
    assert talk.answer(CALLED) == []


@pytest.mark.parametrize(
    ("data", "mime_type", "fits"),
    [
        (JPEG, "image/jpeg", True),
        (JPEG, "image/png", False),
        (b"GIF89a", "image/gif", False),
        (JPEG + bytes(100_000 - len(JPEG)), "image/jpeg", True),
        (JPEG + bytes(100_001 - len(JPEG)), "image/jpeg", False),
    ],
)
def test_an_inline_image_is_small_and_what_it_is_said_to_be(data, mime_type, fits):
    image = {"type": "image", "data": base64.b64encode(data).decode(), "mimeType": mime_type}
    for revision in definitions.HANDSHAKE:
        result = CALLED if revision in NEWER else TEXT
        assert (called({**result, "content": [*TEXT["content"], image]}, revision) == []) == fits


# errors


@pytest.mark.parametrize("revision", definitions.REVISIONS)
def test_errors_have_the_codes_of_the_revision(revision):
    for code in (-32700, -32600, -32601, -32602, -32603, -32002, -32022, -32021, -32042, -32000, 1):
        talk = Talk(revision)
        talk.ask("nope")
        data = {"data": {"supported": [], "requested": "x"}} if code == -32022 else {}
        own = -32022 if revision == "2026-07-28" else -32002
        assert (talk.fail(code, **data) == []) == (code in (-32700, -32600, -32601, -32602, -32603, own)), code


@pytest.mark.parametrize("data", [{}, {"data": {}}, {"data": {"supported": "x", "requested": "x"}}])
def test_the_error_for_an_unknown_revision_says_which_there_are(data):
    talk = Talk("2026-07-28")
    talk.ask("tools/list")
    assert talk.fail(-32022, **data)


@pytest.mark.parametrize("wrong", [{"message": 5}, {"code": "x"}, {"code": 1.5}, {"more": 1}])
def test_an_error_is_of_its_definition(wrong):
    for revision in definitions.REVISIONS:
        talk = Talk(revision)
        talk.ask("nope")
        assert talk.fail(**{"code": -32601, **wrong})


@pytest.mark.parametrize(
    "more",
    [{"id": None}, {"id": True}, {"id": 1.0}, {"jsonrpc": "1.0"}, {"jsonrpc": None}, {"error": {}}, {"more": 1}],
)
def test_a_response_is_one_of_json_rpc(more):
    talk = Talk()
    talk.ask("ping")
    assert talk.hear({"jsonrpc": "2.0", "id": 1, "result": {}, **more})


@pytest.mark.parametrize("line", ["", "{", "[1", "5", '"x"', "NaN", '{"jsonrpc":"2.0","id":1}'])
def test_what_is_no_message_is_wrong(line):
    talk = Talk()
    talk.ask("ping")
    assert talk.hear(line)


# who is answered


def test_a_request_is_answered_once_and_by_its_own_id():
    talk = Talk()
    for request_id in (1, "1", 0, ""):
        assert talk.answer({}, request_id)
        talk.ask("ping", request_id=request_id)
    assert talk.conversation.owed == [1, "1", 0, ""]
    for request_id in (1, "1", 0, ""):
        assert talk.answer({}, request_id) == []
        assert talk.answer({}, request_id)
    assert talk.conversation.owed == []


def test_an_id_that_is_used_twice_is_answered_twice():
    talk = Talk("2025-11-25")
    talk.ask("tools/call", CALL)
    talk.ask("ping")
    assert talk.answer(CALLED) == []
    assert talk.conversation.owed == [1]
    assert talk.answer({}) == []
    assert talk.answer({})


def test_an_error_belongs_to_the_later_one_of_two_requests():
    talk = Talk("2025-11-25")
    talk.ask("tools/call", CALL)
    talk.ask("prompts/list")
    assert talk.fail(-32600) == []
    assert talk.answer(CALLED) == []


def test_no_answer_comes_after_the_cancellation_unless_they_may_cross():
    for crossing in (False, True):
        talk = Talk("2025-11-25", crossing=crossing)
        talk.ask("tools/call", CALL)
        talk.cancel("1")
        assert talk.conversation.owed == [1]
        talk.cancel(1)
        assert talk.conversation.owed == []
        assert (talk.answer(CALLED) == []) == crossing
        assert talk.answer(CALLED)


def test_the_id_of_a_cancelled_call_may_be_used_again():
    for crossing in (False, True):
        talk = Talk(crossing=crossing)
        talk.ask("tools/call", CALL)
        talk.cancel()
        talk.ask("ping")
        assert talk.answer({}) == []
        assert talk.conversation.owed == []
        assert talk.answer({})


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\xff",
        b"5",
        b"[]",
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
        b'{"jsonrpc":"2.0","method":5}',
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":1e999}',
        b"[" * 129 + b"]" * 129,
        b"[" * 1_000_000,
        b" " * 16 * 1024 * 1024 + b"1",
    ],
)
def test_a_line_without_a_usable_id_is_answered_with_one_error_without_an_id(line):
    talk = Talk()
    talk.conversation.sent(line)
    assert talk.conversation.owed == [None]
    error = {"jsonrpc": "2.0", "error": {"code": -32700, "message": "no"}}
    assert talk.hear(error) == []
    assert talk.hear(error)
    talk.conversation.sent(line)
    assert talk.hear({"jsonrpc": "2.0", "error": {"code": -32601, "message": "no"}})
    talk.conversation.sent(line)
    assert talk.hear({"jsonrpc": "2.0", "result": {}})


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "ping", "params": 5},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "error": {}},
    ],
)
def test_notifications_responses_and_blank_lines_are_not_answered(message):
    talk = Talk()
    talk.send(message)
    talk.conversation.sent(b" \r\n")
    assert talk.conversation.owed == []
    assert talk.answer({})


def test_what_has_an_id_and_is_no_request_is_answered_with_an_error():
    for wrong in ({"id": 1}, {"id": 1, "jsonrpc": "1.0", "method": "ping"}, {"id": 1, "jsonrpc": "2.0", "method": 5}):
        talk = Talk()
        talk.send(wrong, wrong)
        assert talk.answer({})
        assert talk.fail(-32600) == []


@pytest.mark.parametrize(
    "message", [{"id": 1, "method": "ping"}, {"method": "notifications/tools/list_changed"}, {"method": "x"}]
)
def test_the_server_asks_for_nothing_and_announces_no_changes(message):
    assert Talk().hear({"jsonrpc": "2.0", **message})


# arrays


PINGS = [{"jsonrpc": "2.0", "id": number, "method": "ping"} for number in range(2)]
PONGS = [{"jsonrpc": "2.0", "id": number, "result": {}} for number in range(2)]


def test_an_array_is_answered_with_one():
    talk = Talk("2025-03-26")
    talk.send([*PINGS, {"jsonrpc": "2.0", "method": "x"}, 5])
    assert talk.conversation.owed == [0, 1, None]
    assert talk.hear({"jsonrpc": "2.0", "error": {"code": -32600, "message": "no"}}) == []
    assert talk.hear(PONGS[::-1]) == []
    assert talk.conversation.owed == []


@pytest.mark.parametrize("wrong", [PONGS[0], PONGS[:1], [], [*PONGS, PONGS[0]], [*PONGS, 5], [PONGS]])
def test_an_array_is_answered_whole(wrong):
    talk = Talk("2025-03-26")
    talk.send(PINGS)
    assert talk.hear(wrong)


def test_an_array_answers_no_other_requests():
    talk = Talk("2025-03-26")
    talk.send(PINGS[0], [PINGS[1]])
    assert talk.hear(PONGS)
    talk = Talk("2025-03-26")
    talk.send([PINGS[0]], [PINGS[1]])
    assert talk.hear(PONGS)


@pytest.mark.parametrize("answers", [PONGS, PONGS[1:]])
def test_what_was_cancelled_may_be_missing_from_the_array(answers):
    talk = Talk("2025-03-26")
    talk.send(PINGS)
    talk.cancel(0)
    assert talk.hear(answers) == []
    assert talk.conversation.owed == []


def test_an_array_is_of_one_revision_alone():
    for revision in ("2024-11-05", "2025-06-18", "2025-11-25"):
        talk = Talk(revision)
        talk.send(PINGS)
        assert talk.hear(PONGS)
        assert talk.conversation.owed == [None]


def test_progress_stands_in_no_array():
    talk = Talk("2025-03-26")
    talk.ask("tools/call", {**CALL, "_meta": {"progressToken": "t"}})
    assert talk.hear([{"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "t"}}])


# progress


def tell(talk, token="t", request_id=1):
    talk.ask("tools/call", {**CALL, "_meta": {"progressToken": token}}, request_id)


def test_progress_increases_for_each_token_alone():
    talk = Talk("2025-11-25")
    tell(talk, 0, 1)
    tell(talk, "0", 2)
    assert talk.progress(1, 0, total=4, message="m") == talk.progress(0.5, "0") == talk.progress(1.5, 0) == []
    assert talk.progress(1.5, 0)
    assert talk.progress(0.4, "0")


@pytest.mark.parametrize("token", ["other", None, True, 1.5, []])
def test_progress_needs_a_call_that_asked_for_it(token):
    talk = Talk("2025-11-25")
    tell(talk)
    assert talk.progress(1, token)


def test_there_is_no_progress_after_the_answer():
    talk = Talk("2025-11-25")
    tell(talk)
    assert talk.progress(1) == []
    assert talk.answer(CALLED) == []
    assert talk.progress(2)
    tell(talk)
    assert talk.progress(1) == []


def test_with_two_calls_of_one_token_nobody_knows_whose_progress_it_is():
    talk = Talk("2025-11-25")
    tell(talk, request_id=1)
    tell(talk, request_id=2)
    assert talk.progress(2) == talk.progress(1) == []


def test_progress_is_of_its_definition():
    for revision in definitions.HANDSHAKE:
        talk = Talk(revision)
        tell(talk)
        assert bool(talk.progress(1, message="m")) == (revision == "2024-11-05")
        assert talk.progress("x")
        assert talk.progress(2, more=1)


# the log


def test_the_log_is_told_to_whom_has_set_a_level():
    for revision in definitions.HANDSHAKE:
        talk = Talk(revision)
        assert talk.log("error")
        talk.ask("logging/setLevel", {"level": "loud"}, 2)
        assert talk.log("error")
        talk.ask("logging/setLevel", {"level": "warning"})
        assert talk.answer({}) == []
        assert talk.log("warning") == talk.log("emergency") == []
        assert talk.log("notice")
        assert talk.log("loud")
        talk.ask("logging/setLevel", {"level": "error"})
        assert talk.log("warning") == []
        assert talk.answer({}) == []
        assert talk.log("warning")
        talk.ask("logging/setLevel", {"level": "info"})
        assert talk.log("info") == []


def test_without_a_handshake_the_log_is_told_during_the_requests_that_asked_for_it():
    talk = Talk("2026-07-28")
    level = {"io.modelcontextprotocol/logLevel": "info"}
    talk.ask("tools/call", CALL, 2)
    assert talk.log("error")
    talk.ask("tools/call", {**CALL, "_meta": {**ENVELOPE, **level}})
    assert talk.log("info") == []
    assert talk.log("debug")
    assert talk.answer({**CALLED, **STATELESS}) == []
    assert talk.log("error")


def test_the_check_fails_with_what_was_wrong_and_where():
    talk = Talk()
    talk.conversation.check()
    talk.hear({"jsonrpc": "2.0", "id": "who", "result": {}})
    with pytest.raises(AssertionError, match=r"(?s)nobody waits for.*who"):
        talk.conversation.check()
