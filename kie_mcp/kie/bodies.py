"""Bodies of answers, read piece by piece: bounded in size and time, however they are packed and however they drip."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from urllib3.exceptions import DecodeError

from kie_mcp.errors import NetworkError, UnclearAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from kie_mcp.clock import Clock

SLOWEST = 4096
"""Bytes a second that a download has to reach, on the whole, once its first time-out is over: twenty at a time on a
line of 1 Mbit/s still do."""

_ANSWER_LIMIT = 8 * 1024 * 1024
_PIECE = 65536
_PACKED = ("gzip", "x-gzip", "deflate")
_ANY_HEADER = 32 + zlib.MAX_WBITS
"""Of zlib: a header of gzip or of zlib."""


def arriving(response: requests.Response, most: int) -> Iterator[bytes]:
    """The body as it arrives, unpacked, at most ``most`` bytes at a time.

    A piece may be empty, and comes within the time-out of the request (``kie_mcp.kie.connections``): neither a slow
    host nor one that packs nothing keeps anybody from looking at the clock. Raises the exceptions of urllib3, also
    for a body that ends too early. A packing that was not asked for is left.
    """
    packed = response.headers.get("Content-Encoding", "").strip().lower() in _PACKED
    unpacker = zlib.decompressobj(_ANY_HEADER) if packed else None
    while piece := response.raw.read1(most, decode_content=False):
        if unpacker is None:
            yield piece
        else:
            yield from _unpacked(piece, unpacker, most)


def _unpacked(piece: bytes, unpacker: zlib._Decompress, most: int) -> Iterator[bytes]:
    """What a piece holds; nothing, once the end was seen: what stands behind it is dropped."""
    if unpacker.eof:
        yield b""
    full = False
    while (piece or full) and not unpacker.eof:
        try:
            unpacked = unpacker.decompress(piece, most)
        except zlib.error as error:
            raise DecodeError("the body is not packed as its header says") from error
        yield unpacked
        piece, full = unpacker.unconsumed_tail, len(unpacked) == most  # there may be more where nothing is left to read


def read_body(response: requests.Response, clock: Clock, seconds: float) -> bytes:
    """The whole body of an API answer, bounded in size and by ``seconds`` from now."""
    deadline = clock.monotonic() + seconds
    body = bytearray()
    for piece in arriving(response, _PIECE):
        body += piece
        if len(body) > _ANSWER_LIMIT:
            raise UnclearAnswerError(f"Kie's answer is larger than {_ANSWER_LIMIT} bytes and was not read.")
        if clock.monotonic() > deadline:
            raise NetworkError("Kie's answer did not end within the time-out (KIE_AI_TIMEOUT_SECONDS).")
    return bytes(body)


class Pace:
    """How long a download may take: ``seconds``, and one more for every ``SLOWEST`` bytes; no more than ``most``."""

    def __init__(self, clock: Clock, seconds: float, most: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._began = clock.monotonic()
        self._until = self._began + most
        self._bytes = 0

    def check(self, piece: bytes) -> None:
        """Count a piece that has arrived; raises ``NetworkError`` where the time is over."""
        self._bytes += len(piece)
        now = self._clock.monotonic()
        if now > self._until:
            raise NetworkError(
                f"The call's time ended before the picture was fetched: {self._bytes} bytes had come.",
                next_step="Call get_visual_task with the task id to fetch the picture.",
            )
        if now > self._began + self._seconds + self._bytes / SLOWEST:
            raise NetworkError(f"The picture's host is too slow: {self._bytes} bytes in {now - self._began:.0f} s.")
