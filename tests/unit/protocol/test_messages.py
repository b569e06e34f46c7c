"""Reading lines strictly and writing answers that cannot break."""

from __future__ import annotations

import json

import pytest

from kie_mcp.protocol import messages
from kie_mcp.protocol.messages import MAX_DEPTH, RpcError


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"{",
        b"\xff\xfe",
        b'"\xc3"',
        b"NaN",
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b"1e400",
        b"-1e400",
        b"9" * 5000,
        b"[" * 100_000,
        b'{"jsonrpc":"2.0"} {}',
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_a_line_that_is_no_json_is_a_parse_error(line):
    with pytest.raises(RpcError) as caught:
        messages.parse(line)
    assert caught.value.code == -32700
    assert len(caught.value.message) < 300


def test_a_line_may_be_as_deep_as_the_limit_and_no_deeper():
    messages.parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(RpcError, match="levels deep"):
        messages.parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    with pytest.raises(RpcError, match="levels deep"):
        messages.parse(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1))


def test_many_brackets_side_by_side_are_not_deep():
    assert len(messages.parse(b"[" + b"{}," * 1000 + b"[]]")) == 1001


def test_finite_numbers_are_read_as_they_are():
    assert messages.parse(b"[1.5, 1e3, -0.0, 12345678901234567890]") == [1.5, 1000.0, -0.0, 12345678901234567890]


@pytest.mark.parametrize("request_id", [0, -1, "", "a", 12345678901234567890])
def test_strings_and_integers_are_ids(request_id):
    message = messages.read({"jsonrpc": "2.0", "id": request_id, "method": "ping"})
    assert message is not None
    assert message.id == request_id
    assert type(message.id) is type(request_id)


@pytest.mark.parametrize("request_id", [None, True, False, 1.0, [], {}])
def test_anything_else_is_no_id(request_id):
    value = {"jsonrpc": "2.0", "id": request_id, "method": "ping"}
    with pytest.raises(RpcError) as caught:
        messages.read(value)
    assert caught.value.code == -32600
    assert messages.usable_id(value) is None


@pytest.mark.parametrize(
    "value",
    [
        1,
        "ping",
        None,
        [],
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "method": None},
    ],
)
def test_what_is_neither_request_nor_notification_nor_response_is_invalid(value):
    with pytest.raises(RpcError) as caught:
        messages.read(value)
    assert caught.value.code == -32600


@pytest.mark.parametrize("answer", [{"result": {}}, {"error": {"code": 1, "message": "x"}}])
def test_a_response_is_nothing_to_answer(answer):
    assert messages.read({"jsonrpc": "2.0", "id": 1, **answer}) is None


def test_absent_params_are_an_empty_object():
    message = messages.read({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert message is not None
    assert message.params == {}
    assert message.id is None


def test_an_error_without_a_known_id_has_no_id():
    assert "id" not in messages.failure(None, RpcError(-32700, "x"))
    assert messages.failure(0, RpcError(-32600, "x", {"a": 1})) == {
        "jsonrpc": "2.0",
        "id": 0,
        "error": {"code": -32600, "message": "x", "data": {"a": 1}},
    }


def test_an_encoded_message_is_one_line_of_ascii():
    line = messages.encode({"text": "zwei\nZeilen ü \ud800"})
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {"text": "zwei\nZeilen ü \ud800"}


def test_a_number_that_json_does_not_have_is_not_encoded():
    with pytest.raises(ValueError, match="not JSON compliant"):
        messages.encode(float("nan"))


def test_a_byte_order_mark_before_a_line_is_no_matter():
    assert messages.parse('\ufeff{"id": 1}'.encode()) == {"id": 1}
