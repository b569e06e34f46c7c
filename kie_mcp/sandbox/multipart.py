"""multipart/form-data (RFC 7578), read piece by piece: a file in it is never held in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kie_mcp.sandbox.messages import Body

MAX_HEAD_BYTES = 16384


@dataclass(frozen=True)
class Part:
    """One part; ``pieces`` has to be read to its end before the next part is asked for."""

    name: str
    file_name: str | None
    pieces: Iterator[bytes]


def boundary_of(content_type: str) -> bytes:
    """The boundary of a Content-Type. Raises ``ValueError`` where it has none."""
    found = re.search(r'boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))', content_type)
    if not content_type.lower().startswith("multipart/form-data") or found is None:
        raise ValueError("the body is not multipart/form-data")
    return (found[1] or found[2]).encode("latin-1")


class _Reader:
    """A body that is cut at marks."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._buffer = b"\r\n"  # so that the first boundary stands behind a line's end like every other

    def until(self, mark: bytes) -> Iterator[bytes]:
        """The bytes before the next ``mark``, in pieces; the mark is taken too."""
        while (at := self._buffer.find(mark)) < 0:
            sure = len(self._buffer) - len(mark) + 1
            if sure > 0:
                piece, self._buffer = self._buffer[:sure], self._buffer[sure:]
                yield piece
            self._more()
        piece, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        yield piece

    def take(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        while len(self._buffer) < size:
            self._more()
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece

    def _more(self) -> None:
        data = self._body.read()
        if not data:
            raise ValueError("the multipart body has no end")
        self._buffer += data


def parts(body: Body, boundary: bytes) -> Iterator[Part]:
    """The parts of a body in their order. Raises ``ValueError`` where it is broken."""
    reader = _Reader(body)
    mark = b"\r\n--" + boundary
    for _ in reader.until(mark):
        pass
    while (tail := reader.take(2)) != b"--":
        if tail != b"\r\n":
            raise ValueError("the multipart body has a broken boundary")
        head = b""
        for piece in reader.until(b"\r\n\r\n"):
            head += piece
            if len(head) > MAX_HEAD_BYTES:
                raise ValueError("a part of the multipart body has no end of its head")
        yield _part(head.decode("utf-8", "replace"), reader.until(mark))


def _part(head: str, pieces: Iterator[bytes]) -> Part:
    name = re.search(r'[;\s]name="([^"]*)"', head)
    file_name = re.search(r'[;\s]filename="([^"]*)"', head)
    return Part(name[1] if name else "", file_name[1] if file_name else None, pieces)
