"""createTask, once: the rate window before it, the ledger around it, nothing sent twice that may have arrived."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import CancelledError, KieMcpError, RateLimitError, UnknownOutcomeError
from kie_mcp.jobs.tolerating import failure_logged
from kie_mcp.kie.retry import RETRY_AFTER_CAP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.files import Target
    from kie_mcp.jobs.model import Prepared
    from kie_mcp.kie import KieClient
    from kie_mcp.ledger import RateWindow, TaskLedger

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class Submitter:
    """Sends createTask for prepared requests."""

    def __init__(self, config: Config, client: KieClient, ledger: TaskLedger, window: RateWindow) -> None:
        self._config = config
        self._client = client
        self._ledger = ledger
        self._window = window

    def submit(
        self,
        prepared: Prepared,
        image_urls: tuple[str, ...],
        context: CallContext,
        *,
        window_until: float = math.inf,
        before_sending: Callable[[], None] = lambda: None,
    ) -> str:
        """Return the task id. ``window_until`` (monotonic) bounds the wait for the rate window.

        ``before_sending`` may raise to stop the task while nothing has been sent. Too many requests slow
        everyone down who shares the window; the task is sent again until the request's own time-out.
        """
        ticket = self._window.acquire(context, min(window_until, context.deadline))
        try:
            before_sending()
            body = prepared.body(image_urls)
            number = self._begin(prepared, body)
        except BaseException:
            self._settle(ticket)
            raise
        try:
            return self._send(number, body, ticket, _deadline(prepared, context), context)
        except KieMcpError as error:
            self._ended(number, error)
            raise
        except BaseException:
            self._ended(number, UnknownOutcomeError("The program was interrupted."))
            raise

    def _begin(self, prepared: Prepared, body: Mapping[str, Any]) -> int:
        target = prepared.target
        return self._ledger.begin(
            model=prepared.plan.model,
            prompt=prepared.request.wish.prompt,
            platform=prepared.request.wish.platform,
            request=body,
            output_path=_asked_path(target),
            output_format=prepared.request.wish.output_format,
            estimated_credits=prepared.plan.estimated_credits,
        )

    def _send(self, number: int, body: Mapping[str, Any], ticket: int, deadline: float, context: CallContext) -> str:
        pause = max(self._config.http_retry_backoff_seconds, _SHORTEST_PAUSE)
        while True:
            try:
                return self._recorded(number, self._client.create_task(body, context))
            except RateLimitError as error:
                asked = error.retry_after
                wait = pause if asked is None else min(asked, RETRY_AFTER_CAP)
                self._slow_down(wait)
                if context.clock.monotonic() + wait > deadline:
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE)
            finally:
                self._settle(ticket)
            ticket = self._window.acquire(context, deadline)

    def _recorded(self, number: int, task_id: str) -> str:
        """The id, written down; one that cannot be is still passed on: the task is paid for."""
        with failure_logged(logging.ERROR, "task %s was made but could not be written down", task_id):
            self._ledger.accepted(number, task_id)
        return task_id

    def _ended(self, number: int, error: KieMcpError) -> None:
        """Write down that there is no task, or none that is known; where that fails, the error itself counts more."""
        note = self._ledger.unknown if isinstance(error, UnknownOutcomeError) else self._ledger.refused
        with failure_logged(logging.ERROR, "an error could not be written down (%s)", error.message):
            note(number, error.as_dict())

    def _slow_down(self, seconds: float) -> None:
        """Slow everybody down; where that cannot be, Kie will say it again."""
        with failure_logged(logging.WARNING, "the others were not told of too many requests"):
            self._window.slow_down(seconds)

    def _settle(self, ticket: int) -> None:
        """Free the slot; where that cannot be now, it is no reason to lose what came before."""
        with failure_logged(logging.WARNING, "a slot of the rate window is not freed yet"):
            self._window.settle(ticket)


def _deadline(prepared: Prepared, context: CallContext) -> float:
    """Until when a task that Kie answers with "too many requests" is sent again, in monotonic seconds."""
    return min(context.clock.monotonic() + prepared.request.poll_timeout_seconds, context.deadline)


def _asked_path(target: Target) -> str:
    """The absolute file or folder, so that a later call in another working directory finds the same place."""
    return str(target.folder if target.stem is None else target.folder / f"{target.stem}.{target.extension}")


def stopped(reason: str) -> CancelledError:
    """The error of a task that was not sent because its batch had stopped."""
    return CancelledError(reason, retryable=True, next_step="Nothing was sent or billed for this item; ask again.")
