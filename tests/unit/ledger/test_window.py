"""The shared rate window."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, ConfigError, RateLimitError
from kie_mcp.ledger import RateWindow
from kie_mcp.ledger.documents import SqliteDocuments
from kie_mcp.ledger.window import DOCUMENT

PLACE, OWNER, UNTIL = 0, 1, 2


@pytest.fixture
def context(clock):
    return CallContext(clock)


@pytest.fixture
def window(documents, clock):
    """Three new tasks in ten seconds."""
    return RateWindow(documents, Rate(3, 10), clock)


@pytest.fixture
def fill(window, context):
    """A function that takes all three slots and settles them."""

    def take():
        for _ in range(3):
            window.settle(window.acquire(context))

    return take


def seen(documents, key):
    """A part of the document."""
    return documents.change(DOCUMENT, lambda document, _now: document.get(key))


def queue_others(documents, count, seconds, owner="other"):
    """Let other processes wait, whose leases end in so many seconds."""

    def queue(document, now):
        document["line"] = [[f"place-{number}", owner, now + seconds] for number in range(count)]

    documents.change(DOCUMENT, queue)


def test_a_free_slot_is_given_at_once(window, context, clock):
    tickets = [window.acquire(context) for _ in range(3)]
    assert len(set(tickets)) == 3
    assert clock.waits == []


def test_a_full_window_is_waited_for(fill, window, context, clock):
    fill()
    window.acquire(context)
    assert clock.time == 10
    assert max(clock.waits) <= 1


def test_a_slot_frees_one_window_after_it_was_settled_not_reserved(window, context, clock):
    tickets = [window.acquire(context) for _ in range(3)]
    clock.time += 4
    for ticket in tickets:
        window.settle(ticket)
    window.acquire(context)
    assert clock.time == pytest.approx(14)


def test_settling_twice_changes_nothing(window, context, clock):
    ticket = window.acquire(context)
    window.settle(ticket)
    clock.time += 9
    window.settle(ticket)
    for _ in range(3):
        window.acquire(context)
    assert clock.time == pytest.approx(10)


def test_an_unsettled_ticket_holds_its_slot_until_it_is_settled(window, context, clock):
    tickets = [window.acquire(context) for _ in range(3)]

    def settle_late():
        if clock.time >= 30:
            for ticket in tickets:
                window.settle(ticket)

    clock.on_wait = settle_late
    window.acquire(context)
    assert 40 <= clock.time <= 42


def test_a_killed_process_does_not_block_the_window_for_ever(window, context, clock):
    for _ in range(3):
        window.acquire(context)
    window.acquire(context)
    assert clock.time == pytest.approx(130)


def test_a_ticket_that_was_forgotten_counts_once_it_is_settled(window, context, clock):
    late = window.acquire(context)
    clock.time += 500
    window.settle(window.acquire(context))
    window.settle(late)
    window.settle(window.acquire(context))
    window.acquire(context)
    assert clock.time == pytest.approx(510)


def test_old_tickets_are_cleared_away(window, context, clock, documents):
    for _ in range(50):
        window.settle(window.acquire(context))
    assert len(seen(documents, "slots")) <= 3


def test_a_pause_holds_for_every_window_on_the_file(window, context, clock, documents):
    window.slow_down(5)
    RateWindow(documents, Rate(3, 10), clock).acquire(context)
    assert clock.time == pytest.approx(5)


def test_a_pause_is_never_shortened(documents, context, clock):
    window = RateWindow(documents, Rate(100, 10), clock)
    window.slow_down(5)
    window.slow_down(1)
    window.acquire(context)
    assert clock.time == pytest.approx(5)
    window.slow_down(1)
    window.acquire(context)
    assert clock.time == pytest.approx(6)


def test_a_cancel_ends_the_wait_and_gives_the_place_back(fill, window, context, clock, documents):
    fill()
    clock.on_wait = context.cancel
    with pytest.raises(CancelledError):
        window.acquire(context)
    assert len(clock.waits) == 1
    assert seen(documents, "line") == []
    with pytest.raises(CancelledError):
        window.acquire(context)


def test_a_wait_past_the_deadline_is_given_up_at_once(fill, window, context, clock, documents):
    fill()
    clock.time += 2
    with pytest.raises(RateLimitError, match="nothing was sent") as caught:
        window.acquire(context, give_up_at=clock.monotonic() + 7)
    assert caught.value.retry_after == pytest.approx(8)
    assert clock.waits == []
    assert seen(documents, "line") == []


def test_a_wait_within_the_deadline_is_waited_for(fill, window, context, clock):
    fill()
    window.acquire(context, give_up_at=clock.monotonic() + 10.5)
    assert clock.time == pytest.approx(10)


def test_a_wait_for_an_unsettled_ticket_ends_at_the_deadline(window, context, clock):
    for _ in range(3):
        window.acquire(context)
    with pytest.raises(RateLimitError):
        window.acquire(context, give_up_at=30)
    assert 19 <= clock.time <= 30


@pytest.mark.parametrize("settled", [True, False])
def test_a_wall_clock_that_jumps_changes_nothing(window, context, clock, settled):
    for _ in range(3):
        ticket = window.acquire(context)
        if settled:
            window.settle(ticket)
    clock.shift += 86_400
    with pytest.raises(RateLimitError):
        window.acquire(context, 9)
    clock.shift -= 2 * 86_400
    with pytest.raises(RateLimitError):
        window.acquire(context, 9)


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize(("before", "after"), [(500_000.0, 30.0), (30.0, 400.0)], ids=["far ahead", "behind"])
def test_what_is_from_before_the_machine_started_again_blocks_nothing(
    documents, context, clock, settled, before, after
):
    clock.time = before
    killed = RateWindow(documents, Rate(3, 10), clock, owner="killed")
    for _ in range(3):
        ticket = killed.acquire(context)
        if settled:
            killed.settle(ticket)
    killed.slow_down(60)
    queue_others(documents, 3, 9)
    clock.time = after
    window = RateWindow(documents, Rate(3, 10), clock)
    for _ in range(3):
        window.acquire(context)
    assert clock.waits == []


def test_what_is_a_little_ahead_after_the_machine_started_again_holds_for_less_than_two_windows(
    fill, context, clock, documents
):
    clock.time = 109.0
    fill()
    clock.time = 100.0
    RateWindow(documents, Rate(3, 10), clock).acquire(context)
    assert clock.time < 120


def test_those_who_came_first_keep_their_slots(window, context, clock, documents):
    queue_others(documents, 2, 9)
    window.acquire(context)
    assert clock.time == 0
    window.acquire(context)
    assert clock.time >= 9


def test_a_waiter_without_a_sign_of_life_loses_its_place(window, context, clock, documents):
    queue_others(documents, 3, 4)
    window.acquire(context)
    assert 4 <= clock.time <= 5


def test_a_waiter_from_the_future_is_ignored(window, context, clock, documents):
    queue_others(documents, 3, 1000)
    window.acquire(context)
    assert clock.time == 0


def test_a_long_wait_keeps_its_place(fill, window, context, clock, documents):
    fill()
    window.slow_down(60)
    leases = []

    def look():
        ((_, _, until),) = seen(documents, "line")
        leases.append(until - clock.monotonic())

    clock.on_wait = look
    window.acquire(context)
    assert clock.time == pytest.approx(60)
    assert min(leases) >= 4
    assert max(leases) <= 10


def test_a_process_whose_place_was_lost_queues_again(fill, window, context, clock, documents):
    fill()

    def clear():
        clock.on_wait = None
        documents.change(DOCUMENT, lambda document, _now: document.update(line=[]))

    clock.on_wait = clear
    window.acquire(context)
    assert clock.time == pytest.approx(10)


def test_a_document_that_was_lost_counts_from_the_next_ticket(fill, window, context, clock, documents):
    fill()
    documents.change(DOCUMENT, lambda document, _now: document.clear())
    window.acquire(context)
    assert clock.time == 0


def test_an_answer_settles_no_ticket_of_another_process_that_has_the_same_number(documents, context, clock):
    first, second = (RateWindow(documents, Rate(1, 10), clock, owner=name) for name in ("first", "second"))
    ticket = first.acquire(context)
    documents.change(DOCUMENT, lambda document, _now: document.clear())
    assert second.acquire(context) == ticket
    clock.time = 5.0
    first.settle(ticket)
    assert seen(documents, "slots") == [[ticket, "second", 0.0, None], [ticket, "first", 5.0, 5.0]]


@pytest.fixture
def dead():
    """The owners that are gone; filled by tests."""
    return set()


@pytest.fixture
def asked():
    """Everyone whose life was asked after."""
    return []


@pytest.fixture
def successor(documents, clock, dead, asked):
    """Another process on the same document, that can see who is gone."""

    def is_alive(owner):
        asked.append(owner)
        return owner not in dead

    return RateWindow(documents, Rate(3, 10), clock, owner="successor", is_alive=is_alive)


def test_what_a_dead_process_holds_is_settled_when_it_is_noticed(documents, successor, context, clock, dead):
    killed = RateWindow(documents, Rate(3, 10), clock, owner="killed")
    for _ in range(3):
        killed.acquire(context)
    clock.time = 5.0
    dead.add("killed")
    successor.acquire(context)
    assert clock.time == pytest.approx(15)


def test_nobody_waits_behind_a_dead_process(documents, successor, context, clock, dead):
    queue_others(documents, 3, 9.9, owner="killed")
    dead.add("killed")
    successor.acquire(context)
    assert clock.time == 0


def test_who_holds_nothing_that_is_waited_for_is_not_asked_after(documents, successor, context, asked):
    other = RateWindow(documents, Rate(3, 10), clock=Clock(), owner="other")
    other.acquire(context)
    successor.acquire(context)
    assert asked == []


def test_the_living_are_asked_after_rarely_and_keep_what_they_hold(documents, successor, context, clock, asked):
    other = RateWindow(documents, Rate(3, 10), clock, owner="other")
    tickets = [other.acquire(context) for _ in range(3)]
    clock.on_wait = lambda: [other.settle(ticket) for ticket in tickets] if clock.time >= 20 else None
    successor.acquire(context)
    assert clock.time >= 30
    assert 5 <= len(asked) <= 11


def test_processes_take_turns_however_many_wait_in_one(documents, context, clock):
    """Ten threads of one process and one of another: the other does not wait for all ten."""
    crowd, single = (RateWindow(documents, Rate(1, 10), clock, owner=name) for name in ("crowd", "single"))
    crowd.settle(crowd.acquire(context))
    waiters = [object() for _ in range(3)]
    crowd._queue.extend(waiters)
    assert crowd._try(waiters[0], None).number is None
    alone = object()
    single._queue.append(alone)
    assert single._try(alone, None).number is None
    for clock.time in (6.0, 9.0):
        assert single._try(alone, None).number is None
        assert crowd._try(waiters[0], None).number is None
    clock.time = 10.0
    crowd.settle(crowd._try(waiters[0], None).number)
    for clock.time in (14.0, 18.0):
        assert single._try(alone, None).number is None
    clock.time = 20.0
    assert crowd._try(waiters[1], None).number is None
    assert single._try(alone, None).number is not None


def test_only_the_first_in_the_queue_asks_the_document(window, fill, context, clock, documents, monkeypatch):
    fill()
    waiters = [object() for _ in range(100)]
    window._queue.extend(waiters)
    first = window._try(waiters[0], None)
    monkeypatch.setattr(documents, "change", None)
    clock.time = 1.0
    waits = [window._try(waiter, None).wait for waiter in waiters[1:]]
    assert first.wait == pytest.approx(10)
    assert waits == pytest.approx([9.0] * 99)


def test_who_comes_before_the_first_has_asked_comes_back_soon(window, documents):
    waiters = [object(), object()]
    window._queue.extend(waiters)
    assert window._try(waiters[1], None).wait < 0.01


class Failing:
    """Documents that fail while ``why`` is set."""

    def __init__(self, documents):
        self._documents = documents
        self.why = None
        self.worked = True
        self.asked = 0

    def change(self, name, step):
        self.asked += 1
        if self.why:
            raise ConfigError(self.why, next_step="Free some disk.")
        return self._documents.change(name, step)


@pytest.fixture
def failing(documents):
    return Failing(documents)


@pytest.fixture
def shaky(failing, clock):
    """A window on documents that can be made to fail."""
    return RateWindow(failing, Rate(3, 10), clock)


def test_a_place_that_cannot_be_given_up_is_no_second_error(shaky, failing, context, clock):
    for _ in range(3):
        shaky.acquire(context)

    def cancel():
        failing.why = "The disk is full."
        context.cancel()

    clock.on_wait = cancel
    with pytest.raises(CancelledError):
        shaky.acquire(context)


def test_documents_that_never_worked_are_an_error_at_once_and_leave_no_waiter(shaky, failing, context, clock):
    failing.why, failing.worked = "The disk is full.", False
    with pytest.raises(ConfigError, match=r"The disk is full\. So nothing was sent\.") as caught:
        shaky.acquire(context)
    assert caught.value.next_step == "Free some disk."
    assert clock.waits == []
    assert not shaky._queue


def test_documents_that_fail_in_passing_are_waited_for(shaky, failing, context, clock):
    failing.why = "The server starts again."
    clock.on_wait = lambda: setattr(failing, "why", None) if clock.time >= 3 else None
    shaky.acquire(context)
    assert clock.waits == [1, 1, 1]


def test_documents_that_fail_for_long_are_an_error_once_and_for_all_that_wait(shaky, failing, context, clock):
    failing.why = "The server is gone."
    with pytest.raises(ConfigError, match="The server is gone"):
        shaky.acquire(context)
    assert clock.time == pytest.approx(30)
    with pytest.raises(ConfigError):
        shaky.acquire(context)
    assert clock.time == pytest.approx(30)
    failing.why = None
    shaky.acquire(context)
    failing.why = "The server is gone again."
    with pytest.raises(ConfigError, match="again"):
        shaky.acquire(context)
    assert clock.time == pytest.approx(60)


def test_a_deadline_ends_the_wait_for_documents(shaky, failing, context, clock):
    failing.why = "The file is busy."
    with pytest.raises(ConfigError, match="The file is busy"):
        shaky.acquire(context, give_up_at=2.5)
    assert clock.time == pytest.approx(2)


def test_a_cancel_ends_the_wait_for_documents(shaky, failing, context, clock):
    failing.why = "The file is busy."
    clock.on_wait = context.cancel
    with pytest.raises(CancelledError):
        shaky.acquire(context)
    assert len(clock.waits) == 1


def test_while_documents_fail_only_the_first_in_the_queue_tries(shaky, failing, clock):
    failing.why = "The server starts again."
    waiters = [object() for _ in range(100)]
    shaky._queue.extend(waiters)
    assert [shaky._try(waiter, None).wait for waiter in waiters] == pytest.approx([1.0] * 100)
    assert failing.asked == 1


def test_a_ticket_that_could_not_be_settled_is_settled_with_the_next_change(shaky, failing, context, clock, documents):
    tickets = [shaky.acquire(context) for _ in range(3)]
    failing.why = "The server starts again."
    for ticket in tickets:
        with pytest.raises(ConfigError):
            shaky.settle(ticket)
    failing.why = None
    clock.time = 4.0
    shaky.acquire(context)
    assert clock.time == pytest.approx(14)


def test_a_file_that_stays_busy_ends_no_call_late(file):
    clock = Clock()
    documents, context = SqliteDocuments(file, clock), CallContext(clock)
    window, ended = RateWindow(documents, Rate(3, 10), clock), []

    def wait():
        with pytest.raises(CancelledError):
            window.acquire(context, began + 60)
        ended.append(clock.monotonic() - began)

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = clock.monotonic()
        threads = [threading.Thread(target=wait) for _ in range(8)]
        for thread in threads:
            thread.start()
        context.cancel()
        for thread in threads:
            thread.join(30)
        other.execute("ROLLBACK")
    documents.close()
    assert len(ended) == 8
    assert max(ended) < 20, "eight threads that wait for the file one after the other"


def test_a_wide_window_costs_no_more_than_a_narrow_one(documents, context, clock):
    window = RateWindow(documents, Rate(100_000, 1), clock)
    waiters = [object() for _ in range(5)]
    window._queue.extend(waiters)
    assert len([*window._try(waiters[0], None).opens]) == 4
    assert window._try(waiters[1], None).number is not None


def test_a_hundred_threads_get_their_slots_and_no_window_has_too_many(file):
    clock, given, lock = Clock(), [], threading.Lock()
    documents = SqliteDocuments(file, clock)
    window = RateWindow(documents, Rate(40, 0.5), clock)

    def send():
        ticket = window.acquire(CallContext(clock), clock.monotonic() + 30)
        with lock:
            given.append(clock.monotonic())
        window.settle(ticket)

    threads = [threading.Thread(target=send) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    documents.close()
    given.sort()
    assert len(given) == 100
    assert all(later - earlier >= 0.49 for earlier, later in zip(given, given[40:], strict=False))
    assert given[-1] - given[0] < 4


def test_two_processes_share_one_window(processes, file):
    script = """
import sys, threading
from pathlib import Path
from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.ledger import RateWindow
from kie_mcp.ledger.documents import SqliteDocuments
clock, sent = Clock(), []
window = RateWindow(SqliteDocuments(Path(sys.argv[1]), clock), Rate(10, 1), clock)
def send():
    for _ in range(3):
        ticket = window.acquire(CallContext(clock), clock.monotonic() + 30)
        sent.append(clock.monotonic())
        window.settle(ticket)
threads = [threading.Thread(target=send) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*sent)
"""
    sent = sorted(float(line) for output in processes(script, 2, file) for line in output.split())
    assert len(sent) == 36
    assert min(later - earlier for earlier, later in zip(sent, sent[10:], strict=False)) >= 0.99
    assert sent[-1] - sent[0] < 15


def test_after_too_many_requests_a_window_has_fewer(documents, context, clock):
    window = RateWindow(documents, Rate(20, 10), clock)
    window.slow_down(1)
    for _ in range(14):
        window.settle(window.acquire(context))
    assert clock.time == pytest.approx(1)
    window.settle(window.acquire(context))
    assert 2 <= clock.time <= 4  # the rate has risen meanwhile
