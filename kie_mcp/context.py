"""The small context that every call gets: progress, waiting, and being cancelled."""

from __future__ import annotations

import threading

from kie_mcp.clock import Clock
from kie_mcp.errors import CancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    ProgressListener = Callable[[float, float | None, str], None]


class CallContext:
    """One call's progress, waits, cancellation and end.

    ``listener`` receives ``(done, total, message)``; without one, progress goes nowhere. ``deadline``
    (monotonic seconds) is when the call has to let go of what it waits for. All methods may be used from
    any thread.
    """

    def __init__(self, clock: Clock | None = None, listener: ProgressListener | None = None) -> None:
        self.clock = clock or Clock()
        self._listener = listener
        self._cancelled = threading.Event()
        self.deadline = float("inf")

    def remaining(self) -> float:
        """Seconds until the deadline, not below 0; infinite where there is none."""
        return max(0.0, self.deadline - self.clock.monotonic())

    def progress(self, done: float, total: float | None, message: str) -> None:
        """Report ``done`` of ``total`` (``None`` where the end is not known)."""
        if self._listener is not None:
            self._listener(done, total, message)

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; raises ``CancelledError`` as soon as the call is cancelled."""
        if self.clock.wait(self._cancelled, seconds):
            self.raise_if_cancelled()

    def raise_if_cancelled(self) -> None:
        """Raise ``CancelledError`` if the call was cancelled."""
        if self._cancelled.is_set():
            raise CancelledError("The call was cancelled.")

    def cancel(self) -> None:
        """End every wait of this call, now and later."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether the call was cancelled."""
        return self._cancelled.is_set()

    def child(self, listener: ProgressListener | None) -> CallContext:
        """A context for one part of this call: cancelled and ended with it, with a progress of its own."""
        child = CallContext(self.clock, listener)
        child._cancelled = self._cancelled
        child.deadline = self.deadline
        return child
