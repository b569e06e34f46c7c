"""The calls in flight, and those whose work has not ended yet."""

from __future__ import annotations

import threading

from kie_mcp.context import CallContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.clock import Clock
    from kie_mcp.protocol.progress import ProgressReporter


class Call:
    """One ``tools/call``: its request id, its context, and its progress where the caller wants it.

    ``seconds`` from now it lets go of what it waits for.
    """

    __slots__ = ("_progress", "context", "id")

    def __init__(self, request_id: str | int, clock: Clock, progress: ProgressReporter | None, seconds: float) -> None:
        self.id = request_id
        self._progress = progress
        self.context = CallContext(clock, progress.report if progress else None)
        self.context.deadline = clock.monotonic() + seconds

    def begin_progress(self, start_thread: Callable[[Callable[[], None]], None]) -> None:
        """Let the caller hear from the call at least every few seconds, if it wants to, whatever the call does."""
        if self._progress:
            start_thread(self._progress.keep_alive)

    def silence(self) -> None:
        """End the progress; waits for nothing."""
        if self._progress:
            self._progress.silence()

    def cancel(self) -> None:
        """End the call's waits and its progress; waits for nothing itself."""
        self.silence()
        self.context.cancel()

    def end_progress(self) -> None:
        """Close the progress, so that the result may be sent."""
        if self._progress and not self.context.cancelled:
            self._progress.close()


class Calls:
    """A call is *in flight* from its request to its answer or its cancellation; its *work* may last longer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight: dict[str | int, Call] = {}
        self._working: set[Call] = set()
        self._idle = threading.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._in_flight)

    def begin(self, call: Call) -> bool:
        """Take the call in; false where a call of the same id is in flight."""
        with self._lock:
            if call.id in self._in_flight:
                return False
            self._in_flight[call.id] = call
            self._working.add(call)
            self._idle.clear()
            return True

    def finish(self, call: Call) -> bool:
        """Take the call out; false where it was cancelled, so that nothing may be answered."""
        with self._lock:
            if self._in_flight.get(call.id) is not call:
                return False
            del self._in_flight[call.id]
            return True

    def end_work(self, call: Call) -> bool:
        """The call's work is over, and its answer, if any, was sent. False where that was said before."""
        with self._lock:
            was_working = call in self._working
            self._working.discard(call)
            if not self._working:
                self._idle.set()
            return was_working

    def cancel(self, request_id: str | int) -> None:
        """Cancel the call of that id, if it is in flight."""
        with self._lock:
            call = self._in_flight.pop(request_id, None)
        if call is not None:
            call.cancel()

    def cancel_all(self) -> None:
        """Cancel every call."""
        for request_id in list(self._in_flight):
            self.cancel(request_id)

    def wait_idle(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until no work is left; true as soon as that is so."""
        return self._clock.wait(self._idle, seconds)
