"""Whether a picture is all there, by the form of its kind. Reads are bounded; nothing raises on hostile bytes."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from kie_mcp.files.sniff import AVIF, BMP, GIF, JPEG, PNG, PNG_MAGIC, TIFF, WEBP, PictureType, buffered, jpeg_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

_PNG_CHUNKS = 1_000_000
_GIF_BLOCKS = 1_000_000
"""With the sub-blocks: as a rule those hold 255 bytes each."""
_GIF_STRAY_BYTES = 16
_JPEG_SCAN = 0xDA
_JPEG_END = b"\xff\xd9"
_TIFF_HEADER = 8
_BIG_TIFF = 43
_PIECE = 65536
_TAIL_BYTES = 4096
_AVIF_BOXES = 10_000
_BOX_HEADER = 8
_BMP_HEADER = 40


def is_whole(file: BinaryIO, kind: PictureType) -> bool:
    """Whether a picture of that kind is all there, whatever stands behind it, as far as its form can tell.

    Kinds without a cheap sign of their end count as whole where their beginning is sound. Raises ``OSError``
    where the file cannot be read.
    """
    with buffered(file) as picture:
        size = picture.seek(0, os.SEEK_END)
        try:
            return _ENDS[kind](picture, size)
        except struct.error:
            return False


def _png_is_whole(file: BinaryIO, size: int) -> bool:
    """Walk the chunks from IHDR to IEND (PNG specification, 5.3 and 5.6)."""
    at = len(PNG_MAGIC)
    for number in range(_PNG_CHUNKS):
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"IEND":
            return True
        at += 12 + length
        if at > size or (number == 0 and (length, name) != (13, b"IHDR")):
            return False
    return False


def _jpeg_is_whole(file: BinaryIO, size: int) -> bool:
    """Look for the end marker behind the start of the scan: before it, a thumbnail may have one of its own.

    Where stray bytes, which decoders pass over, hide the scan, the marker has to be near the end of the file.
    """
    if _JPEG_SCAN not in jpeg_segments(file):
        file.seek(max(0, size - _TAIL_BYTES))
    last = b""
    while piece := file.read(_PIECE):
        if _JPEG_END in last + piece:
            return True
        last = piece[-1:]
    return False


def _gif_is_whole(file: BinaryIO, _: int) -> bool:
    """Walk the blocks to the trailer (GIF89a, 18 to 27); a few stray NUL bytes between them do no harm."""
    file.seek(10)
    _skip_colours(file, file.read(1))
    file.seek(2, os.SEEK_CUR)
    blocks, stray = _GIF_BLOCKS, _GIF_STRAY_BYTES
    while blocks > 0 and stray > 0:
        (block,) = struct.unpack("c", file.read(1))
        if block == b";":
            return True
        if block == b"\0":
            stray -= 1
        elif block in b"!,":
            blocks -= _skip_block(file, block)
        else:
            return False
    return False


def _skip_block(file: BinaryIO, block: bytes) -> int:
    """Pass over an extension or a picture; returns how many blocks that are, its sub-blocks among them."""
    if block == b"!":
        file.seek(1, os.SEEK_CUR)
    else:
        file.seek(8, os.SEEK_CUR)
        _skip_colours(file, file.read(1))
        file.seek(1, os.SEEK_CUR)
    return 1 + _skip_sub_blocks(file)


def _skip_colours(file: BinaryIO, flags: bytes) -> None:
    """Pass over a table of colours, if ``flags`` say that there is one."""
    (bits,) = struct.unpack("B", flags)
    if bits & 0x80:
        file.seek(3 << (bits & 7) + 1, os.SEEK_CUR)


def _skip_sub_blocks(file: BinaryIO) -> int:
    """Pass over sub-blocks; returns how many there were, which are too many where they do not end."""
    for passed in range(_GIF_BLOCKS):
        (length,) = struct.unpack("B", file.read(1))
        if not length:
            return passed
        file.seek(length, os.SEEK_CUR)
    return _GIF_BLOCKS


def _webp_is_whole(file: BinaryIO, size: int) -> bool:
    """As long as it says (RFC 9649, 2.4)."""
    file.seek(4)
    return size >= 8 + int(struct.unpack("<I", file.read(4))[0])


def _tiff_is_whole(file: BinaryIO, size: int) -> bool:
    """The first directory has to lie in the file and have entries (TIFF 6.0, section 2); BigTIFF has longer numbers."""
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    big = struct.unpack(order + "H", file.read(2))[0] == _BIG_TIFF
    file.seek(8 if big else 4)
    (at,) = struct.unpack(order + ("Q" if big else "I"), file.read(8 if big else 4))
    if not _TIFF_HEADER <= at < size:
        return False
    file.seek(at)
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
    return bool(count > 0 and at + count * (20 if big else 12) <= size)


def _avif_is_whole(file: BinaryIO, size: int) -> bool:
    """Walk the boxes: one has to describe a picture, and none ends behind the file (ISO/IEC 14496-12, 4.2)."""
    at, seen = 0, set()
    for _ in range(_AVIF_BOXES):
        if size - at < _BOX_HEADER:
            break
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
        if 0 < length < _BOX_HEADER:
            break
        at += length or size - at
        seen.add(name)
    return at <= size and not seen.isdisjoint((b"meta", b"moov"))


def _bmp_is_whole(file: BinaryIO, size: int) -> bool:
    """The pixels have to lie within the file, all of them where they are not compressed."""
    file.seek(0)
    start, header, width, height, _, bits, compression = struct.unpack("<10xIIiiHHI", file.read(34))
    if header < _BMP_HEADER or compression != 0:
        return bool(start < size)
    return bool(start + (width * bits + 31) // 32 * 4 * abs(height) <= size)


_ENDS: Mapping[PictureType, Callable[[BinaryIO, int], bool]] = {
    PNG: _png_is_whole,
    JPEG: _jpeg_is_whole,
    GIF: _gif_is_whole,
    WEBP: _webp_is_whole,
    TIFF: _tiff_is_whole,
    AVIF: _avif_is_whole,
    BMP: _bmp_is_whole,
}
