"""The shared rate window."""

from __future__ import annotations

import pytest

from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, RateLimitError
from kie_mcp.ledger import RateWindow


@pytest.fixture
def context(clock):
    return CallContext(clock)


@pytest.fixture
def window(database, clock):
    """Three new tasks in ten seconds."""
    return RateWindow(database, Rate(3, 10), clock)


@pytest.fixture
def fill(window, context):
    """A function that takes all three slots and settles them."""

    def take():
        for _ in range(3):
            window.settle(window.acquire(context))

    return take


def waiting(database):
    with database.read() as connection:
        return connection.execute("SELECT count(*) FROM slots WHERE waiting_until IS NOT NULL").fetchone()[0]


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


def test_old_tickets_are_cleared_away(window, context, clock, database):
    for _ in range(50):
        window.settle(window.acquire(context))
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM slots").fetchone()[0] <= 7


def test_a_pause_holds_for_every_window_on_the_file(window, context, clock, database):
    window.slow_down(5)
    RateWindow(database, Rate(3, 10), clock).acquire(context)
    assert clock.time == pytest.approx(5)


def test_a_pause_is_never_shortened(window, context, clock):
    window.slow_down(5)
    window.slow_down(1)
    window.acquire(context)
    assert clock.time == pytest.approx(5)
    window.slow_down(1)
    window.acquire(context)
    assert clock.time == pytest.approx(6)


def test_a_cancel_ends_the_wait_and_gives_the_place_back(fill, window, context, clock, database):
    fill()
    clock.on_wait = context.cancel
    with pytest.raises(CancelledError):
        window.acquire(context)
    assert len(clock.waits) == 1
    assert waiting(database) == 0
    with pytest.raises(CancelledError):
        window.acquire(context)


def test_a_wait_past_the_deadline_is_given_up_at_once(fill, window, context, clock, database):
    fill()
    clock.time += 2
    with pytest.raises(RateLimitError, match="nothing was sent") as caught:
        window.acquire(context, give_up_at=clock.monotonic() + 7)
    assert caught.value.retry_after == pytest.approx(8)
    assert clock.waits == []
    assert waiting(database) == 0


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
def test_a_clock_that_jumps_back_blocks_nothing(window, context, clock, settled):
    for _ in range(3):
        ticket = window.acquire(context)
        if settled:
            window.settle(ticket)
    window.slow_down(5)
    clock.shift -= 86_400
    window.acquire(context)
    assert clock.waits == []


def queue_others(database, clock, count, seconds):
    with database.write() as connection:
        for _ in range(count):
            connection.execute("INSERT INTO slots (waiting_until) VALUES (?)", (clock.now() + seconds,))


def test_those_who_came_first_keep_their_slots(window, context, clock, database):
    queue_others(database, clock, 2, 9)
    window.acquire(context)
    assert clock.time == 0
    window.acquire(context)
    assert clock.time >= 9


def test_a_waiter_without_a_sign_of_life_loses_its_place(window, context, clock, database):
    queue_others(database, clock, 3, 4)
    window.acquire(context)
    assert 4 <= clock.time <= 5


def test_a_waiter_from_the_future_is_ignored(window, context, clock, database):
    queue_others(database, clock, 3, 1000)
    window.acquire(context)
    assert clock.time == 0


def test_a_long_wait_keeps_its_place(fill, window, context, clock, database):
    fill()
    window.slow_down(60)
    leases = []

    def look():
        with database.read() as connection:
            row = connection.execute("SELECT waiting_until FROM slots WHERE waiting_until IS NOT NULL").fetchone()
        leases.append(row[0] - clock.now())

    clock.on_wait = look
    window.acquire(context)
    assert clock.time == pytest.approx(60)
    assert min(leases) >= 4
    assert max(leases) <= 10


def test_a_waiter_whose_row_was_cleared_away_queues_again(fill, window, context, clock, database):
    fill()

    def clear():
        clock.on_wait = None
        with database.write() as connection:
            connection.execute("DELETE FROM slots WHERE waiting_until IS NOT NULL")

    clock.on_wait = clear
    ticket = window.acquire(context)
    assert clock.time == pytest.approx(10)
    with database.read() as connection:
        (reserved,) = connection.execute("SELECT reserved_at FROM slots WHERE ticket = ?", (ticket,)).fetchone()
    assert reserved == pytest.approx(clock.now())


def test_two_processes_share_one_window(processes, path):
    script = """
import sys, threading
from pathlib import Path
from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.ledger import Database, RateWindow
clock, sent = Clock(), []
window = RateWindow(Database(Path(sys.argv[1])), Rate(10, 1), clock)
def send():
    for _ in range(3):
        ticket = window.acquire(CallContext(clock), clock.monotonic() + 30)
        sent.append(clock.now())
        window.settle(ticket)
threads = [threading.Thread(target=send) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*sent)
"""
    sent = sorted(float(line) for output in processes(script, 2, path) for line in output.split())
    assert len(sent) == 36
    assert min(later - earlier for earlier, later in zip(sent, sent[10:], strict=False)) >= 1
    assert sent[-1] - sent[0] < 15
