"""When a task that no call waits for is looked at next."""

from __future__ import annotations

import pytest

from kie_mcp.jobs.unattended import Unattended


@pytest.fixture
def unattended(clock):
    return Unattended(clock)


def test_what_is_due_is_taken_once(unattended, clock):
    unattended.add("a")
    unattended.add("b", 10)
    assert unattended.take_due() == ["a"]
    assert unattended.take_due() == []
    clock.time += 10
    assert unattended.take_due() == ["b"]


def test_the_earlier_time_counts(unattended, clock):
    unattended.add("a", 600)
    unattended.add("a")
    assert unattended.take_due() == ["a"]
    clock.time += 600
    assert unattended.take_due() == []


def test_the_wait_lasts_until_the_next_is_due(unattended, clock):
    unattended.add("a", 10)
    unattended.add("b", 30)
    unattended.wait()
    assert clock.waits == [10.0]


def test_without_tasks_the_wait_has_no_end(unattended, clock):
    unattended.wait()
    assert clock.waits == [float("inf")]


@pytest.mark.parametrize("wake", [lambda unattended: unattended.wake(), lambda unattended: unattended.add("a")])
def test_a_wait_is_ended_by_whoever_adds_or_wakes(clock, wake):
    unattended = Unattended(clock)
    ended = []
    clock.wait = lambda event, _seconds: ended.append(event.is_set())
    wake(unattended)
    unattended.wait()
    unattended.wait()
    assert ended == [True, False]
