"""When polls come, and that all tasks of a process take turns."""

from __future__ import annotations

import itertools
import threading

import pytest

from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError
from kie_mcp.jobs.waiting import PollGate, first_delay, next_delay

INTERVALS = (0.05, 0.5, 1, 3, 7, 10, 45, 119, 120, 200, 5000)
LEARNED = ([], [40.0, 50.0], [0.2, 5.0, 9.0], [12.0, 13.0, 14.0], [33.0, 40.0, 41.0], [200.0, 210.0, 500.0])
ENDS = (0.01, 0.4, 1, 2.9, 5, 11.9, 30, 59, 60.5, 100, 118, 119.9, 120, 121, 131, 133, 150, 299, 601, 3600)


def polls(interval, learned):
    """The seconds, since submission, at which a task is polled."""
    waited = first_delay(interval, learned)
    while True:
        yield waited
        waited += next_delay(waited, interval)


@pytest.mark.parametrize("learned", LEARNED, ids=str)
def test_success_is_noticed_within_the_interval_when_young_and_within_a_tenth_of_its_age_later(learned):
    for interval, end in itertools.product(INTERVALS, ENDS):
        noticed = next(poll for poll in polls(interval, learned) if poll >= end)
        allowed = interval if end < 120 else end / 10
        assert noticed - end <= allowed + 1e-9, (interval, end)


def test_polls_ease_off_so_that_a_long_task_costs_few():
    early = list(itertools.takewhile(lambda poll: poll < 120, polls(3, [])))
    late = list(itertools.takewhile(lambda poll: poll < 600, polls(3, [])))
    assert len(early) < 45
    assert len(late) - len(early) < 20


def test_a_short_task_is_polled_more_often_at_first_than_later():
    first = list(itertools.islice(polls(3, []), 4))
    assert first[0] == 1
    assert first[1] - first[0] < 3


@pytest.mark.parametrize(
    ("learned", "expected"),
    [
        ([], 1),
        ([2.0, 2.0], 1),  # two are too few to go by
        ([2.0, 2.2, 5.0], 1.8),
        ([0.1, 3.0, 3.0], 0.3),
        ([50.0, 55.0, 60.0], 3),
    ],
)
def test_the_first_poll_follows_the_times_that_the_model_has_taken_before(learned, expected):
    assert first_delay(3, learned) == pytest.approx(expected)


def test_turns_of_polls_are_so_far_apart_that_no_second_has_more_than_ten(clock):
    gate, context, turns = PollGate(clock), CallContext(clock), []
    for _ in range(60):
        gate.wait_turn(context)
        turns.append(clock.monotonic())
    assert turns[0] == 0
    assert all(later - earlier > 1 for earlier, later in zip(turns, turns[10:], strict=False))


def test_a_poll_after_a_quiet_time_need_not_wait_and_the_quiet_time_is_not_saved_up(clock):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    gate.wait_turn(context)
    clock.time = 100.0
    gate.wait_turn(context)
    gate.wait_turn(context)
    assert sum(clock.waits) == pytest.approx(0.1)


def test_a_late_poll_moves_the_others_on_rather_than_bunching_with_them(clock):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    gate.wait_turn(context)
    clock.on_wait = lambda: setattr(clock, "time", 0.35)  # the system was busy
    gate.wait_turn(context)
    clock.on_wait = lambda: None
    gate.wait_turn(context)
    assert clock.monotonic() == pytest.approx(0.45)


def test_who_comes_first_is_served_first():
    class TellingClock(Clock):
        """Says when its call begins to wait."""

        def __init__(self):
            self.waiting = threading.Event()

        def wait(self, event, seconds):
            self.waiting.set()
            return super().wait(event, seconds)

    gate, order = PollGate(Clock(), per_second=20), []
    gate.wait_turn(CallContext())

    def poll(number, context):
        gate.wait_turn(context)
        order.append(number)

    threads = []
    for number in range(6):
        clock = TellingClock()
        threads.append(threading.Thread(target=poll, args=(number, CallContext(clock))))
        threads[-1].start()
        assert clock.waiting.wait(10)
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4, 5]


def test_a_cancelled_wait_ends_at_once_and_leaves_no_gap(clock):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    gate.wait_turn(context)
    other = CallContext(clock)
    other.cancel()
    with pytest.raises(CancelledError):
        gate.wait_turn(other)
    gate.wait_turn(context)
    assert clock.monotonic() == pytest.approx(0.1)


def test_whose_turn_it_is_although_somebody_ahead_is_late_asks_again_soon(clock):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    gate._queue.append("somebody else")
    clock.on_wait = lambda: gate._queue.remove("somebody else")
    gate.wait_turn(context)
    assert clock.waits == [pytest.approx(0.01)]


def test_the_backlog_is_the_time_that_a_newcomer_would_wait(clock):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    assert gate.backlog() == 0
    gate.wait_turn(context)
    assert gate.backlog() == pytest.approx(0.1)
    seen = []
    clock.on_wait = lambda: seen.append(gate.backlog())
    gate.wait_turn(context)
    assert seen == [pytest.approx(0.1)]  # time has come for the one in the queue, the newcomer is behind it
