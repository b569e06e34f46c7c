"""What a picture is by its bytes: its type, its size in pixels.

Nothing here raises on hostile bytes, and every read is bounded: a picture comes from the network.
"""

from __future__ import annotations

import io
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

HEAD_BYTES = 512
"""As many first bytes as ``sniff`` can make use of."""

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_JPEG_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SEGMENTS = 1000
_JPEG_FILL_BYTES = 65536


@dataclass(frozen=True)
class PictureType:
    """A kind of picture: its mime type and its file extension, without a dot."""

    mime_type: str
    extension: str


PNG = PictureType("image/png", "png")
JPEG = PictureType("image/jpeg", "jpg")
WEBP = PictureType("image/webp", "webp")
GIF = PictureType("image/gif", "gif")
BMP = PictureType("image/bmp", "bmp")
TIFF = PictureType("image/tiff", "tiff")
AVIF = PictureType("image/avif", "avif")


def sniff(head: bytes) -> PictureType | None:
    """Tell the kind of picture that begins with ``head`` (``HEAD_BYTES`` are enough); ``None`` if it is none."""
    for magic, kind in ((PNG_MAGIC, PNG), (b"\xff\xd8\xff", JPEG), (b"GIF87a", GIF), (b"GIF89a", GIF)):
        if head.startswith(magic):
            return kind
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if _is_avif(head):
        return AVIF
    return BMP if _is_bmp(head) else None


def _is_avif(head: bytes) -> bool:
    """Look for a ``ftyp`` box whose major or compatible brands name AVIF (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return False
    box = head[8 : int.from_bytes(head[:4], "big")]
    brands = {box[:4], *(box[start : start + 4] for start in range(8, len(box), 4))}
    return not brands.isdisjoint((b"avif", b"avis"))


def _is_bmp(head: bytes) -> bool:
    """``BM`` alone also begins many a text, so the header behind it has to be one as well."""
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES


@contextmanager
def buffered(file: BinaryIO | io.RawIOBase) -> Iterator[BinaryIO]:
    """A file to be read in small parts, without a call of the system for each; it stays open."""
    if not isinstance(file, io.RawIOBase):
        yield file
        return
    reader = io.BufferedReader(file)
    try:
        yield reader
    finally:
        reader.detach()


def dimensions(file: BinaryIO) -> tuple[int, int] | None:
    """Width and height in pixels as stored; ``None`` where the bytes do not say."""
    try:
        with buffered(file) as picture:
            picture.seek(0)
            head = picture.read(HEAD_BYTES)
            size = _jpeg_size(picture) if sniff(head) == JPEG else _header_size(head)
    except (OSError, struct.error):
        return None
    return size if size and min(size) > 0 else None


def _header_size(head: bytes) -> tuple[int, int] | None:
    kind = sniff(head)
    if kind == PNG and head[12:16] == b"IHDR":
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if kind == GIF:
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    if kind == WEBP:
        return _webp_size(head)
    if kind == BMP:
        return _bmp_size(head)
    return None


def _bmp_size(head: bytes) -> tuple[int, int]:
    """Read the size: 16-bit in the oldest header; later a negative height means "top row first"."""
    narrow = int.from_bytes(head[14:18], "little") == _BMP_HEADER_SIZES[0]
    width, height = struct.unpack("<HH", head[18:22]) if narrow else struct.unpack("<ii", head[18:26])
    return width, abs(height)


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """Read the size from any of the three kinds of first chunk (RFC 9649, 2.5 to 2.7)."""
    chunk = head[12:16]
    if chunk == b"VP8X":
        body = head[24:30].ljust(6, b"\0")
        return int.from_bytes(body[:3], "little") + 1, int.from_bytes(body[3:], "little") + 1
    if chunk == b"VP8L" and head[20:21] == b"\x2f":
        (bits,) = struct.unpack("<I", head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    """Read the frame header (ITU-T T.81, B.2.2)."""
    for marker in jpeg_segments(file):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
    return None


def jpeg_segments(file: BinaryIO) -> Iterator[int]:
    """Walk the segments (ITU-T T.81, B.1.1): the marker of each, the file being at what follows its length.

    Ends before what is no marker, or has too much to fill the space. Raises ``struct.error`` where the file ends.
    """
    file.seek(2)
    fill = 0
    for _ in range(_JPEG_SEGMENTS):
        prefix, marker = struct.unpack("BB", file.read(2))
        while prefix == marker == 0xFF:  # noqa: PLR2004 - fill bytes: the marker is still to come
            (marker,) = struct.unpack("B", file.read(1))
            fill += 1
            if fill > _JPEG_FILL_BYTES:
                return
        if prefix != 0xFF:  # noqa: PLR2004 - every marker begins with this byte
            return
        if marker in _JPEG_WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        at = file.tell()
        yield marker
        file.seek(at + max(0, length - 2))
