"""Local pictures that a caller wants to send: nothing but a real picture may leave the machine."""

from __future__ import annotations

import io
import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kie_mcp.errors import InputError
from kie_mcp.files.data_urls import data_of, is_data_url, without_data
from kie_mcp.files.paths import path_from
from kie_mcp.files.sniff import HEAD_BYTES, PictureType, dimensions, sniff
from kie_mcp.files.whole import is_whole
from kie_mcp.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import BinaryIO

    OpenPicture = io.BufferedReader | io.BytesIO

_LONGEST_SHOWN = 200
_LONGEST_DATA_URL_SHOWN = 60
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_MEASURED = ("png", "jpg", "webp", "gif", "bmp")


@dataclass(frozen=True)
class LocalPicture:
    """A picture on this machine as it was when it was looked at: mime type by its bytes, size in bytes.

    It is the file at ``path``, which is absolute, or, where there is none, the ``data`` in memory. ``label``
    names it in messages, after the argument that it came in.
    """

    label: str
    mime_type: str
    size: int
    max_bytes: int
    path: Path | None = None
    data: bytes = field(default=b"", repr=False)

    @property
    def name(self) -> str:
        """What to call it while it is on its way."""
        return "a picture" if self.path is None else printable(self.path.name, _LONGEST_SHOWN)

    def open(self) -> OpenPicture:
        """Open it for reading, from its first byte, after looking at what was opened once more.

        Raises ``InputError`` where that is no longer a whole picture of the same kind within ``max_bytes``.
        """
        try:
            file = _opened(self.data if self.path is None else self.path)
            try:
                kind, _ = _examined(file, self.max_bytes)
                if kind.mime_type != self.mime_type:
                    raise ValueError(f"it is {kind.mime_type} now")
                file.seek(0)
            except BaseException:
                file.close()
                raise
        except (OSError, ValueError) as error:
            raise InputError(f"{self.label} has changed since it was checked: {_reason(error)}.") from error
        return file


def local_picture(
    text: str, *, argument: str = "image_input", max_bytes: int, mime_types: Collection[str] = ()
) -> LocalPicture:
    """Look at the picture that ``text`` is: an absolute path, one from ``~``, a ``file://`` or a ``data:`` URL.

    Raises ``InputError``, naming ``argument``, for a relative path and for anything but a regular file (or
    data) of at most ``max_bytes`` whose bytes are those of a whole picture, of one of ``mime_types`` where any
    are given. Links are followed.
    """
    label = f"{argument} {_shown(text)!r}"
    try:
        content = data_of(text, max_bytes=max_bytes) if is_data_url(text) else _absolute(text)
        with _opened(content) as file:
            kind, size = _examined(file, max_bytes)
    except (OSError, ValueError) as error:
        raise InputError(f"{label} cannot be used: {_reason(error)}.") from error
    if mime_types and kind.mime_type not in mime_types:
        raise InputError(f"{label} is {kind.mime_type}; accepted are {', '.join(mime_types)}.")
    if isinstance(content, bytes):
        return LocalPicture(label, kind.mime_type, size, max_bytes, data=content)
    return LocalPicture(label, kind.mime_type, size, max_bytes, path=content)


def _shown(text: str) -> str:
    if is_data_url(text):
        return shortened(without_data(text), _LONGEST_DATA_URL_SHOWN)
    return "base64…" if _is_base64(text) else shortened(text, _LONGEST_SHOWN)


def _is_base64(text: str) -> bool:
    """Whether a text is the data of a picture without what belongs before it: no path is so long without a dot."""
    return len(text) > _LONGEST_SHOWN and _BASE64.fullmatch(text) is not None


def _absolute(text: str) -> Path:
    if _is_base64(text):
        raise ValueError("it is bare base64; write data:image/png;base64, before it, or better name a file")
    path = path_from(text)
    if not path.is_absolute():
        raise ValueError("the path must be absolute, or begin with ~ or file://")
    return path


def _opened(content: Path | bytes) -> OpenPicture:
    """Open a regular file without waiting, whatever it has become: opening a pipe or a device may block."""
    if isinstance(content, bytes):
        return io.BytesIO(content)
    _require_regular(content.stat())
    descriptor = os.open(content, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _require_regular(os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")


def _examined(file: BinaryIO, max_bytes: int) -> tuple[PictureType, int]:
    """The kind and the size of an open picture; raises ``ValueError`` for anything else."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise ValueError("it is empty")
    if size > max_bytes:
        raise ValueError(f"it has {size} bytes, at most {max_bytes} are accepted")
    file.seek(0)
    kind = sniff(file.read(HEAD_BYTES))
    if kind is None:
        raise ValueError("its bytes are not those of a picture (png, jpeg, webp, gif, bmp, tiff or avif)")
    if not is_whole(file, kind) or (kind.extension in _MEASURED and dimensions(file) is None):
        raise ValueError(f"it begins like a {kind.extension} picture, but is broken or cut short")
    return kind, size


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
