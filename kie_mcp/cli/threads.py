"""The threads that calls run on. Loaded with the first call."""

from __future__ import annotations

import itertools
import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_SECONDS = 1.0
"""How long a thread that has nothing to do waits for the next call. What a thread has freed, the C library keeps for
it alone, up to some hundred kilobytes, as long as it lives."""


class Threads:
    """At most ``most`` threads: made when needed, gone when there is nothing to do. Further jobs wait for their turn.

    ``concurrent.futures`` has a pool whose threads stay for ever.
    """

    def __init__(self, most: int, name: str, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most = most
        self._name = name
        self._idle_seconds = idle_seconds
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._alive = 0
        self._idle = 0

    def spawn(self, job: Callable[[], None]) -> None:
        """Run ``job``, which raises nothing, in the order of the calls to this. Raises ``RuntimeError``: no thread."""
        with self._changed:
            self._jobs.append(job)
            if len(self._jobs) <= self._idle:
                self._changed.notify()
            elif self._alive < self._most:
                self._start()

    def _start(self) -> None:
        self._alive += 1
        try:
            threading.Thread(target=self._work, name=f"{self._name}-{next(self._numbers)}", daemon=True).start()
        except (RuntimeError, MemoryError):
            self._alive -= 1
            if not self._alive:  # nobody would come to it
                self._jobs.pop()
                raise

    def _work(self) -> None:
        while job := self._next():
            job()
            del job  # what it holds is not kept while there is nothing to do

    def _next(self) -> Callable[[], None] | None:
        """The next job; none where this thread is to end."""
        with self._changed:
            if not self._jobs:
                self._idle += 1
                self._changed.wait_for(lambda: self._jobs, self._idle_seconds)
                self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._alive -= 1
            return None
