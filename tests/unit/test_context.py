"""What every call gets: progress, waiting, and being cancelled."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError


class RecordingClock(Clock):
    """Waits end at once and are written down."""

    def __init__(self):
        self.waits = []

    def monotonic(self):
        return sum(self.waits)

    def wait(self, event, seconds):
        self.waits.append(seconds)
        return event.is_set()


def test_progress_reaches_the_listener():
    heard = []
    CallContext(listener=lambda *report: heard.append(report)).progress(1, 3, "one of three")
    assert heard == [(1, 3, "one of three")]


def test_progress_without_a_listener_goes_nowhere():
    CallContext().progress(1, None, "nobody listens")


def test_a_sleep_goes_through_the_clock():
    clock = RecordingClock()
    CallContext(clock).sleep(12.5)
    assert clock.waits == [12.5]


def test_a_call_that_was_not_cancelled_goes_on():
    context = CallContext()
    context.raise_if_cancelled()
    assert not context.cancelled


def test_a_cancelled_call_raises_at_every_step():
    context = CallContext(RecordingClock())
    context.cancel()
    context.cancel()
    assert context.cancelled
    with pytest.raises(CancelledError):
        context.raise_if_cancelled()
    with pytest.raises(CancelledError):
        context.sleep(60)


def test_cancelling_wakes_a_sleep_under_way():
    context = CallContext()
    sleeping = threading.Event()
    ended = []

    class Announcing(Clock):
        def wait(self, event, seconds):
            sleeping.set()
            return super().wait(event, seconds)

    context.clock = Announcing()

    def sleep():
        try:
            context.sleep(60)
        except CancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    assert sleeping.wait(10)
    context.cancel()
    thread.join(10)
    assert len(ended) == 1


def test_a_child_is_cancelled_with_its_parent_and_reports_for_itself():
    parent_heard, child_heard = [], []
    parent = CallContext(RecordingClock(), lambda *report: parent_heard.append(report))
    child = parent.child(lambda *report: child_heard.append(report))
    child.progress(1, 2, "half")
    parent.cancel()
    assert child.cancelled
    assert child.clock is parent.clock
    assert (parent_heard, child_heard) == ([], [(1, 2, "half")])


def test_cancelling_a_child_cancels_the_call():
    parent = CallContext()
    parent.child(None).cancel()
    assert parent.cancelled


def test_a_call_without_a_deadline_has_all_the_time():
    assert CallContext().remaining() == float("inf")


def test_the_time_that_is_left_is_never_negative_and_holds_for_the_parts():
    context = CallContext(RecordingClock())
    context.deadline = 5
    assert context.child(None).remaining() == 5
    context.sleep(7)
    assert context.remaining() == 0
