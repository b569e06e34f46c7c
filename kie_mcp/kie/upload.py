"""A multipart form with one file, read from disk piece by piece while it is sent."""

from __future__ import annotations

import io
import os
import uuid
from typing import TYPE_CHECKING, Self

from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class MultipartFile:
    """A file-like body for ``requests`` (RFC 7578): fields first, then the file; memory does not grow with it.

    ``requests`` streams anything with ``read`` and a length, and sends ``Content-Length``. Raises
    ``InputError`` where the file cannot be opened.
    """

    def __init__(self, path: Path, mime_type: str, fields: Mapping[str, str]) -> None:
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
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"The picture {str(path)!r} cannot be read: {error.strerror}.") from error
        head, tail = "".join(parts).encode("ascii"), f"\r\n--{boundary}--\r\n".encode("ascii")
        self._pieces: list[io.BufferedIOBase] = [io.BytesIO(head), self._file, io.BytesIO(tail)]
        self._length = len(head) + os.fstat(self._file.fileno()).st_size + len(tail)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size`` where it is not negative; empty at the end."""
        while self._pieces:
            data = self._pieces[0].read(size)
            if data:
                return data
            self._pieces.pop(0)
        return b""
