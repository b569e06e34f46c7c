"""Collecting what nobody waits for: the tasks of processes that died, and those that a call has let go of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, KieMcpError, TaskNotFoundError, UnknownOutcomeError
from kie_mcp.jobs.waiting import next_delay
from kie_mcp.log import logger

if TYPE_CHECKING:
    from kie_mcp.clock import Clock
    from kie_mcp.jobs.generation import Generations
    from kie_mcp.ledger import Custody

CATCH_UP_SECONDS = 10.0
"""How long a call that shows the tasks waits for those of dead processes."""
_WORKERS = 4
_LONGEST_AGE = 86400.0
"""Results do not live for ever: later a task is fetched only when it is asked for."""
_LEAST_PAUSE_AFTER_FAILURE = 30.0
_LEAVING_SECONDS = 0.25
_MOST_NEWS = 50
_ABANDONED = UnknownOutcomeError(
    "The program was ended while createTask was under way; whether a task was made is not known."
)


@dataclass(frozen=True)
class News:
    """A task that ended while nobody waited for it: ``paths`` of its files, or the ``error`` in words."""

    task_id: str
    status: str
    prompt: str | None
    paths: tuple[str, ...] = ()
    error: str | None = None


class Recovery:
    """Saves the pictures that nobody waits for.

    ``start`` does so from now on, on a thread of its own, which uses no CPU time while there is nothing to do;
    ``catch_up`` once, for a call. Without a key only what needs no answer of Kie is done. Safe for many threads.
    """

    def __init__(self, generations: Generations, custody: Custody, clock: Clock) -> None:
        self._generations = generations
        self._unattended = generations.unattended
        self._custody = custody
        self._clock = clock
        self._context = CallContext(clock)
        self._lock = threading.Lock()
        self._news: list[News] = []
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take over what dead processes have left, and go on collecting until ``close``."""
        self.take_over(self._context)
        with self._lock:
            if self._thread is None and not self._context.cancelled:
                self._thread = threading.Thread(target=self._run, name="kie-mcp-recovery", daemon=True)
                self._thread.start()

    def catch_up(self, context: CallContext) -> None:
        """Save what can be saved now of the tasks of dead processes, for ``CATCH_UP_SECONDS`` at most.

        Raises ``CancelledError``. What is not done by then goes on in the background, where there is one.
        """
        child = context.child(context.progress)
        child.deadline = min(child.deadline, self._clock.monotonic() + CATCH_UP_SECONDS)
        if number := self.take_over(child):
            context.progress(0, None, f"collecting {number} tasks of an earlier run")
            self.collect_due(child)

    def take_over(self, context: CallContext) -> int:
        """Tidy up after dead processes, and make their tasks this process's; returns how many there were."""
        self._custody.end_abandoned(_ABANDONED.as_dict())
        for row in self._custody.half_saved():
            try:
                self._generations.saver.settle(str(row.task_id), context)
            except KieMcpError as error:
                logger().warning("the picture of task %s is still half saved: %s", row.task_id, error.message)
        taken = self._custody.take_over() if self._generations.config.api_key else []
        for row in taken:
            self._unattended.add(str(row.task_id))
        return len(taken)

    def collect_due(self, context: CallContext) -> None:
        """Look once at every task that is due, several at a time; raises ``CancelledError``."""
        due = self._unattended.take_due()
        if due:
            with ThreadPoolExecutor(min(_WORKERS, len(due)), "kie-mcp-recovery") as pool:
                list(pool.map(lambda task_id: self._attempt(task_id, context), due))
        context.raise_if_cancelled()

    def news(self) -> list[News]:
        """What has ended since this was last asked."""
        with self._lock:
            told, self._news = self._news, []
        return told

    def close(self) -> None:
        """Stop collecting; what is under way is given a moment to put itself in order."""
        with self._lock:
            self._context.cancel()
            thread = self._thread
        self._unattended.wake()
        if thread is not None:
            thread.join(_LEAVING_SECONDS)

    def _run(self) -> None:
        while not self._context.cancelled:
            try:
                self._unattended.wait()
                self.collect_due(self._context)
            except CancelledError:
                return
            except Exception:  # noqa: BLE001 - a bug with one task must not end the collecting of the others
                logger().exception("collecting in the background failed unexpectedly")

    def _attempt(self, task_id: str, context: CallContext) -> None:
        """Look at a task once, and save it if it has succeeded; else have it looked at again later."""
        row = self._generations.ledger.find(task_id)
        if row is None or row.state == "fail" or row.without_pictures or self._generations.saver.saved(task_id):
            return
        age = max(0.0, self._clock.now() - row.created_at)
        try:
            outcome = self._generations.collect(task_id, context)
        except CancelledError:
            self._unattended.add(task_id)
        except TaskNotFoundError:
            logger().warning("Kie does not know task %s", task_id)
        except KieMcpError as error:
            logger().warning("task %s could not be collected: %s", task_id, error.message)
            if error.retryable and age < _LONGEST_AGE:
                self._unattended.add(task_id, max(_LEAST_PAUSE_AFTER_FAILURE, age / 10))
            else:
                self._tell(News(task_id, row.state, row.prompt, error=error.message))
        else:
            if outcome.finished:
                paths = tuple(file.path for file in outcome.files)
                reason = str(outcome.failure["message"]) if outcome.failure else None
                self._tell(News(task_id, outcome.status, row.prompt, paths, reason))
            elif age < _LONGEST_AGE:
                self._unattended.add(task_id, next_delay(age, self._generations.config.poll_interval_seconds))

    def _tell(self, news: News) -> None:
        with self._lock:
            self._news = [*self._news, news][-_MOST_NEWS:]
