"""When polls come, and that all tasks of all processes take turns."""

from __future__ import annotations

import itertools
import logging
import threading

import pytest

from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, ConfigError
from kie_mcp.jobs.waiting import DOCUMENT, NoTurnError, PollGate, next_delay
from kie_mcp.ledger.documents import SqliteDocuments

INTERVALS = (0.05, 0.5, 1, 3, 7, 10, 45, 119, 120, 200, 5000)
LEARNED = ([], [40.0, 50.0], [0.2, 5.0, 9.0], [12.0, 13.0, 14.0], [33.0, 40.0, 41.0], [200.0, 210.0, 500.0])
ENDS = (0.01, 0.4, 1, 2.9, 5, 11.9, 30, 59, 60.5, 100, 118, 119.9, 120, 121, 131, 133, 150, 299, 601, 3600)


def polls(interval, learned):
    """The seconds, since submission, at which a task is polled."""
    waited = next_delay(0.0, interval, learned)
    while True:
        yield waited
        waited += next_delay(waited, interval, learned)


@pytest.mark.parametrize("learned", LEARNED, ids=str)
def test_success_is_noticed_within_the_interval_when_young_and_within_a_tenth_of_its_age_later(learned):
    for interval, end in itertools.product(INTERVALS, ENDS):
        noticed = next(poll for poll in polls(interval, learned) if poll >= end)
        allowed = interval if end < 120 else end / 10
        assert noticed - end <= allowed + 1e-9, (interval, end)


def test_polls_of_a_task_that_nothing_is_known_of_ease_off():
    young = list(itertools.takewhile(lambda poll: poll < 120, polls(3, [])))
    late = list(itertools.takewhile(lambda poll: poll < 600, polls(3, [])))
    gaps = [later - earlier for earlier, later in itertools.pairwise(young)]
    assert young[0] == 0.75
    assert gaps == pytest.approx(sorted(gaps))
    assert len(young) < 75
    assert len(late) - len(young) < 30


@pytest.mark.parametrize("end", [10, 15, 20, 30, 60, 100])
def test_success_is_noticed_on_average_within_a_twentieth_of_the_time(end):
    for learned in ([], [0.8 * end, end, 1.3 * end]):
        ends = [end * (0.8 + part / 250) for part in range(100)]
        late = [next(poll for poll in polls(3, learned) if poll >= moment) / moment - 1 for moment in ends]
        assert sum(late) / len(late) < 0.04


@pytest.mark.parametrize(
    ("learned", "expected"),
    [
        ([], 0.75),
        ([2.0, 2.0], 0.75),  # two are too few to go by
        ([2.0, 2.2, 5.0], 1.5),  # Kie's times are rounded
        ([0.1, 3.0, 3.0], 0.375),
        ([50.0, 55.0, 60.0], 3),
        ([1.0] * 4 + [20.0] * 46, 3),  # so few have never been so quick again
    ],
)
def test_the_first_poll_follows_the_times_that_the_model_has_taken_before(learned, expected):
    assert next_delay(0.0, 3, learned) == pytest.approx(expected)


def test_a_task_that_cannot_be_done_yet_is_asked_seldom_and_one_that_may_be_done_often():
    learned = [40.0, 44.0, 50.0]
    assert next_delay(20.0, 3, learned) == 3
    assert next_delay(38.0, 3, learned) == pytest.approx(1.5)
    assert next_delay(39.5, 3, learned) == pytest.approx(39.5 / 25)


def test_who_cannot_be_done_yet_yields_its_turns_while_polls_queue_up():
    learned = [40.0, 44.0, 50.0]
    assert next_delay(20.0, 3, learned, backlog=0.2) == 3
    assert next_delay(20.0, 3, learned, backlog=0.35) == pytest.approx(3.2)
    assert next_delay(36.0, 3, learned, backlog=9.0) == pytest.approx(3.5)
    assert next_delay(42.0, 3, learned, backlog=9.0) == next_delay(42.0, 3, learned)
    assert next_delay(42.0, 3, [], backlog=9.0) == next_delay(42.0, 3, [])


@pytest.mark.parametrize("backlog", [1.0, 5.0, 11.0])
def test_who_yields_has_its_turn_when_everybody_else_has_had_one(backlog):
    assert next_delay(3, 3, [60.0] * 10, backlog) == pytest.approx(3 + backlog)


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


@pytest.mark.parametrize("behind", [1, 2, 20])
def test_a_turn_that_does_not_come_by_the_deadline_is_given_up(clock, behind):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    gate.wait_turn(context)
    gate._queue.extend(range(behind))
    context.deadline = 0.05
    with pytest.raises(NoTurnError) as caught:
        gate.wait_turn(context)
    assert caught.value.retryable
    assert clock.time == pytest.approx(0.05)
    assert len(gate._queue) == behind


def test_a_turn_that_comes_by_the_deadline_is_taken(clock):
    gate, context = PollGate(clock, per_second=10), CallContext(clock)
    context.deadline = 0.0
    gate.wait_turn(context)
    context.deadline = 0.11
    gate.wait_turn(context)
    assert clock.time == pytest.approx(0.1)


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


@pytest.fixture
def documents(tmp_path, clock):
    documents = SqliteDocuments(tmp_path / "window.sqlite3", clock)
    yield documents
    documents.close()


