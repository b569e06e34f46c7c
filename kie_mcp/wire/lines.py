"""Splitting a stream of bytes into lines, with bounded memory."""

from __future__ import annotations

MAX_LINE_BYTES = 16 * 1024 * 1024
"""The longest line that is delivered, without its newline."""


class LineSplitter:
    """Bytes in, whole lines out. A line over the limit is skipped to its newline and stands as ``None``."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """The lines that ``data`` completes, without their newlines."""
        lines: list[bytes | None] = []
        *ends, rest = data.split(b"\n")
        for part in ends:
            self._extend(part)
            lines.append(self._take())
        self._extend(rest)
        return lines

    def end(self) -> list[bytes | None]:
        """At the end of input: the last line, if it had no newline."""
        return [self._take()] if self._begun or self._too_long else []

    def _extend(self, part: bytes) -> None:
        if self._too_long or len(self._begun) + len(part) > self._limit:
            self._too_long = True
            self._begun = bytearray()
        else:
            self._begun += part

    def _take(self) -> bytes | None:
        line = None if self._too_long else bytes(self._begun)
        self._begun = bytearray()
        self._too_long = False
        return line
