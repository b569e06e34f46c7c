"""The clock that the program waits by."""

from __future__ import annotations

import threading
import time

import pytest

from kie_mcp.clock import Clock


def test_now_is_the_wall_clock():
    before = time.time()
    assert before <= Clock().now() <= time.time()


def test_monotonic_never_goes_back():
    clock = Clock()
    assert clock.monotonic() <= clock.monotonic()


def test_a_wait_for_an_event_that_is_set_ends_at_once():
    event = threading.Event()
    event.set()
    assert Clock().wait(event, 60)


@pytest.mark.parametrize("seconds", [0, 0.001, -5])
def test_a_wait_ends_when_the_time_is_up(seconds):
    assert not Clock().wait(threading.Event(), seconds)


@pytest.mark.parametrize("seconds", [1e30, float("inf")])
def test_a_wait_longer_than_the_platform_knows_still_wakes(seconds):
    event = threading.Event()
    thread = threading.Thread(target=event.set)
    thread.start()
    assert Clock().wait(event, seconds)
    thread.join()
