"""The threads that calls run on."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.cli.threads import Threads

PATIENCE = 30.0


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
    threads = Threads(2, "call")
    first, second, third, fourth = jobs = [Held() for _ in range(4)]
    for job in jobs:
        threads.spawn(job)
    assert first.begun.wait(PATIENCE)
    assert second.begun.wait(PATIENCE)
    assert first.thread is not second.thread
    assert not third.begun.is_set()
    second.release.set()
    assert third.begun.wait(PATIENCE)
    assert third.thread is second.thread
    assert not fourth.begun.is_set()
    for job in jobs:
        job.release.set()
    assert fourth.begun.wait(PATIENCE)


def test_a_thread_takes_the_next_job_while_it_waits_for_one():
    threads = Threads(1, "call", idle_seconds=PATIENCE)
    ran = []
    for _ in range(3):
        done = threading.Event()
        threads.spawn(lambda done=done: (ran.append(threading.current_thread()), done.set()))
        assert done.wait(PATIENCE)
    assert [thread.name for thread in ran] == ["call-1"] * 3


def test_a_thread_with_nothing_to_do_ends_and_the_next_job_gets_another():
    threads = Threads(1, "call", idle_seconds=0)
    names = []
    for _ in range(2):
        job = Held()
        job.release.set()
        threads.spawn(job)
        assert job.begun.wait(PATIENCE)
        job.thread.join(PATIENCE)
        assert not job.thread.is_alive()
        names.append(job.thread.name)
    assert names == ["call-1", "call-2"]


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
