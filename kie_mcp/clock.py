"""Time, as a thing that is passed in: the program waits through a clock that tests can drive."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading


_LONGEST_WAIT = 1e9
"""Seconds; a longer wait is an error of the platform (``threading.TIMEOUT_MAX``)."""


class Clock:
    """The system's time. Tests pass a subclass whose waits end at once and are written down."""

    def now(self) -> float:
        """Wall-clock time in seconds since the epoch: for file names and the ledger."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back: for deadlines, elapsed times and the window of this machine."""
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait up to ``seconds`` for ``event``; true as soon as it is set."""
        return event.wait(min(max(0.0, seconds), _LONGEST_WAIT))
