"""Local pictures that a caller wants to send: nothing but a real picture may leave the machine."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.errors import InputError
from kie_mcp.files.paths import path_from
from kie_mcp.files.sniff import HEAD_BYTES, dimensions, is_whole, sniff
from kie_mcp.text import shortened

if TYPE_CHECKING:
    from pathlib import Path


_LONGEST_SHOWN = 200
_MEASURED = ("png", "jpg", "webp", "gif", "bmp")


@dataclass(frozen=True)
class LocalPicture:
    """A picture on this machine: absolute path, mime type by its bytes, size in bytes."""

    path: Path
    mime_type: str
    bytes: int


def local_picture(text: str, *, max_bytes: int) -> LocalPicture:
    """Look at the picture that ``text`` names: an absolute path, one from ``~``, or a ``file://`` URL.

    Raises ``InputError`` for a relative path and for anything but a regular, non-empty file of at most
    ``max_bytes`` whose bytes are those of a picture. Links are followed.
    """
    try:
        path = path_from(text)
        if not path.is_absolute():
            raise ValueError("the path must be absolute, or begin with ~ or file://")
        size = _regular_size(path, max_bytes)
        with path.open("rb") as file:
            kind = sniff(file.read(HEAD_BYTES))
            if kind is None:
                raise ValueError("its bytes are not those of a picture (png, jpeg, webp, gif, bmp, tiff or avif)")
            if not is_whole(file, kind) or (kind.extension in _MEASURED and dimensions(file) is None):
                raise ValueError(f"it begins like a {kind.extension} picture, but is broken or cut short")
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        raise InputError(f"image_input {shortened(text, _LONGEST_SHOWN)!r} cannot be used: {reason}.") from error
    return LocalPicture(path, kind.mime_type, size)


def _regular_size(path: Path, max_bytes: int) -> int:
    """Measure a regular file, before it is opened: opening a pipe or a device may block."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size == 0:
        raise ValueError("the file is empty")
    if status.st_size > max_bytes:
        raise ValueError(f"it has {status.st_size} bytes, at most {max_bytes} are accepted")
    return status.st_size
