"""Everything that changes while the stand-in runs, in one object behind one lock."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.tasks import Failure

if TYPE_CHECKING:
    import random

    from kie_mcp.clock import Clock
    from kie_mcp.config import Rate
    from kie_mcp.sandbox.options import SandboxOptions
    from kie_mcp.sandbox.tasks import Task


class _Window:
    """A sliding window: at most ``count`` entries in any ``seconds``. The caller holds the lock."""

    __slots__ = ("_count", "_entries", "_seconds")

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._entries: deque[float] = deque()

    def enter(self, now: float) -> bool:
        """Take a place; false, and none is taken, where the window is full."""
        self._forget(now)
        if len(self._entries) >= self._count:
            return False
        self._entries.append(now)
        return True

    def count(self, now: float) -> int:
        """Enter regardless; the number of entries in the window."""
        self._forget(now)
        self._entries.append(now)
        return len(self._entries)

    def _forget(self, now: float) -> None:
        while self._entries and now - self._entries[0] >= self._seconds:
            self._entries.popleft()


class State:
    """Tasks, balance, rate windows and counts of one account. Safe to use from any thread."""

    def __init__(self, options: SandboxOptions, clock: Clock, random: random.Random, ids: random.Random) -> None:
        """``random`` gives the tasks' times, ``ids`` their ids."""
        self._lock = threading.Lock()
        self._options = options
        self._clock = clock
        self._random = random
        self._ids = ids
        self._tasks: dict[str, Task] = {}
        self._credits = options.credits
        self._creations = self._window(options.rate)
        self._catalogue = _Window(1, options.catalogue_seconds)
        self._polls = _Window(0, 1.0)
        self._counts: Counter[str] = Counter()
        self._rejected: Counter[int] = Counter()
        self._requests: Counter[str] = Counter()
        self._polls_per_task: Counter[str] = Counter()

    @staticmethod
    def _window(rate: Rate) -> _Window:
        return _Window(rate.count, rate.seconds)

    # what is taken and given

    def enter_creation(self) -> bool:
        """Whether one more createTask fits the rate; if so, it has been counted."""
        with self._lock:
            return self._creations.enter(self._clock.monotonic())

    def enter_catalogue(self) -> bool:
        """Whether one more question to the catalogue API fits its budget."""
        with self._lock:
            return self._catalogue.enter(self._clock.monotonic())

    def new_id(self) -> str:
        """32 hexadecimal digits."""
        with self._lock:
            return f"{self._ids.getrandbits(128):032x}"

    def new_duration(self) -> float:
        """The seconds that a new task will take: 0.7 to 1.3 of the usual."""
        with self._lock:
            return self._options.task_seconds * self._random.uniform(0.7, 1.3)

    def accept(self, task: Task) -> bool:
        """Charge and keep a task; false, and nothing has changed, where the balance is too small.

        A task that is going to fail costs nothing.
        """
        with self._lock:
            if task.credits > self._credits:
                return False
            if task.failure is None:
                self._credits -= task.credits
            self._tasks[task.id] = task
            self._counts["created"] += 1
            return True

    def fail(self, task_id: str, code: str, message: str) -> Task:
        """End a task as failed and give its price back; a task that fails anyway stays as it is."""
        with self._lock:
            task = self._tasks[task_id]
            if task.failure is None:
                self._credits += task.credits
                task = replace(task, failure=Failure(code, message, self._clock.monotonic()))
                self._tasks[task_id] = task
            return task

    def task(self, task_id: str) -> Task | None:
        """A task by its id, visible or not."""
        with self._lock:
            return self._tasks.get(task_id)

    @property
    def credits(self) -> float:
        """The balance."""
        with self._lock:
            return self._credits

    # what is counted

    def count_request(self, endpoint: str) -> None:
        """One request to an endpoint, whatever becomes of it."""
        with self._lock:
            self._requests[endpoint] += 1

    def count_rejection(self, code: int) -> None:
        """One createTask that was refused with this code."""
        with self._lock:
            self._rejected[code] += 1

    def count_poll(self, task_id: str) -> None:
        """One recordInfo; remembers the busiest second."""
        with self._lock:
            self._counts["polls"] += 1
            self._polls_per_task[task_id] += 1
            busy = self._polls.count(self._clock.monotonic())
            self._counts["max_polls_in_one_second"] = max(self._counts["max_polls_in_one_second"], busy)

    def count(self, what: str) -> None:
        """One ``downloads``, ``authorized_downloads`` or ``uploads``."""
        with self._lock:
            self._counts[what] += 1

    def stats(self) -> dict[str, Any]:
        """All counts so far, as JSON-able data; ``rejected`` and ``requests`` by code and endpoint."""
        with self._lock:
            now = self._clock.monotonic()
            return {
                **{name: self._counts[name] for name in COUNTS},
                "rejected": {str(code): number for code, number in sorted(self._rejected.items())},
                "rate_limited": self._rejected[429],
                "polls_per_task": dict(self._polls_per_task),
                "requests": dict(sorted(self._requests.items())),
                "credits": self._credits,
                "tasks": [_listed(task, now) for task in self._tasks.values()],
            }


COUNTS = ("created", "polls", "max_polls_in_one_second", "downloads", "authorized_downloads", "uploads")


def _listed(task: Task, now: float) -> dict[str, Any]:
    return {
        "taskId": task.id,
        "model": task.model,
        "state": task.state(now),
        "prompt": task.prompt,
        "createTime": int(task.created * 1000),
    }
