"""The threads that calls run on."""

from __future__ import annotations

import threading
import weakref
from unittest.mock import Mock

import pytest

from kie_mcp.cli.threads import Threads

PATIENCE = 30.0
FOR_EVER = 10 * PATIENCE


class Idle(list):
    """The idle threads; says how many have come."""

    def __init__(self):
        super().__init__()
        self.came = threading.Semaphore(0)

    def append(self, own):
        super().append(own)
        self.came.release()

    def wait_for(self, number):
        assert all(self.came.acquire(timeout=PATIENCE) for _ in range(number))


def names():
    """Of the threads that are alive."""
    return [thread.name for thread in threading.enumerate()]


@pytest.fixture
def no_more_threads(monkeypatch):
    """From the call of this on, the system has no thread left."""

    def refuse(_):
        raise RuntimeError("can't start new thread")

    return lambda: monkeypatch.setattr(threading.Thread, "start", refuse)


class Held:
    """A job that ends when it is told to, and says which thread it ran on."""

    def __init__(self):
        self.begun = threading.Event()
        self.release = threading.Event()
        self.thread = None

    def __call__(self):
        self.thread = threading.current_thread()
        self.begun.set()
        assert self.release.wait(PATIENCE)


def test_jobs_run_side_by_side_up_to_the_limit_and_the_others_in_their_turn():
    threads = Threads(2, "side-by-side")
    first, second, third, fourth = jobs = [Held() for _ in range(4)]
    for job in jobs:
        threads.spawn(job)
    assert first.begun.wait(PATIENCE)
    assert second.begun.wait(PATIENCE)
    assert first.thread is not second.thread
    assert "side-by-side-3" not in names()
    second.release.set()
    assert third.begun.wait(PATIENCE)
    assert third.thread is second.thread
    assert not fourth.begun.is_set()
    assert "side-by-side-3" not in names()
    for job in jobs:
        job.release.set()
    assert fourth.begun.wait(PATIENCE)


def test_a_thread_takes_the_next_job_while_it_waits_for_one():
    threads = Threads(1, "call", idle_seconds=FOR_EVER)
    ran = []
    for _ in range(3):
        done = threading.Event()
        threads.spawn(lambda done=done: (ran.append(threading.current_thread()), done.set()))
        assert done.wait(PATIENCE)
    assert [thread.name for thread in ran] == ["call-1"] * 3


def test_a_thread_with_nothing_to_do_ends_and_the_next_job_gets_another():
    threads = Threads(1, "call", idle_seconds=0)
    ran = []
    for _ in range(2):
        job = Held()
        job.release.set()
        threads.spawn(job)
        assert job.begun.wait(PATIENCE)
        job.thread.join(PATIENCE)
        assert not job.thread.is_alive()
        ran.append(job.thread.name)
    assert ran == ["call-1", "call-2"]


def test_the_thread_that_was_busy_last_gets_the_next_job_so_that_those_of_a_burst_end():
    threads = Threads(2, "call", idle_seconds=FOR_EVER)
    threads._idle = Idle()
    first, second = Held(), Held()
    for job in (first, second):
        threads.spawn(job)
        assert job.begun.wait(PATIENCE)
    for job in (second, first):
        job.release.set()
        threads._idle.wait_for(1)
    for _ in range(3):
        job = Held()
        job.release.set()
        threads.spawn(job)
        threads._idle.wait_for(1)
        assert job.thread is first.thread


def test_of_two_jobs_at_once_neither_waits_for_the_other_behind_one_idle_thread():
    threads = Threads(2, "call", idle_seconds=FOR_EVER)
    threads._idle = Idle()
    threads.spawn(lambda: None)
    threads._idle.wait_for(1)
    first, second = Held(), Held()
    threads.spawn(first)
    threads.spawn(second)
    assert first.begun.wait(PATIENCE)
    assert second.begun.wait(PATIENCE)
    first.release.set()
    second.release.set()


def test_a_job_that_raises_takes_no_place_away():
    threads = Threads(1, "call")
    for error in (ValueError, SystemExit, KeyboardInterrupt):
        threads.spawn(Mock(side_effect=error))
    job = Held()
    job.release.set()
    threads.spawn(job)
    assert job.begun.wait(PATIENCE)
    assert job.thread.name == "call-1"


def test_what_a_job_held_is_given_back_when_it_is_done():
    threads = Threads(1, "call", idle_seconds=FOR_EVER)
    threads._idle = Idle()
    job = Held()
    job.release.set()
    gone = weakref.ref(job)
    threads.spawn(job)
    del job
    threads._idle.wait_for(1)
    assert gone() is None


def test_a_job_that_comes_as_a_thread_is_about_to_end_is_done_by_it():
    """The thread waits in vain, and before it can say so it is given a job."""
    threads = Threads(1, "call", idle_seconds=0)
    late, gave_up = Held(), threading.Semaphore(0)
    late.release.set()
    given = []

    class Idle(list):
        def append(self, own):
            if not given:
                given.append(own)

        def __contains__(self, own):
            gave_up.release()
            return super().__contains__(own)

    threads._idle = Idle()
    threads.spawn(lambda: None)
    assert gave_up.acquire(timeout=PATIENCE)
    given[0].put(late)
    assert late.begun.wait(PATIENCE)
    assert late.thread.name == "call-1"


def test_a_job_for_which_there_is_no_thread_is_refused_and_does_not_run_later(monkeypatch, no_more_threads):
    threads = Threads(2, "call")
    refused, job = Held(), Held()
    no_more_threads()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        threads.spawn(refused)
    monkeypatch.undo()
    threads.spawn(job)
    assert job.begun.wait(PATIENCE)
    job.release.set()
    assert not refused.begun.is_set()


def test_a_job_for_which_there_is_no_thread_waits_for_those_that_work(no_more_threads):
    threads = Threads(2, "call")
    first, second = Held(), Held()
    threads.spawn(first)
    assert first.begun.wait(PATIENCE)
    no_more_threads()
    threads.spawn(second)
    assert not second.begun.is_set()
    first.release.set()
    assert second.begun.wait(PATIENCE)
    assert second.thread is first.thread
    second.release.set()
