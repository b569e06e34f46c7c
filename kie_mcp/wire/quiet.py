"""A text stream that never waits: what the server uses as ``sys.stderr`` and ``sys.stdout``."""

from __future__ import annotations

import io
import os
import select
import threading

_CHUNK = getattr(select, "PIPE_BUF", 512)
"""A descriptor that polls as writable takes this many bytes without blocking (Python's ``select.PIPE_BUF``)."""

_LOCK_SECONDS = 0.2
"""A thread that cannot have the stream for so long drops its text: the descriptor is stuck after all."""


class QuietStream(io.TextIOBase):
    """A text stream over a file descriptor that drops what would block or cannot be written."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def writable(self) -> bool:
        """Always true."""
        return True

    def fileno(self) -> int:
        """The descriptor below."""
        return self._fd

    def isatty(self) -> bool:
        """Whether a person is watching."""
        return os.isatty(self._fd)

    def write(self, text: str) -> int:
        """Write as much as goes through at once; returns the length of ``text`` in any case."""
        if self._lock.acquire(timeout=_LOCK_SECONDS):
            try:
                self._write(text.encode("utf-8", "replace"))
            except OSError:
                pass  # nobody can be told: this is the stream for telling
            finally:
                self._lock.release()
        return len(text)

    def _write(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            if not _takes_text(self._fd):
                return
            os.write(self._fd, data[start : start + _CHUNK])


def _takes_text(fd: int) -> bool:
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return any(event & select.POLLOUT for _, event in poll.poll(0))
