"""The calls in flight, and those whose work has not ended yet."""

from __future__ import annotations

import threading
from contextlib import suppress

from kie_mcp.context import CallContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.clock import Clock
    from kie_mcp.protocol.progress import ProgressReporter


class Call:
    """One request that takes its time: its id, its context, and its progress where the caller wants it.

    ``seconds`` from now it lets go of what it waits for.
    """

    __slots__ = ("_progress", "_release", "_released", "context", "id")

    def __init__(self, request_id: str | int, clock: Clock, progress: ProgressReporter | None, seconds: float) -> None:
        self.id = request_id
        self._progress = progress
        self.context = CallContext(clock, progress.report if progress else None)
        self.context.deadline = clock.monotonic() + seconds
        self._release: Callable[[], None] = lambda: None
        self._released = threading.Lock()

    def when_released(self, release: Callable[[], None]) -> None:
        """What to do when the call is answered, or will not be."""
        self._release = release

    def release(self) -> None:
        """Do it; a second time there is nothing to do."""
        if self._released.acquire(blocking=False):
            self._release()

    def begin_progress(self, start_thread: Callable[[Callable[[], None]], None]) -> None:
        """Let the caller hear from the call at least every few seconds, if it wants to, whatever the call does."""
        if self._progress:
            with suppress(RuntimeError):  # no thread is to be had: the call is heard of when it reports by itself
                start_thread(self._progress.keep_alive)

    def silence(self) -> None:
        """End the progress; waits for nothing."""
        if self._progress:
            self._progress.silence()

    def cancel(self) -> None:
        """End the call's waits and its progress; waits for nothing itself."""
        self.silence()
        self.context.cancel()
        self.release()

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
        self._closed = False

    def __len__(self) -> int:
        return len(self._in_flight)

    def begin(self, call: Call) -> bool:
        """Take the call in; false where a call of the same id is in flight, or none is taken any more."""
        with self._lock:
            if call.id in self._in_flight or self._closed:
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

    def end_work(self, call: Call) -> None:
        """The call's work is over, and its answer, if any, was sent."""
        with self._lock:
            self._working.discard(call)
            if not self._working:
                self._idle.set()

    def cancel(self, request_id: str | int) -> None:
        """Cancel the call of that id, if it is in flight."""
        with self._lock:
            call = self._in_flight.pop(request_id, None)
        if call is not None:
            call.cancel()

    def cancel_all(self) -> None:
        """Cancel every call, and take no further one."""
        with self._lock:
            self._closed = True
            ids = list(self._in_flight)
        for request_id in ids:
            self.cancel(request_id)

    def wait_idle(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until no work is left; true as soon as that is so."""
        return self._clock.wait(self._idle, seconds)
