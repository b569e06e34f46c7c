"""Collecting what nobody waits for: the tasks of processes that died, and those that a call has let go of."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, KieMcpError, TaskNotFoundError, UnknownOutcomeError
from kie_mcp.jobs.waiting import next_delay
from kie_mcp.ledger.tasks import GONE_SECONDS
from kie_mcp.log import logger

if TYPE_CHECKING:
    from kie_mcp.clock import Clock
    from kie_mcp.jobs.generation import Generations
    from kie_mcp.ledger import Custody, TaskRow

CATCH_UP_SECONDS = 10.0
"""How long a call that shows the tasks waits for those of dead processes."""
MOST_NEWS = 20
"""In one answer; what is more comes with the next."""
_WORKERS = 4
_LONGEST_AGE = 86400.0
"""Seconds: results do not live for ever, and what is older is fetched only when it is asked for."""
_LEAST_PAUSE_AFTER_FAILURE = 30.0
"""Seconds: what failed in passing is likely to fail again at once."""
_LEAVING_SECONDS = 0.25
"""How long what is under way may take to put itself in order when the process ends."""
_LOOK_AGAIN_SECONDS = 0.05
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
    """Saves the pictures that nobody waits for, on threads of its own, which use no CPU time while there are none.

    Without a key only what needs no answer of Kie is done. Safe for many threads.
    """

    def __init__(self, generations: Generations, custody: Custody, clock: Clock) -> None:
        self._generations = generations
        self._unattended = generations.unattended
        self._custody = custody
        self._clock = clock
        self._context = CallContext(clock)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._news: list[News] = []
        self._new: set[str] = set()

    def start(self) -> None:
        """Collect from now on, until ``close``, whatever becomes unattended."""
        with self._lock:
            if self._threads or self._context.cancelled:
                return
            self._threads = [
                threading.Thread(target=self._work, name=f"kie-mcp-recovery-{number}", daemon=True)
                for number in range(_WORKERS)
            ]
            for thread in self._threads:
                thread.start()

    def take_over(self) -> list[str]:
        """Tidy up after dead processes, and make their tasks this process's; returns the ids.

        They are unattended from now on. Raises ``ConfigError`` where the ledger cannot be used.
        """
        self._custody.end_abandoned(_ABANDONED.as_dict())
        for row in self._custody.half_saved():
            self._settle(row)
        if not self._generations.config.api_key:
            return []
        taken = [str(row.task_id) for row in self._custody.take_over(self._clock.now() - _LONGEST_AGE)]
        with self._lock:
            self._new.update(taken)
        for task_id in taken:
            self._unattended.add(task_id)
        return taken

    def catch_up(self, context: CallContext) -> None:
        """Take over, and wait until every task taken over was looked at, for ``CATCH_UP_SECONDS`` at most.

        Raises ``CancelledError`` only: what cannot be collected keeps nobody from looking at the ledger.
        """
        try:
            taken = set(self.take_over())
            if taken:
                self.start()
        except (KieMcpError, RuntimeError) as error:
            logger().warning("tasks of an earlier run could not be collected: %s", error)
            return
        until = min(context.deadline, self._clock.monotonic() + CATCH_UP_SECONDS)
        while (left := taken & self._new) and self._clock.monotonic() < until:
            context.progress(len(taken) - len(left), len(taken), "collecting the tasks of an earlier run")
            context.sleep(_LOOK_AGAIN_SECONDS)

    def news(self) -> list[News]:
        """What has ended since this was last asked, the oldest ``MOST_NEWS`` of it."""
        with self._lock:
            told, self._news = self._news[:MOST_NEWS], self._news[MOST_NEWS:]
        return told

    def close(self) -> None:
        """Stop collecting; what is under way is given a moment to put itself in order."""
        with self._lock:
            self._context.cancel()
            threads = self._threads
        self._unattended.close()
        until = self._clock.monotonic() + _LEAVING_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - self._clock.monotonic()))

    def _settle(self, row: TaskRow) -> None:
        """Finish or remove one half-saved picture; one bad place keeps nobody from the others."""
        task_id = str(row.task_id)
        try:
            self._generations.saver.settle(task_id, self._context)
        except Exception as error:  # noqa: BLE001 - as the docstring says
            logger().warning("a picture of task %s is still half saved: %s", task_id, error)
        else:
            if files := self._generations.saver.saved(task_id):
                self._tell(News(task_id, row.state, row.prompt, tuple(file.path for file in files)))

    def _work(self) -> None:
        while (task_id := self._unattended.take()) is not None:
            try:
                self.attend(task_id)
            except Exception:  # noqa: BLE001 - a bug with one task must not end the collecting of the others
                logger().exception("collecting task %s failed unexpectedly", task_id)
            finally:
                with self._lock:
                    self._new.discard(task_id)

    def attend(self, task_id: str) -> None:
        """Look at a task once, and save it if it has succeeded; else have it looked at again later, or not any more."""
        row = self._generations.ledger.find(task_id)
        if row is None or row.state == "fail" or row.without_pictures or self._generations.saver.saved(task_id):
            return
        age = self._clock.now() - row.created_at
        if not 0 <= age < _LONGEST_AGE:  # a row from the future was made before the clock went back
            age = _LONGEST_AGE
        try:
            outcome = self._generations.collect(task_id, self._context)
        except CancelledError:
            pass  # the process ends, and another one goes on
        except TaskNotFoundError:
            logger().warning("Kie does not know task %s", task_id)
            self._again(task_id, age, GONE_SECONDS)
        except KieMcpError as error:
            logger().warning("task %s could not be collected: %s", task_id, error.message)
            if not error.retryable or not self._again(task_id, age, max(_LEAST_PAUSE_AFTER_FAILURE, age / 10)):
                self._tell(News(task_id, row.state, row.prompt, error=error.message))
        else:
            if outcome.finished:
                paths = tuple(file.path for file in outcome.files)
                reason = str(outcome.failure["message"]) if outcome.failure else None
                self._tell(News(task_id, outcome.status, row.prompt, paths, reason))
            else:
                self._again(task_id, age, next_delay(age, self._generations.config.poll_interval_seconds))

    def _again(self, task_id: str, age: float, seconds: float) -> bool:
        """Have a task of that age looked at again, unless it is too old for that."""
        if age < _LONGEST_AGE:
            self._unattended.add(task_id, seconds)
        return age < _LONGEST_AGE

    def _tell(self, news: News) -> None:
        with self._lock:
            self._news.append(news)
