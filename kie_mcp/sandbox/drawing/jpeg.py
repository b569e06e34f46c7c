"""JPEG files (ITU T.81, baseline) of flat blocks: only the DC coefficient of each 8 by 8 block is there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 8
"""Pixels per edge of a block."""

_CODE_LENGTHS = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
"""DC code table K.3 of the standard: how many codes of 1 to 16 bits."""

_DC_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110", "11111110", "111111110")
_END_OF_BLOCK = "0"
"""The only AC code of the file: "no more coefficients"."""


def encode(columns: int, block_rows: Iterable[bytes]) -> bytes:
    """A JPEG file from one colour a block: rows of ``columns`` blocks, three bytes (red, green, blue) each."""
    bits: list[str] = []
    before = (0, 0, 0)
    count = 0
    codes = {difference: _code(difference) for difference in range(-255, 256)}
    for row in block_rows:
        count += 1
        for colour in _blocks(row):
            bits.extend(codes[now - then] for now, then in zip(colour, before, strict=True))
            before = colour
    return b"".join([_head(columns * BLOCK, count * BLOCK), _packed("".join(bits)), b"\xff\xd9"])


def _blocks(row: bytes) -> Iterator[tuple[int, int, int]]:
    """The blocks of a row in luminance and chrominance (JFIF), less the level shift of 128."""
    known: dict[bytes, tuple[int, int, int]] = {}
    for at in range(0, len(row), 3):
        dot = row[at : at + 3]
        if dot not in known:
            red, green, blue = dot
            luminance = 0.299 * red + 0.587 * green + 0.114 * blue
            known[dot] = (
                round(luminance) - 128,
                min(127, round((blue - luminance) / 1.772)),
                min(127, round((red - luminance) / 1.402)),
            )
        yield known[dot]


def _code(difference: int) -> str:
    size = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    return _DC_CODES[size] + (format(value, f"0{size}b") if size else "") + _END_OF_BLOCK


def _packed(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int("1" + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:].replace(b"\xff", b"\xff\x00")


def _head(width: int, height: int) -> bytes:
    """Everything before the first block. All quantisers are 8, so that a DC step is one step of colour."""
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            _segment(0xDB, b"\x00" + bytes([8] * 64)),
            _segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + components),
            _segment(0xC4, b"\x00" + _CODE_LENGTHS + bytes(range(12))),
            _segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00"),
            _segment(0xDA, b"\x03" + bytes([1, 0, 2, 0, 3, 0, 0, 63, 0])),
        ]
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
