"""Splitting bytes into lines."""

from __future__ import annotations

import pytest

from kie_mcp.wire.lines import LineSplitter


def test_lines_come_whole_however_the_bytes_arrive():
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == [b"one"]
    assert splitter.feed(b"") == []
    assert splitter.feed(b"o\n\nthr") == [b"two", b""]
    assert splitter.end() == [b"thr"]


def test_input_that_ends_with_a_newline_has_no_last_line():
    splitter = LineSplitter()
    splitter.feed(b"one\n")
    assert splitter.end() == []


def test_a_carriage_return_stays_with_its_line():
    assert LineSplitter().feed(b"one\r\ntwo\r\n") == [b"one\r", b"two\r"]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_line_over_the_limit_is_skipped_to_its_newline(size):
    data = b"12345\n123456\n1\n1234567890"
    splitter = LineSplitter(5)
    lines = [line for start in range(0, len(data), size) for line in splitter.feed(data[start : start + size])]
    assert lines + splitter.end() == [b"12345", None, b"1", None]


def test_a_line_over_the_limit_is_not_kept():
    splitter = LineSplitter(5)
    for _ in range(100):
        splitter.feed(b"x" * 100)
    assert len(splitter._begun) == 0
