"""The stream that never waits."""

from __future__ import annotations

import os
import select

import pytest

from kie_mcp.wire import quiet
from kie_mcp.wire.quiet import QuietStream


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for fd in (reader, writer):
        try:
            os.close(fd)
        except OSError:
            continue


def test_text_goes_through(pipe):
    reader, writer = pipe
    stream = QuietStream(writer)
    print("hällo", file=stream, flush=True)
    assert os.read(reader, 100) == "hällo\n".encode()
    assert stream.writable()
    assert stream.fileno() == writer
    assert not stream.isatty()


def test_a_pipe_that_nobody_reads_never_blocks(pipe):
    _, writer = pipe
    stream = QuietStream(writer)
    for _ in range(100):
        assert stream.write("x" * 10_000) == 10_000


def test_a_pipe_whose_reader_is_gone_is_no_error(pipe):
    reader, writer = pipe
    os.close(reader)
    assert QuietStream(writer).write("text") == 4


def test_a_descriptor_that_is_closed_is_no_error(pipe):
    _, writer = pipe
    os.close(writer)
    assert QuietStream(writer).write("text") == 4


def test_lone_surrogates_are_written_as_question_marks(pipe):
    reader, writer = pipe
    QuietStream(writer).write("\ud800")
    assert os.read(reader, 100) == b"?"


def test_a_thread_that_cannot_have_the_stream_drops_its_text(pipe):
    reader, writer = pipe
    stream = QuietStream(writer)
    with stream._lock:
        assert stream.write("lost") == 4
    stream.write("kept")
    assert os.read(reader, 100) == b"kept"


def test_where_there_is_no_poll_text_is_written_all_the_same(pipe, monkeypatch):
    reader, writer = pipe
    monkeypatch.delattr(select, "poll")
    QuietStream(writer).write("text")
    assert os.read(reader, 100) == b"text"


def test_a_chunk_is_what_a_ready_pipe_takes():
    assert select.PIPE_BUF == quiet._CHUNK
