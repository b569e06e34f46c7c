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

    def add(self, task_id: str, seconds: float = 0.0) -> None:
        """Have the task looked at in ``seconds``; of a task that was added before, the earlier time counts."""
        with self._lock:
            heapq.heappush(self._due, (self._clock.monotonic() + seconds, task_id))
        self._changed.set()

    def take_due(self) -> list[str]:
        """Take the tasks whose time has come; they are not here any more, unless they are added again."""
        with self._lock:
            now = self._clock.monotonic()
            taken: list[str] = []
            while self._due and self._due[0][0] <= now:
                taken.append(heapq.heappop(self._due)[1])
            self._due = [entry for entry in self._due if entry[1] not in taken]
            heapq.heapify(self._due)
        return list(dict.fromkeys(taken))

    def wake(self) -> None:
        """End the wait of whoever waits."""
        self._changed.set()

    def wait(self) -> None:
        """Wait until the next task is due, one is added, or ``wake`` is called."""
        with self._lock:
            pause = self._due[0][0] - self._clock.monotonic() if self._due else float("inf")
        self._clock.wait(self._changed, pause)
        self._changed.clear()
