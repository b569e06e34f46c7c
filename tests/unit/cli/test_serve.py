"""The parts of the server process that end it."""

from __future__ import annotations

import os
import signal
import threading
from types import SimpleNamespace

import pytest

from kie_mcp.cli import serve
from kie_mcp.wire.stdio import Wire


class FakeServer:
    """Notes what is asked of it; ``idle`` are the answers to ``wait_idle``, the last one for good."""

    def __init__(self, *idle):
        self.idle = list(idle)
        self.done = []

    def cancel_all(self):
        self.done.append("cancel_all")

    def wait_idle(self, seconds):
        self.done.append(seconds)
        return self.idle.pop(0) if len(self.idle) > 1 else self.idle[0]


class FakeWire:
    """A wire that is closed after some looks at it."""

    def __init__(self, looks):
        self.looks = looks

    def closed(self):
        self.looks -= 1
        return self.looks < 0


def test_a_stop_cancels_gives_a_moment_and_leaves():
    server, codes = FakeServer(False), []
    serve._stop(server, codes.append, signal.SIGTERM)
    assert server.done == ["cancel_all", serve.SIGNAL_SECONDS]
    assert codes == [143]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_the_server_from_a_thread_of_their_own(number):
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGINT)}
    left, codes = threading.Event(), []

    def leave(code):
        codes.append((code, threading.current_thread() is threading.main_thread()))
        left.set()

    try:
        serve._leave_on_signals(FakeServer(True), leave)
        signal.raise_signal(number)
        assert left.wait(10)
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    assert codes == [(128 + number, False)]


def test_a_drain_waits_while_somebody_reads():
    server = FakeServer(False, False, True)
    assert serve._drain(FakeWire(9), server)
    assert server.done == [serve.DRAIN_CHECK_SECONDS] * 3


def test_a_drain_that_nobody_reads_cancels_and_gives_up_after_a_while():
    server = FakeServer(False)
    assert not serve._drain(FakeWire(1), server)
    assert server.done == [serve.DRAIN_CHECK_SECONDS, "cancel_all", serve.ABANDONED_SECONDS]


def test_the_limits_keep_what_the_process_promises():
    assert serve.SIGNAL_SECONDS < 0.5
    assert serve.DRAIN_CHECK_SECONDS + serve.ABANDONED_SECONDS < 10
    assert serve.CALL_THREADS >= 64


def test_a_server_serves_its_input_and_leaves_with_zero(monkeypatch):
    source, feed = os.pipe()
    read, target = os.pipe()
    os.write(feed, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    os.close(feed)
    monkeypatch.setattr(serve, "claim", lambda: Wire(source, target))
    monkeypatch.setattr(serve, "_leave_on_signals", lambda *_: None)
    codes = []
    assert serve.serve(tools=list, leave=codes.append) == 0
    assert codes == [0]
    assert os.read(read, 1000) == b'{"jsonrpc":"2.0","id":1,"result":{}}\n'
    for fd in (source, read, target):
        os.close(fd)


def test_a_signal_that_the_starter_wants_ignored_stays_so(monkeypatch):
    taken = []
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN if number == signal.SIGINT else None)
    monkeypatch.setattr(signal, "signal", lambda number, _handle: taken.append(number))
    serve._leave_on_signals(None, None)
    assert taken == [signal.SIGTERM]


def test_a_call_that_breaks_is_logged_and_the_next_one_has_its_turn(caplog, monkeypatch):
    monkeypatch.setattr("kie_mcp.cli.memory.Memory", lambda: SimpleNamespace(after_call=lambda: None))
    jobs, done = serve._CallThreads(), threading.Event()
    jobs.spawn(1, [].pop)
    jobs.spawn(1, done.set)
    assert done.wait(10)
    (broken,) = [record for record in caplog.records if record.getMessage() == "An unexpected error."]
    assert str(broken.exc_info[1]) == "pop from empty list"
