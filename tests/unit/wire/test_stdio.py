"""The wire over pipes, sockets and files of the test's own."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from pathlib import Path

import pytest

from kie_mcp.wire import stdio
from kie_mcp.wire.lines import MAX_LINE_BYTES
from kie_mcp.wire.stdio import Wire, claim


class Ends:
    """A wire between two pipes, with the far ends in the test's hand."""

    def __init__(self):
        self.source, self.feed = os.pipe()
        self.read, self.target = os.pipe()
        self.wire = Wire(self.source, self.target)

    def close(self, *names):
        for name in names or ("source", "feed", "read", "target"):
            fd, value = getattr(self, name), -1
            setattr(self, name, value)
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def ends():
    ends = Ends()
    yield ends
    ends.close()


@pytest.fixture
def streams(monkeypatch):
    """Puts ``sys.stdout`` and ``sys.stderr`` back after a claim."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)


def test_lines_are_read_to_the_end_of_input(ends):
    os.write(ends.feed, b"one\ntwo\nlast")
    ends.close("feed")
    assert list(ends.wire.lines()) == [b"one", b"two", b"last"]
    assert not ends.wire.closed()


def test_a_line_is_delivered_while_the_input_stays_open(ends):
    os.write(ends.feed, b"one\n")
    assert next(ends.wire.lines()) == b"one"


def test_a_line_over_the_limit_comes_as_none_and_the_next_one_comes(ends):
    def feed():
        chunk = b"x" * 65536
        for _ in range(MAX_LINE_BYTES // len(chunk) + 1):
            os.write(ends.feed, chunk)
        os.write(ends.feed, b"\nnext\n")
        ends.close("feed")

    thread = threading.Thread(target=feed)
    thread.start()
    assert list(ends.wire.lines()) == [None, b"next"]
    thread.join()


def test_reading_ends_when_nobody_reads_the_output(ends):
    ends.close("read")
    assert list(ends.wire.lines()) == []
    assert ends.wire.closed()


def test_reading_ends_when_the_output_closes_meanwhile(ends):
    os.write(ends.feed, b"one\n")
    lines = ends.wire.lines()
    assert next(lines) == b"one"
    ends.close("read")
    assert list(lines) == []


def test_a_file_is_a_source_too(ends, tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_bytes(b"one\ntwo")
    with file.open("rb") as source:
        assert list(Wire(source.fileno(), ends.target).lines()) == [b"one", b"two"]


def test_the_null_device_is_an_empty_source(ends):
    with Path(os.devnull).open("rb") as source:
        assert list(Wire(source.fileno(), ends.target).lines()) == []


def test_a_source_that_cannot_be_read_is_at_its_end(ends, tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    assert list(Wire(fd, ends.target).lines()) == []
    os.close(fd)


def test_a_socket_may_be_both_ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire(ours.fileno(), os.dup(ours.fileno()))
        theirs.sendall(b"one\n")
        theirs.shutdown(socket.SHUT_WR)
        assert list(wire.lines()) == [b"one"]
        wire.send("answer")
        assert theirs.recv(100) == b"answer\n"
        assert not wire.closed()
        os.close(wire._target)


def test_a_source_that_does_not_block_is_waited_for(ends):
    os.set_blocking(ends.source, False)
    os.write(ends.feed, b"one\n")
    lines = ends.wire.lines()
    assert next(lines) == b"one"
    ends.close("feed")
    assert list(lines) == []


def test_a_read_that_finds_nothing_after_all_is_tried_again(ends, monkeypatch):
    answers = [BlockingIOError(), b"one\n", b""]

    def read(*_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    os.write(ends.feed, b"x")
    monkeypatch.setattr(stdio.os, "read", read)
    assert list(ends.wire.lines()) == [b"one"]


def test_without_poll_lines_are_read_by_blocking(ends, monkeypatch):
    monkeypatch.setattr(stdio, "_HAS_POLL", False)
    os.write(ends.feed, b"one\n")
    ends.close("feed", "read")
    assert list(ends.wire.lines()) == [b"one"]
    assert not ends.wire.closed()


def test_an_output_that_cannot_be_polled_is_watched_no_further(ends, monkeypatch):
    watch = stdio._Watch(ends.source, ends.target)

    class Poll:
        def __init__(self):
            self.unregistered = []
            self.answers = [[(ends.target, select.POLLNVAL)], [(ends.source, select.POLLIN)]]

        def poll(self):
            return self.answers.pop(0)

        def unregister(self, fd):
            self.unregistered.append(fd)

    watch._poll = poll = Poll()
    assert watch.wait_readable()
    assert poll.unregistered == [ends.target]


def test_a_line_is_sent_with_its_newline(ends):
    ends.wire.send("one")
    ends.wire.send("two")
    assert os.read(ends.read, 100) == b"one\ntwo\n"


@pytest.mark.parametrize("blocking", [True, False])
def test_long_lines_from_many_threads_stay_whole(ends, blocking):
    os.set_blocking(ends.target, blocking)
    received = bytearray()

    def read():
        while data := os.read(ends.read, 65536):
            received.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    texts = [str(number) * 200_000 for number in range(8)]
    writers = [threading.Thread(target=ends.wire.send, args=(text,)) for text in texts]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    ends.close("target")
    reader.join()
    assert sorted(received.decode().split()) == texts


def test_sending_where_nobody_reads_is_quiet_and_closes_the_wire(ends):
    ends.close("read")
    ends.wire.send("one")
    ends.wire.send("two")
    assert ends.wire.closed()
    assert list(ends.wire.lines()) == []


def test_a_hang_up_is_noticed_without_sending(ends):
    assert not ends.wire.closed()
    ends.close("read")
    assert ends.wire.closed()


def test_a_claim_keeps_stdout_for_the_wire_and_sends_the_rest_to_stderr(ends, streams):
    errors, stderr = os.pipe()
    wire = claim(ends.source, ends.target, stderr)
    os.write(ends.target, b"a child\n")
    sys.stdout.write("a print\n")
    sys.stderr.write("an error\n")
    wire.send("a message")
    assert os.read(errors, 100) == b"a child\na print\nan error\n"
    assert os.read(ends.read, 100) == b"a message\n"
    assert not os.get_inheritable(wire._target)
    for fd in (errors, stderr, wire._target):
        os.close(fd)


def test_descriptors_that_are_not_open_are_opened_on_the_null_device(ends, streams):
    taken = [os.dup(ends.source) for _ in range(3)]
    for fd in taken:
        os.close(fd)
    stdin, stdout, stderr = taken
    wire = claim(stdin, stdout, stderr)
    assert wire.closed()
    assert list(wire.lines()) == []
    wire.send("nobody reads it")
    assert os.read(stdin, 1) == b""
    for fd in (*taken, wire._target):
        os.close(fd)


def test_a_missing_descriptor_in_between_is_put_in_its_place(ends, streams):
    low = os.dup(ends.source)
    high = os.dup(ends.source)
    os.close(high)
    os.close(low)
    wire = claim(high, ends.target, ends.feed)
    assert os.read(high, 1) == b""
    assert not wire.closed()
    for fd in (high, wire._target):
        os.close(fd)
