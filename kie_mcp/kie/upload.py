"""A multipart form with one file, read piece by piece while it is sent."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

_PIECE = 65536


@dataclass(frozen=True)
class Uploaded:
    """A file at Kie: the link to it, and the SHA-256 of the bytes that were sent, in hexadecimal digits."""

    url: str
    sha256: str


class MultipartFile:
    """A file-like body for ``requests`` (RFC 7578): fields first, then the file; memory does not grow with it.

    ``requests`` streams anything with ``read`` and a length, and sends ``Content-Length``. As many bytes are
    sent as the file, which is closed in the end, has now. ``watch`` is called before every piece, and ends the
    upload by raising.
    """

    def __init__(
        self, file: BinaryIO, mime_type: str, fields: Mapping[str, str], watch: Callable[[], None] = lambda: None
    ) -> None:
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{fields["fileName"]}"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        )
        head, tail = "".join(parts).encode("ascii"), f"\r\n--{boundary}--\r\n".encode("ascii")
        self._file = _SentFile(file)
        self._pieces: list[io.BytesIO | _SentFile] = [io.BytesIO(head), self._file, io.BytesIO(tail)]
        self._length = len(head) + self._file.left + len(tail)
        self._watch = watch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._length

    @property
    def sha256(self) -> str:
        """The digest of the file's bytes that were read so far."""
        return self._file.digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size`` where it is not negative; empty at the end.

        Raises ``InputError`` where the file has become shorter meanwhile.
        """
        self._watch()
        while self._pieces:
            data = self._pieces[0].read(size)
            if data:
                return data
            self._pieces.pop(0)
        return b""


class _SentFile:
    """A file as long as it was at first, however it grows, and the digest of what was read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.left = file.seek(0, os.SEEK_END)
        self.digest = hashlib.sha256()
        file.seek(0)

    def read(self, size: int) -> bytes:
        """The next bytes; a negative ``size`` asks for a piece as well, since nobody wants all of it at once."""
        wanted = min(size if size >= 0 else _PIECE, self.left)
        data = self._file.read(wanted)
        if wanted and not data:
            raise InputError("A picture has changed since it was checked: it became shorter while it was uploaded.")
        self.left -= len(data)
        self.digest.update(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()
