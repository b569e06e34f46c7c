"""PNG files (W3C PNG, third edition) by hand: true colour, eight bits, one pass."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
PADDING = b"paDd"
"""An ancillary, private, safe-to-copy chunk: readers skip it."""

_PIECE = 65536


def encode(width: int, height: int, rows: Iterable[bytes], description: str = "") -> bytes:
    """A PNG file of ``rows`` (three bytes a pixel), with ``description`` as a text chunk in UTF-8."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    text = b"Description\x00\x00\x00\x00\x00" + description.encode("utf-8", "replace")
    return b"".join(
        [SIGNATURE, _chunk(b"IHDR", header), _chunk(b"iTXt", text), _chunk(b"IDAT", _compressed(width, rows)), END]
    )


def _compressed(width: int, rows: Iterable[bytes]) -> bytes:
    """Rows equal to the one above become zeros (filter "up"), which cost next to nothing."""
    packer = zlib.compressobj(level=1)
    same = b"\x02" + bytes(3 * width)
    above = b""
    pieces = []
    for row in rows:
        pieces.append(packer.compress(same if row == above else b"\x00" + row))
        above = row
    return b"".join([*pieces, packer.flush()])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def padded(png: bytes, size: int) -> Iterator[bytes]:
    """The same picture as a file of ``size`` bytes at least, in pieces: a chunk of zeros comes before the end."""
    zeros = max(0, size - len(png) - 12)
    yield png.removesuffix(END) + struct.pack(">I", zeros) + PADDING
    crc = zlib.crc32(PADDING)
    while zeros:
        piece = bytes(min(_PIECE, zeros))
        crc = zlib.crc32(piece, crc)
        zeros -= len(piece)
        yield piece
    yield struct.pack(">I", crc) + END
