"""The threads that calls run on. Loaded with the first call."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[], object]

IDLE_SECONDS = 1.0
"""How long a thread that has nothing to do waits for the next call. What a thread has freed, the C library keeps for
it alone, up to some hundred kilobytes, as long as it lives."""


class Threads:
    """At most ``most`` threads: made when needed, gone when there is nothing to do. Further jobs wait for their turn.

    The thread that was busy last gets the next job, so that those of a burst end although calls keep coming. The
    threads of a pool of ``concurrent.futures`` stay for ever.
    """

    def __init__(self, most: int, name: str, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most = most
        self._name = name
        self._idle_seconds = idle_seconds
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._alive = 0
        self._idle: list[SimpleQueue[Job]] = []  # where each thread that has nothing to do looks for a job

    def spawn(self, job: Job) -> None:
        """Run ``job`` as soon as a thread is free; what it raises is lost. Raises ``RuntimeError``: there is none."""
        with self._lock:
            if self._idle:
                self._idle.pop().put(job)
            elif self._alive >= self._most or not self._started(job):
                self._waiting.append(job)

    def _started(self, job: Job) -> bool:
        """Start a thread with that job, if the system has one; if not, those that there are have to do."""
        own: SimpleQueue[Job] = SimpleQueue()
        own.put(job)
        name = f"{self._name}-{next(self._numbers)}"
        try:
            threading.Thread(target=self._work, args=(own,), name=name, daemon=True).start()
        except (RuntimeError, MemoryError):
            if not self._alive:
                raise
            return False
        self._alive += 1
        return True

    def _work(self, own: SimpleQueue[Job]) -> None:
        job: Job | None = own.get()
        while job is not None:
            with suppress(BaseException):
                job()
            job = None  # what it holds is not kept while there is nothing to do
            job = self._next(own)

    def _next(self, own: SimpleQueue[Job]) -> Job | None:
        """The next job; none where this thread is to end."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(own)
        with suppress(Empty):
            return own.get(timeout=self._idle_seconds)
        with self._lock:
            if own in self._idle:
                self._idle.remove(own)
                self._alive -= 1
                return None
        return own.get()  # it has come meanwhile
