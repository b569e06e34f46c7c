"""Waiting for one task: poll, remember, report, until it ends or the time is up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.errors import KieMcpError, NetworkError, RateLimitError, ServerError, TaskFailedError, TaskNotFoundError
from kie_mcp.jobs.waiting import NoTurnError, next_delay
from kie_mcp.kie import TaskStatus
from kie_mcp.kie.retry import RETRY_AFTER_CAP
from kie_mcp.log import logger
from kie_mcp.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.context import CallContext
    from kie_mcp.kie import KieClient
    from kie_mcp.ledger import TaskLedger

GRACE_SECONDS = 60.0
"""How long a task that was just made may be unknown to recordInfo."""


@dataclass(frozen=True)
class Watch:
    """One wait. ``since``, ``until`` and ``new_until`` are monotonic seconds.

    Before ``new_until`` a task that Kie does not know is one that it does not show yet. ``at_once``: the
    first poll does not wait.
    """

    task_id: str
    model: str | None
    since: float
    until: float
    interval: float
    new_until: float = 0.0
    at_once: bool = False

    def may_be_invisible(self, now: float) -> bool:
        """Whether "no such task" still means "not visible yet"."""
        return now < self.new_until


class Watcher:
    """Waits for tasks, writing every observation into the ledger.

    ``backlog`` tells in how many seconds a poll that came now would have its turn.
    """

    def __init__(self, client: KieClient, ledger: TaskLedger, backlog: Callable[[], float] = lambda: 0.0) -> None:
        self._client = client
        self._ledger = ledger
        self._backlog = backlog

    def look(self, task_id: str, context: CallContext, *, new: bool = False) -> TaskStatus:
        """Ask once (trying again where that helps) and remember the answer.

        Where no poll had its turn by the call's deadline, it is the ledger that answers.
        """
        try:
            status = self._client.get_task(task_id, context)
        except TaskNotFoundError:
            if not new:
                raise
            return TaskStatus(task_id, "submitted")
        except NoTurnError:
            return self._known(task_id)
        self._remember(status)
        return status

    def wait(self, watch: Watch, context: CallContext) -> TaskStatus:
        """Poll until the task has ended or ``watch.until`` has come; the last status seen is returned.

        Where no poll had its turn in that time, or none was answered, it is the one in the ledger. A poll that
        fails in passing is tried again at the next turn. Raises ``TaskNotFoundError`` for a task that stays unknown,
        and refusals such as ``AuthError``; all carry the task id.
        """
        clock = context.clock
        in_time = context.child(None)
        in_time.deadline = watch.until
        status = self._known(watch.task_id)
        delay = 0.0 if watch.at_once else self._delay(watch, 0.0)
        while (left := watch.until - clock.monotonic()) > 0:
            context.sleep(min(delay, left))
            began = clock.monotonic()
            try:
                status, pause = self._poll(watch, status, in_time)
            except NoTurnError:
                break
            now = clock.monotonic()
            delay = max(pause, began + self._delay(watch, began - watch.since) - now)
            if status.finished:  # what comes of it is told next: which file was saved, or why there is none
                break
            context.progress(now - watch.since, None, f"{status.state}, {now - watch.since:.0f} s")
        return status

    def _known(self, task_id: str) -> TaskStatus:
        """What the ledger knows of a task; ``unknown`` where that is nothing, or that Kie did not know it."""
        row = self._ledger.find(task_id)
        if row is None or row.state == "not_found":
            return TaskStatus(task_id, "unknown")
        return TaskStatus(
            task_id,
            row.state,
            model=row.model,
            image_urls=row.image_urls,
            result=row.result,
            credits_consumed=row.credits_consumed,
            seconds=row.seconds,
        )

    def _delay(self, watch: Watch, waited: float) -> float:
        """Seconds to the next poll; what others have learned of the model since the last one counts too."""
        learned = self._ledger.model_seconds(watch.model) if watch.model else []
        return next_delay(waited, watch.interval, learned, self._backlog())

    def _poll(self, watch: Watch, last: TaskStatus, context: CallContext) -> tuple[TaskStatus, float]:
        """One poll: the status (``last`` where it failed in passing) and the pause that Kie asked for, in seconds."""
        try:
            status = self._client.get_task(watch.task_id, context, once=True)
        except NoTurnError:
            raise
        except TaskNotFoundError:
            if watch.may_be_invisible(context.clock.monotonic()):
                return last, 0.0
            raise
        except (NetworkError, RateLimitError, ServerError) as error:
            if not error.retryable:
                error.task_id = watch.task_id
                raise
            logger().warning("a poll of task %s failed: %s", watch.task_id, error.message)
            return last, min(error.retry_after or 0.0, RETRY_AFTER_CAP)
        except KieMcpError as error:
            error.task_id = watch.task_id
            raise
        self._remember(status)
        return status, 0.0

    def _remember(self, status: TaskStatus) -> None:
        self._ledger.observed(
            status.task_id,
            status.state,
            image_urls=status.image_urls,
            # While a task runs Kie reports 0, or already the full price.
            credits_consumed=status.credits_consumed if status.finished else None,
            error=failure(status).as_dict() if status.state == "fail" else None,
            seconds=status.seconds,
            result=status.result,
        )


def failure(status: TaskStatus) -> TaskFailedError:
    """The error of a task that ended without a picture (``failCode`` and ``failMsg`` of recordInfo)."""
    reason = quoted(status.fail_message) if status.fail_message else "no reason given"
    return TaskFailedError(f"Kie could not make the picture: {reason}", code=status.fail_code, task_id=status.task_id)
