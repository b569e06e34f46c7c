"""The progress notifications of one call. Source: MCP, "Progress"."""

from __future__ import annotations

import threading

from kie_mcp.protocol.messages import notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kie_mcp.clock import Clock
    from kie_mcp.protocol.revisions import Revision

INTERVAL_SECONDS = 0.1
"""The least time between two notifications of one call; what comes sooner is told only if it was the last."""

GAP_SECONDS = 0.05
"""The least time between the last notification and the result: clients that read the two together take
the notification for one of a call they no longer know."""

QUIET_SECONDS = 5.0
"""A call that is silent for so long says again where it is: the clock of some clients begins anew with that."""

_STEPS = 100
"""A report that does not go forward is sent as a small step towards the next item: first of a hundredth of what is
left to it, then of a hundred-and-first, and so on, so that the item is never reached."""


class ProgressReporter:
    """Sends the progress of one call: strictly increasing, at most ten a second and one more, none after ``close``.

    At the total nothing can increase any more, so nothing is sent after it.
    """

    def __init__(
        self, token: str | int, revision: Revision, clock: Clock, send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._token = token
        self._with_message = revision.progress_messages
        self._clock = clock
        self._send = send
        self._lock = threading.Lock()
        self._value: float | None = None
        self._furthest = 0.0
        self._steps = _STEPS
        self._last: tuple[float, float | None, str] = (0, None, "waiting")
        self._untold = False
        self._begun_at = clock.monotonic()
        self._sent_at = float("-inf")
        self._ended = threading.Event()

    def report(self, done: float, total: float | None, message: str) -> None:
        """Send ``done`` of ``total``, unless the last notification is too fresh. Any thread may call."""
        with self._lock:
            self._last = (done, total, message)
            self._untold = True
            if self._clock.monotonic() - self._sent_at >= INTERVAL_SECONDS:
                self._tell_last()

    def keep_alive(self) -> None:
        """Say again what was last reported whenever nothing was sent for a while; returns once the reporter ends."""
        rest = QUIET_SECONDS
        while not self._clock.wait(self._ended, rest):
            rest = self._break_silence()

    def _break_silence(self) -> float:
        """Say it again if it is time to; after how many seconds it may be time the next time."""
        with self._lock:
            rest = max(self._begun_at, self._sent_at) + QUIET_SECONDS - self._clock.monotonic()
            if rest > 0:
                return rest
            self._tell_last()
            return QUIET_SECONDS

    def _tell_last(self) -> None:
        done, total, message = self._last
        value = self._advanced(done, total)
        if self._ended.is_set() or value is None:
            return
        self._send(notification("notifications/progress", self._params(value, total, message)))
        self._untold = False
        self._value = value
        self._sent_at = self._clock.monotonic()

    def _advanced(self, done: float, total: float | None) -> float | None:
        """A value above the last one and not above ``total``; ``None`` where there is no such value."""
        value = done if total is None else min(done, total)
        self._furthest = max(self._furthest, value)
        if self._value is None or value > self._value:
            return value
        following = self._furthest + 1 if total is None else min(self._furthest + 1, total)
        value = self._value + (following - self._value) / self._steps
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
        """Send nothing from now on; does not wait for a notification under way, which may still go out."""
        self._ended.set()

    def close(self) -> None:
        """Send what was last reported, if that was not told, and nothing from then on; return after a gap.

        The last report is often the one that is worth the most: what was saved, and where.
        """
        with self._lock:
            if self._untold:
                self._tell_last()
            self._ended.set()
            rest = self._sent_at + GAP_SECONDS - self._clock.monotonic()
        if rest > 0:
            self._clock.wait(threading.Event(), rest)