def test_the_turns_of_gates_that_share_documents_follow_each_other(documents, clock):
    gates, turns = [PollGate(clock, documents) for _ in range(3)], []
    for gate in gates * 5:
        gate.wait_turn(CallContext(clock))
        turns.append(clock.monotonic())
    assert all(later - earlier == pytest.approx(1 / 9) for earlier, later in itertools.pairwise(turns))


def test_a_gate_alone_is_no_slower_with_documents(documents, clock):
    gate = PollGate(clock, documents, per_second=10)
    for _ in range(21):
        gate.wait_turn(CallContext(clock))
    assert clock.monotonic() == pytest.approx(2.0)


def reserve(gate):
    """Queue up and reserve a moment, but do not take it; in how many seconds it is."""
    place = object()
    gate._queue.append(place)
    return gate._until_turn(place)


def test_a_turn_that_was_reserved_and_not_taken_is_taken_by_the_next(documents, clock):
    gate = PollGate(clock, documents, per_second=10)
    gate.wait_turn(CallContext(clock))
    assert reserve(gate) == pytest.approx(0.1)
    gate._queue.append("the next")
    gate._leave(gate._queue[0])
    assert gate._until_turn("the next") == pytest.approx(0.1)
    PollGate(clock, documents, per_second=10).wait_turn(CallContext(clock))
    assert clock.monotonic() == pytest.approx(0.2)


def test_a_turn_that_nobody_is_left_to_take_is_forgotten(documents, clock):
    gate = PollGate(clock, documents, per_second=10)
    gate.wait_turn(CallContext(clock))
    cancelled = CallContext(clock)
    cancelled.cancel()
    with pytest.raises(CancelledError):
        gate.wait_turn(cancelled)
    clock.time = 5.0
    for _ in range(2):
        gate.wait_turn(CallContext(clock))
    assert clock.monotonic() == pytest.approx(5.1)


def test_a_process_that_dies_costs_one_turn(documents, clock):
    reserve(PollGate(clock, documents, per_second=10))
    reserve(PollGate(clock, documents, per_second=10))
    gate = PollGate(clock, documents, per_second=10)
    gate.wait_turn(CallContext(clock))
    assert clock.monotonic() == pytest.approx(0.2)


def test_who_is_late_polls_all_the_same_and_then_not_at_once_again(documents, clock):
    gate = PollGate(clock, documents, per_second=10)
    gate.wait_turn(CallContext(clock))
    clock.on_wait = lambda: setattr(clock, "time", 0.19)  # the system was busy; the moment was 0.1
    gate.wait_turn(CallContext(clock))
    clock.on_wait = None
    gate.wait_turn(CallContext(clock))
    assert clock.time == pytest.approx(0.29)


@pytest.mark.parametrize("jump", [-86_400, -7, 86_400])
def test_a_wall_clock_that_jumps_changes_nothing(documents, clock, jump):
    gate = PollGate(clock, documents)
    gate.wait_turn(CallContext(clock))
    clock.shift += jump
    gate.wait_turn(CallContext(clock))
    assert clock.monotonic() == pytest.approx(1 / 9)


@pytest.mark.parametrize("before", [500_000.0, 20.0])
def test_a_moment_from_before_the_machine_started_again_blocks_no_poll(documents, clock, before):
    clock.time = before
    PollGate(clock, documents).wait_turn(CallContext(clock))
    clock.time = 100.0
    PollGate(clock, documents).wait_turn(CallContext(clock))
    assert clock.waits == []


def test_who_waits_behind_may_leave_while_the_first_reserves_a_moment(documents, clock, monkeypatch):
    asking, go_on = threading.Event(), threading.Event()
    real = documents.change

    def slow(name, step):
        asking.set()
        assert go_on.wait(30)
        return real(name, step)

    monkeypatch.setattr(documents, "change", slow)
    gate = PollGate(clock, documents)
    first = threading.Thread(target=gate.wait_turn, args=(CallContext(clock),))
    first.start()
    assert asking.wait(30)
    cancelled = CallContext(clock)
    clock.on_wait = cancelled.cancel
    with pytest.raises(CancelledError):
        gate.wait_turn(cancelled)
    go_on.set()
    first.join(30)
    assert not gate._queue


def test_the_backlog_counts_what_others_take(documents, clock):
    gates = [PollGate(clock, documents, per_second=10) for _ in range(3)]
    gates[0].wait_turn(CallContext(clock))
    for gate in gates[1:]:
        reserve(gate)
    last = gates[-1]
    assert last._turn == pytest.approx(0.2)
    last._queue.extend(["and", "others"])
    assert last.backlog() == pytest.approx(0.2 + 3 * 0.2)


def test_documents_that_cannot_be_used_leave_this_process_its_own_turns(documents, clock, monkeypatch, caplog):
    asked = []

    def full(*_):
        asked.append(clock.time)
        raise ConfigError("The disk is full.")

    monkeypatch.setattr(documents, "change", full)
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    gate = PollGate(clock, documents, per_second=10)
    for _ in range(151):
        gate.wait_turn(CallContext(clock))
    assert clock.monotonic() == pytest.approx(15.0)
    assert len(asked) == 2
    assert caplog.text.count("The disk is full.") == 2


def test_the_document_of_the_turns_is_one_number(documents, clock):
    PollGate(clock, documents, per_second=10).wait_turn(CallContext(clock))
    kept = documents.change(DOCUMENT, lambda document, _now: dict(document))
    assert kept == {"next": pytest.approx(clock.monotonic() + 0.1)}
