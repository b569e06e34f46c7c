"""Ctrl-C and its like."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from kie_mcp.cli.interruption import SIGNALS, InterruptError, interruptible, signals_told
from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import InputError

LONG = 60.0
"""Longer than any test may take: who waits so long was not woken."""


class StillClock(Clock):
    """No time passes, however slow the machine is."""

    def monotonic(self):
        return 0.0


def press(signum=signal.SIGINT):
    os.kill(os.getpid(), signum)


def interrupted_sleep(signum):
    def work(context):
        press(signum)
        context.sleep(LONG)

    return work


def test_work_runs_on_a_thread_of_its_own_and_its_result_comes_back():
    assert interruptible(lambda _: threading.current_thread().name, CallContext()) == "kie-mcp-command"


def test_what_work_raises_comes_back():
    def work(_context):
        raise InputError("'prompt' is missing.")

    with pytest.raises(InputError, match="'prompt' is missing"):
        interruptible(work, CallContext())


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_ends_a_wait(signum):
    with pytest.raises(InterruptError) as caught:
        interruptible(interrupted_sleep(signum), CallContext())
    assert caught.value.exit_code == 128 + signum
    assert not caught.value.left_behind


def test_work_that_ends_well_in_spite_of_the_signal_gives_its_result():
    def work(context):
        press()
        while not context.cancelled:
            pass
        return "saved"

    assert interruptible(work, CallContext(StillClock())) == "saved"


def test_another_error_after_the_signal_is_not_hidden():
    def work(context):
        press()
        while not context.cancelled:
            pass
        raise InputError("This is what is wrong.")

    with pytest.raises(InputError):
        interruptible(work, CallContext(StillClock()))


def test_a_request_that_hangs_is_left_behind():
    ended = threading.Event()

    def work(_context):
        press()
        ended.wait(LONG)

    with pytest.raises(InterruptError) as caught:
        interruptible(work, CallContext())
    assert caught.value.left_behind
    ended.set()


def test_what_is_still_needed_is_waited_for():
    ended = threading.Event()
    asked = []

    def still_needed():
        asked.append(True)
        if len(asked) == 3:
            ended.set()
        return True

    def work(_context):
        press()
        assert ended.wait(LONG)
        return "the task id"

    assert interruptible(work, CallContext(), still_needed) == "the task id"
    assert len(asked) >= 3


def test_a_second_signal_ends_that_wait_too():
    ended = threading.Event()

    def still_needed():
        press()
        return True

    def work(_context):
        press()
        ended.wait(LONG)

    with pytest.raises(InterruptError) as caught:
        interruptible(work, CallContext(), still_needed)
    assert caught.value.left_behind
    ended.set()


def test_handlers_are_put_back():
    before = [signal.getsignal(signum) for signum in SIGNALS]
    with pytest.raises(InterruptError):
        interruptible(interrupted_sleep(signal.SIGINT), CallContext())
    assert [signal.getsignal(signum) for signum in SIGNALS] == before


def test_a_signal_that_is_ignored_from_the_start_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals_told(print):
        press(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_is_told_and_nothing_is_raised_where_it_strikes(signum):
    told = []
    with signals_told(told.append):
        press(signum)
        press(signum)
    assert told == [signum, signum]
