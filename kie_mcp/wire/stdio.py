"""The process's standard streams as a wire: one message a line, nothing else on stdout."""

from __future__ import annotations

import os
import select
import sys
import threading

from kie_mcp.wire.lines import LineSplitter
from kie_mcp.wire.quiet import QuietStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_BYTES = 65536
_HAS_POLL = hasattr(select, "poll")


def claim(stdin: int = 0, stdout: int = 1, stderr: int = 2) -> Wire:
    """Take stdout for the wire alone; whatever else is printed, by children too, goes to stderr.

    ``sys.stdout`` and ``sys.stderr`` become streams that never block. Descriptors that are not open are
    opened on the null device first, so that no file opened later is mistaken for them.
    """
    missing = [fd for fd in (stdin, stdout, stderr) if not _is_open(fd)]
    for fd in missing:
        _open_null(fd)
    wire = Wire(stdin, os.dup(stdout), closed=stdout in missing)
    os.dup2(stderr, stdout)
    sys.stdout = sys.stderr = QuietStream(stderr)
    return wire


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _open_null(fd: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != fd:
        os.dup2(null, fd)
        os.close(null)


class Wire:
    """Lines in from one descriptor, lines out through another. One thread reads, any thread sends."""

    def __init__(self, source: int, target: int, *, closed: bool = False) -> None:
        self._source = source
        self._target = target
        self._lock = threading.Lock()
        self._closed = closed

    def lines(self) -> Iterator[bytes | None]:
        """Every line until the end of input, or until nobody reads the output any more.

        ``None`` stands for a line that was too long. Waiting for input costs no CPU time.
        """
        splitter = LineSplitter()
        watch = _Watch(self._source, self._target) if _HAS_POLL else None
        while not self._closed:
            if watch is not None and not watch.wait_readable():
                self._closed = True
                return
            try:
                data = os.read(self._source, _READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                break
            if not data:
                break
            yield from splitter.feed(data)
        yield from splitter.end()

    def send(self, line: str) -> None:
        """Write one line, whole; does nothing once nobody reads the output."""
        rest = memoryview(line.encode() + b"\n")
        with self._lock:
            while rest and not self._closed:
                try:
                    rest = rest[os.write(self._target, rest) :]
                except BlockingIOError:
                    _wait_writable(self._target)
                except OSError:
                    self._closed = True

    def closed(self) -> bool:
        """Whether nobody reads the output any more."""
        return self._closed or (_HAS_POLL and _hung_up(self._target))


class _Watch:
    """Waits for input and for the end of the output at the same time."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self._poll = select.poll()
        self._poll.register(target, 0)  # an error or a hang-up is reported without being asked for
        self._poll.register(source, select.POLLIN)

    def wait_readable(self) -> bool:
        """True when the source can be read, or has ended; false when nobody reads the target."""
        while True:
            events = dict(self._poll.poll())
            output = events.get(self._target, 0)
            if output & (select.POLLERR | select.POLLHUP):
                return False
            if output:  # POLLNVAL: a device that some systems cannot poll
                self._poll.unregister(self._target)
            if self._source in events:
                return True


def _hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _wait_writable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
