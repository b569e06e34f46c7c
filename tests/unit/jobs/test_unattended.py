"""When a task that no call waits for is looked at next."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.clock import Clock
from kie_mcp.jobs.unattended import Unattended


@pytest.fixture
def unattended(clock):
    return Unattended(clock)


def test_what_is_due_is_taken_once(unattended, clock):
    unattended.add("a")
    unattended.add("b", 10)
    assert unattended.take_due() == "a"
    assert unattended.take_due() is None
    clock.time += 10
    assert unattended.take_due() == "b"


def test_the_earlier_time_counts(unattended, clock):
    unattended.add("a", 600)
    unattended.add("a")
    assert unattended.take_due() == "a"
    clock.time += 600
    assert unattended.take_due() is None


def test_the_wait_lasts_until_the_next_is_due(unattended, clock):
    unattended.add("a", 10)
    unattended.add("b", 30)
    assert unattended.take() == "a"
    assert clock.waits == [10.0]


def test_who_waits_gets_what_is_added():
    unattended = Unattended(Clock())
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(unattended.take())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for name in "abcd":
        unattended.add(name)
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == list("abcd")


def test_once_it_is_closed_nobody_waits():
    unattended = Unattended(Clock())
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(unattended.take())) for _ in range(4)]
    for thread in threads:
        thread.start()
    unattended.close()
    for thread in threads:
        thread.join(30)
    assert taken == [None] * 4
