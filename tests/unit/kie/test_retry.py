"""What is tried again, how often, after how long, and never after a cancel."""

from __future__ import annotations

import logging
import random

import pytest

from kie_mcp.errors import (
    AuthError,
    CancelledError,
    InputError,
    NetworkError,
    NotAcceptedError,
    NotConnectedError,
    RateLimitError,
    ServerError,
    UnclearAnswerError,
)
from kie_mcp.kie.retry import RETRY_AFTER_CAP, certainly_not_accepted, retrying, transient

EVERY = [
    AuthError("a"),
    InputError("a"),
    NetworkError("a"),
    NotConnectedError("a"),
    RateLimitError("a"),
    ServerError("a"),
    NotAcceptedError("a"),
    UnclearAnswerError("a"),
    CancelledError("a"),
    ValueError("a"),
]


class Failing:
    """Raises what it was given, in turn, then returns; counts its calls."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def run(make_config, context):
    def call(send, worth=transient, seed=1, **values):
        return retrying(make_config(**values), context, random.Random(seed), worth)(send)

    return call


def names(worth):
    return {type(error).__name__ for error in EVERY if worth(error)}


def test_a_task_is_sent_again_only_where_nothing_can_have_been_made():
    assert names(certainly_not_accepted) == {"NotConnectedError", "NotAcceptedError"}


def test_what_changes_nothing_is_sent_again_after_any_passing_failure():
    assert names(transient) == {
        "NetworkError",
        "NotConnectedError",
        "RateLimitError",
        "ServerError",
        "NotAcceptedError",
        "UnclearAnswerError",
    }


@pytest.mark.parametrize("worth", [certainly_not_accepted, transient])
def test_a_failure_that_asking_again_cannot_help_is_final(worth):
    assert not worth(NotConnectedError("certificate", retryable=False))


@pytest.mark.parametrize("seed", range(20))
def test_waits_double_and_are_jittered(run, clock, seed):
    send = Failing(*[NetworkError("x") for _ in range(5)])
    assert run(send, seed=seed, http_retries=6, http_retry_backoff_seconds=2) == "done"
    assert len(clock.waits) == 5
    for attempt, wait in enumerate(clock.waits):
        assert 0.75 <= wait / (2 * 2**attempt) <= 1.25


def test_two_callers_do_not_wait_alike(run, clock):
    for seed in (1, 2):
        run(Failing(NetworkError("x")), seed=seed)
    assert clock.waits[0] != clock.waits[1]


def test_a_delay_of_nothing_is_possible_for_as_many_attempts_as_there_can_be(run, clock):
    run(Failing(*[NetworkError("x") for _ in range(99)]), http_retries=100, http_retry_backoff_seconds=0)
    assert set(clock.waits) == {0}


@pytest.mark.parametrize(("asked", "waited"), [(0, 0), (7.5, 7.5), (RETRY_AFTER_CAP, 60), (86400, 60)])
def test_the_wait_that_is_asked_for_is_honoured_and_capped(run, clock, asked, waited):
    run(Failing(RateLimitError("x", retry_after=asked)))
    assert clock.waits == [waited]


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_the_last_failure_is_raised_when_the_attempts_are_used_up(run, clock, attempts):
    last = UnclearAnswerError("last")
    send = Failing(*[NetworkError("x") for _ in range(attempts - 1)], last)
    with pytest.raises(UnclearAnswerError) as caught:
        run(send, http_retries=attempts)
    assert caught.value is last
    assert send.calls == attempts
    assert len(clock.waits) == attempts - 1


def test_a_refusal_is_not_tried_again(run, clock):
    send = Failing(AuthError("no"))
    with pytest.raises(AuthError):
        run(send)
    assert (send.calls, clock.waits) == (1, [])


def test_no_attempt_is_made_after_a_cancel(run, clock, context):
    clock.on_wait = context.cancel
    send = Failing(NetworkError("x"))
    with pytest.raises(CancelledError):
        run(send)
    assert send.calls == 1


def test_each_new_attempt_is_noted_with_its_reason(run, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    caplog.set_level(logging.INFO, "kie_mcp")
    run(Failing(NetworkError("it broke")))
    run(Failing(ValueError("odd")), worth=lambda error: isinstance(error, ValueError))
    assert caplog.messages == [
        "attempt 1 failed, trying again: it broke",
        "attempt 1 failed, trying again: ValueError('odd')",
    ]


def test_nothing_is_tried_again_past_the_end_of_the_call(run, clock, context):
    context.deadline = clock.monotonic() + 2
    failing = Failing(*[NetworkError("a")] * 5)
    with pytest.raises(NetworkError):
        run(failing)
    assert clock.monotonic() <= context.deadline
    assert 1 <= failing.calls < 5
