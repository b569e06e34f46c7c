"""Uploaded files, in a temporary folder that goes with the stand-in."""

from __future__ import annotations

import hashlib
import mimetypes
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kie_mcp.clock import Clock

ACCOUNT = "kieai/100000"
"""Where Kie puts the files of one account."""

_SIGNS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True)
class Stored:
    """One uploaded file: its place below the upload host, its size in bytes, its media type, its copy on disk.

    It is there before ``until``, a time of the monotonic clock in seconds.
    """

    path: str
    name: str
    size: int
    media_type: str
    file: Path
    until: float


class Store:
    """Keeps uploads by their path for so many ``seconds``; the same path again replaces the file.

    Safe to use from any thread.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stored: dict[str, Stored] = {}

    def save(self, folder: str, name: str, pieces: Iterable[bytes]) -> Stored:
        """Write ``pieces`` to disk as they come. ``folder`` and ``name`` cannot leave the account's place."""
        clean = [part for part in f"{folder}/{name}".replace("\\", "/").split("/") if part.strip(". ")]
        path = "/".join([ACCOUNT, *clean])
        with tempfile.NamedTemporaryFile(dir=self._place(), delete=False) as file:
            head = b""
            for piece in pieces:
                head = head or piece[:16]
                file.write(piece)
            size = file.tell()
        kept = Path(file.name).with_name(hashlib.sha256(path.encode("utf-8", "replace")).hexdigest())
        until = self._clock.monotonic() + self._seconds
        stored = Stored(path, clean[-1] if clean else "", size, media_type(head, name), kept, until)
        with self._lock:
            Path(file.name).replace(kept)
            self._stored[path] = stored
        return stored

    def _place(self) -> str:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="kie-sandbox-")
            return self._folder.name

    def find(self, path: str) -> Stored | None:
        """The file at a path below the upload host, while it lives."""
        with self._lock:
            stored = self._stored.get(path)
        return stored if stored and self._clock.monotonic() < stored.until else None

    def close(self) -> None:
        """Delete everything that was uploaded."""
        with self._lock:
            self._stored.clear()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None


def media_type(head: bytes, name: str) -> str:
    """The media type by the first bytes, else by the name."""
    for sign, found in _SIGNS.items():
        if head.startswith(sign):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
