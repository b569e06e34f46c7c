"""The progress notifications of one call. Source: MCP, "Progress"."""

from __future__ import annotations

import threading

from kie_mcp.clock import Clock
from kie_mcp.protocol.messages import notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kie_mcp.protocol.revisions import Revision

INTERVAL_SECONDS = 0.1
"""The least time between two notifications of one call; what comes sooner is dropped."""

GAP_SECONDS = 0.05
"""The least time between the last notification and the result: clients that read the two together take
the notification for one of a call they no longer know."""

QUIET_SECONDS = 5.0
"""A call that waits in silence for so long says again where it is: the clock of some clients begins anew with that."""

_STEPS = 100
"""A report that does not go forward is sent as a small step: first of a hundredth of what is left (of 1 without a
total), then of a hundred-and-first, and so on, so that there is always something left."""


class ProgressReporter:
    """Sends the progress of one call: strictly increasing, at most ten a second, none after ``close``."""

    def __init__(
        self, token: str | int, revision: Revision, clock: Clock, send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._token = token
        self._with_message = revision.progress_messages
        self._clock = clock
        self._send = send
        self._lock = threading.Lock()
        self._value: float | None = None
        self._steps = _STEPS
        self._last: tuple[float, float | None, str] = (0, None, "waiting")
        self._begun_at = clock.monotonic()
        self._sent_at = float("-inf")
        self._closed = False

    def report(self, done: float, total: float | None, message: str) -> None:
        """Send ``done`` of ``total``, unless the last notification is too fresh. Any thread may call."""
        with self._lock:
            self._last = (done, total, message)
            value = self._advanced(done, total)
            if self._closed or value is None or self._clock.monotonic() - self._sent_at < INTERVAL_SECONDS:
                return
            self._send(notification("notifications/progress", self._params(value, total, message)))
            self._value = value
            self._sent_at = self._clock.monotonic()

    def repeat(self) -> None:
        """Report once more what was last reported, if nothing was sent for a while."""
        if self._clock.monotonic() - max(self._begun_at, self._sent_at) >= QUIET_SECONDS:
            self.report(*self._last)

    def _advanced(self, done: float, total: float | None) -> float | None:
        """A value above the last one and not above ``total``; ``None`` where there is no such value."""
        value = done if total is None else min(done, total)
        if self._value is None or value > self._value:
            return value
        value = self._value + (1 if total is None else total - self._value) / self._steps
        self._steps += 1
        return value if value > self._value else None

    def _params(self, value: float, total: float | None, message: str) -> dict[str, Any]:
        params: dict[str, Any] = {"progressToken": self._token, "progress": value}
        if total is not None:
            params["total"] = total
        if self._with_message and message:
            params["message"] = message
        return params

    def silence(self) -> None:
        """Send nothing from now on; waits for no lock, so a notification under way may still go out."""
        self._closed = True

    def close(self) -> None:
        """Send nothing from now on, and return when the gap before the result has passed."""
        with self._lock:
            self._closed = True
            rest = self._sent_at + GAP_SECONDS - self._clock.monotonic()
        if rest > 0:
            self._clock.wait(threading.Event(), rest)


class ReportingClock(Clock):
    """The clock of a call that reports progress: whatever the call waits for, its caller hears from it."""

    def __init__(self, clock: Clock, progress: ProgressReporter) -> None:
        self._clock = clock
        self._progress = progress

    def now(self) -> float:
        """As the clock behind it."""
        return self._clock.now()

    def monotonic(self) -> float:
        """As the clock behind it."""
        return self._clock.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """As the clock behind it, in pieces, before each of which a silence is broken."""
        while seconds > QUIET_SECONDS:
            self._progress.repeat()
            if self._clock.wait(event, QUIET_SECONDS):
                return True
            seconds -= QUIET_SECONDS
        self._progress.repeat()
        return self._clock.wait(event, seconds)
