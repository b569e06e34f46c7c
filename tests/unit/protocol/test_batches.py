"""Arrays of messages, which one revision has."""

from __future__ import annotations

import pytest

from kie_mcp.protocol.calls import Calls
from kie_mcp.protocol.replies import Batch


def request(request_id, method="ping", params=None):
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}


def call(request_id):
    return request(request_id, "tools/call", {"name": "generate_visual"})


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-06-18", "2025-11-25"])
def test_an_array_is_invalid_in_every_other_revision(harness, revision):
    harness.initialize(revision)
    (answer,) = harness.say([request(1)])
    assert answer["error"]["code"] == -32600
    assert "id" not in answer


def test_an_array_is_invalid_before_the_handshake(harness):
    (answer,) = harness.say([request(1)])
    assert answer["error"]["code"] == -32600


def test_an_array_is_answered_with_an_array(harness):
    harness.initialize("2025-03-26")
    (answers,) = harness.say([request(1), {"jsonrpc": "2.0", "method": "x"}, request("b", "nope")])
    assert [answer["id"] for answer in answers] == [1, "b"]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601]


def test_an_error_without_an_id_stands_outside_of_the_array(harness):
    harness.initialize("2025-03-26")
    error, answers = harness.say([request(1), 5])
    assert (error["error"]["code"], "id" in error) == (-32600, False)
    assert [answer["id"] for answer in answers] == [1]


def test_an_empty_array_is_invalid(harness):
    harness.initialize("2025-03-26")
    (answer,) = harness.say([])
    assert answer["error"]["code"] == -32600


def test_an_array_of_notifications_is_not_answered(harness):
    harness.initialize("2025-03-26")
    assert harness.say([{"jsonrpc": "2.0", "method": "x"}]) == []


def test_the_array_is_sent_when_its_last_call_has_finished(harness):
    harness.initialize("2025-03-26")
    assert harness.say([call(1), request(2), call(3)]) == []
    harness.jobs.pop(0)()
    assert len(harness.lines) == 1
    (answers,) = harness.run()
    assert [answer["id"] for answer in answers] == [2, 1, 3]


def test_a_cancelled_call_is_missing_from_the_array(harness):
    harness.initialize("2025-03-26")
    harness.say([call(1), call(2)])
    harness.cancel(1)
    (answers,) = harness.run()
    assert [answer["id"] for answer in answers] == [2]


def test_an_array_of_cancelled_calls_is_not_answered(harness):
    harness.initialize("2025-03-26")
    harness.say([call(1)])
    harness.cancel(1)
    assert harness.run() == []


def test_a_call_for_which_there_is_no_thread_is_an_error_in_the_array(harness):
    harness.initialize("2025-03-26")
    harness.calls.clear()

    def no_thread(_):
        raise RuntimeError("can't start new thread")

    harness.spawn = no_thread
    (answers,) = harness.say([call(1), request(2)])
    assert [(answer["id"], "error" in answer) for answer in answers] == [(1, True), (2, False)]


def test_a_cancelled_call_does_not_hold_the_others_back(harness):
    harness.initialize("2025-03-26")
    harness.say([call(1), request(2)])
    (answers,) = harness.cancel(1)
    assert [answer["id"] for answer in answers] == [2]
    assert harness.run() == []
    assert harness.server.wait_idle(0)


def test_the_server_is_idle_once_the_array_is_sent(harness):
    harness.initialize("2025-03-26")
    harness.feature = lambda *_: {"resources": []}
    harness.say([request(1, "resources/list")])
    assert not harness.server.wait_idle(0)
    assert harness.run() == [[{"jsonrpc": "2.0", "id": 1, "result": {"resources": []}}]]
    assert harness.server.wait_idle(0)


def test_initialize_is_no_part_of_an_array(harness):
    harness.initialize("2025-03-26")
    (answers,) = harness.say([request(1, "initialize", {"protocolVersion": "2024-11-05"}), request(2)])
    assert [answer.get("error", {}).get("code") for answer in answers] == [-32600, None]
    assert harness.say([request(3)])


def test_an_array_of_countless_messages_is_refused_with_one_error(harness):
    harness.initialize("2025-03-26")
    (answer,) = harness.say([5] * 1001)
    assert (answer["error"]["code"], "id" in answer) == (-32600, False)


def test_answers_that_would_make_too_long_a_line_come_in_several_arrays_each_as_soon_as_it_is_full():
    sent = []
    replies = Batch(lambda array: sent.append([answer["id"] for answer in array]))
    replies.begin()
    for number in range(5):
        replies.add({"jsonrpc": "2.0", "id": number, "result": {"blob": "x" * 4_000_000}})
    assert sent == [[0, 1], [2, 3]]
    replies.end()
    assert sent == [[0, 1], [2, 3], [4]]


def test_an_answer_that_is_too_long_by_itself_stands_alone():
    sent = []
    replies = Batch(lambda array: sent.append([answer["id"] for answer in array]))
    replies.begin()
    for number, length in enumerate((1, 10_000_000, 1)):
        replies.add({"jsonrpc": "2.0", "id": number, "result": {"blob": "x" * length}})
    replies.end()
    assert sent == [[0], [1], [2]]


def test_an_array_is_sent_once_where_a_request_is_cancelled_as_it_begins(harness, monkeypatch):
    harness.initialize("2025-03-26")
    begin = Calls.begin

    def cancelled(calls, one):
        begun = begin(calls, one)
        harness.cancel(2)
        return begun

    monkeypatch.setattr(Calls, "begin", cancelled)
    (answers,) = harness.say([request(1), call(2), request(3)])
    assert [answer["id"] for answer in answers] == [1, 3]
    assert harness.run() == []
