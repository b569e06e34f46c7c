"""Kie's catalogue: where it is asked, and how often."""

from __future__ import annotations

import pytest

from kie_mcp.errors import AuthError, CancelledError, InputError, NetworkError, RateLimitError, UnclearAnswerError
from kie_mcp.kie.market import Market

BUSY = {"code": 429, "msg": "Your call frequency is too high. Please try again later.", "data": None}
LIST = "https://api.kie.ai/api/v1/models"


@pytest.fixture
def market(client):
    return Market(client)


def good(data):
    return {"code": 200, "msg": "success", "data": data}


def test_the_list_is_asked_for_with_the_key(market, context, mock, key):
    mock.get(LIST, json=good({"total": 0, "models": []}))
    assert market.models(context) == {"total": 0, "models": []}
    assert mock.calls[0].request.headers["Authorization"] == f"Bearer {key}"


def test_the_slash_of_an_id_stands_in_the_path(market, context, mock):
    mock.get(f"{LIST}/seedream/4.5-edit/schema", json=good({"model": "seedream/4.5-edit"}))
    assert market.schema("seedream/4.5-edit", context) == {"model": "seedream/4.5-edit"}


def test_from_an_answer_to_the_next_request_there_is_more_than_a_second(market, context, clock, mock):
    mock.get(LIST, json=good([]))
    market.models(context)
    assert clock.waits == []
    market.models(context)
    clock.time += 0.5
    market.models(context)
    clock.time += 2
    market.models(context)
    assert clock.waits == pytest.approx([1.1, 0.6])


def test_too_many_requests_are_tried_again_ever_later(market, context, clock, mock):
    for _ in range(9):
        mock.get(LIST, json=BUSY)
    mock.get(LIST, json=good(["it"]))
    assert market.models(context) == ["it"]
    assert clock.waits == [2, 4, 6, 8, 10, 10, 10, 10, 10]


def test_too_many_requests_for_good_are_an_error(market, context, mock):
    mock.get(LIST, json=BUSY)
    with pytest.raises(RateLimitError):
        market.models(context)
    assert len(mock.calls) == 10


def test_what_a_server_asks_for_is_waited_within_bounds(market, context, clock, mock):
    mock.get(LIST, status=429, headers={"Retry-After": "30"}, json=BUSY)
    mock.get(LIST, status=429, headers={"Retry-After": "9999"}, json=BUSY)
    mock.get(LIST, json=good(["it"]))
    assert market.models(context) == ["it"]
    assert clock.waits == [30, 60]


def test_other_failures_are_tried_again_twice(market, context, clock, mock):
    mock.get(LIST, body=ConnectionResetError("reset"))
    with pytest.raises(NetworkError):
        market.models(context)
    assert len(mock.calls) == 3
    assert clock.waits == [2, 4]


def test_nobody_waits_past_the_end_of_the_call(market, context, clock, mock):
    mock.get(LIST, json=BUSY)
    context.deadline = clock.time + 5
    with pytest.raises(RateLimitError):
        market.models(context)
    assert clock.waits == [2]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"json": {"code": 404, "msg": "The model name you specified is not supported.", "data": None}}, InputError),
        ({"json": {"code": 401, "msg": "Unauthorized"}}, AuthError),
        ({"body": "<html>", "status": 200}, UnclearAnswerError),
        ({"body": b"x" * 9_000_000, "status": 200}, UnclearAnswerError),
        ({"body": "[" * 100_000, "status": 200}, UnclearAnswerError),
        ({"status": 502}, UnclearAnswerError),
        ({"body": ConnectionResetError("reset")}, NetworkError),
    ],
)
def test_every_failure_is_one_of_ours(market, context, mock, answer, error):
    mock.get(LIST, **answer)
    with pytest.raises(error):
        market.models(context)


def test_a_cancelled_wait_sends_nothing_more(market, context, clock, mock):
    mock.get(LIST, json=good([]))
    market.models(context)
    clock.on_wait = context.cancel
    with pytest.raises(CancelledError):
        market.models(context)
    assert len(mock.calls) == 1
