"""What a picture says beside its pixels: whether it is little enough to be read by Pillow, which reads all of it.

Pillow walks the head of a JPEG byte by byte, the chunks of a PNG one by one, both in Python; tags of EXIF may each
name the same bytes, texts and profiles of a PNG grow a thousandfold. Nothing of that is bounded by a picture's size.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from kie_mcp.files.sniff import JPEG, PNG, PNG_MAGIC, WEBP, jpeg_segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MOST_METADATA = 65536
"""Bytes. A segment of a JPEG cannot hold more."""
MOST_CHUNKS = 8192
"""Of a PNG or WEBP. Encoders write the pixels of a PNG in chunks of 8 KiB and more."""

_SCAN = 0xDA
_KEPT = frozenset((*range(0xE2, 0xED), 0xFE))
"""Application data (profiles and signatures among it) and comments, which are stored as they are."""
_READ = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDB, 0xDD, 0xE0, 0xE1, 0xED, 0xEE, 0xEF))
"""Frames, tables, EXIF and what else is taken apart. Before a scan there are no others (ITU-T T.81, table B.1)."""
_PNG_METADATA = frozenset((b"eXIf", b"iCCP", b"iTXt", b"zTXt"))
_WEBP_METADATA = frozenset((b"EXIF",))
_WEBP_HEAD_BYTES = 12


def require_little(file: BinaryIO, mime_type: str) -> None:
    """Raise ``ValueError`` or ``struct.error`` for a PNG, JPEG or WEBP that says too much, or is none."""
    said = 0
    for size in _parts(file, mime_type):
        said += size
        if said > MOST_METADATA:
            raise ValueError(f"it says more than {MOST_METADATA} bytes beside its pixels")


def _parts(file: BinaryIO, mime_type: str) -> Iterator[int]:
    """How long each part is that is more than stored."""
    if mime_type == JPEG.mime_type:
        return _of_jpeg(file)
    if mime_type == PNG.mime_type:
        return _of_png(file)
    if mime_type == WEBP.mime_type:
        return _of_webp(file)
    raise ValueError(f"it is {mime_type}")


def _of_jpeg(file: BinaryIO) -> Iterator[int]:
    for marker in jpeg_segments(file):
        if marker == _SCAN:
            return
        if marker in _READ:
            file.seek(-2, io.SEEK_CUR)
            yield int.from_bytes(file.read(2), "big")
        elif marker not in _KEPT:
            raise ValueError(f"its head has a marker {marker:#x}")
    raise ValueError("its head has no end")


def _of_png(file: BinaryIO) -> Iterator[int]:
    """Walk the chunks (PNG, Third Edition, 5.3)."""
    file.seek(len(PNG_MAGIC))
    for _ in range(MOST_CHUNKS):
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"IEND":
            return
        if name in _PNG_METADATA:
            yield length
        file.seek(length + 4, io.SEEK_CUR)
    raise ValueError(f"it has more than {MOST_CHUNKS} chunks")


def _of_webp(file: BinaryIO) -> Iterator[int]:
    """Walk the chunks (RFC 9649, 2.3)."""
    file.seek(_WEBP_HEAD_BYTES)
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if not head:
            return
        name, length = struct.unpack("<4sI", head)
        if name in _WEBP_METADATA:
            yield length
        file.seek(length + length % 2, io.SEEK_CUR)
    raise ValueError(f"it has more than {MOST_CHUNKS} chunks")
