"""The tasks of this process that no call waits for: when each is to be looked at next."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kie_mcp.clock import Clock


class Unattended:
    """Task ids by the time at which they are due. Safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due: list[tuple[float, str]] = []
        self._changed = threading.Event()
        self._closed = False

    def add(self, task_id: str, seconds: float = 0.0) -> None:
        """Have the task looked at in ``seconds``; of a task that is there already the earlier time counts."""
        with self._lock:
            heapq.heappush(self._due, (self._clock.monotonic() + seconds, task_id))
        self._changed.set()

    def take_due(self) -> str | None:
        """Take a task whose time has come, if there is one: it is not here any more, unless it is added again."""
        with self._lock:
            if not self._due or self._due[0][0] > self._clock.monotonic():
                return None
            _, task_id = heapq.heappop(self._due)
            self._due = [entry for entry in self._due if entry[1] != task_id]
            heapq.heapify(self._due)
        self._changed.set()  # for whoever else waits: another may be due, too
        return task_id

    def take(self) -> str | None:
        """Wait until a task is due, and take it; ``None`` once this is closed."""
        while not self._closed:
            self._changed.clear()
            if (task_id := self.take_due()) is not None:
                return task_id
            with self._lock:
                pause = self._due[0][0] - self._clock.monotonic() if self._due else float("inf")
            if not self._closed:
                self._clock.wait(self._changed, pause)
        return None

    def close(self) -> None:
        """End every wait, now and later."""
        self._closed = True
        self._changed.set()
