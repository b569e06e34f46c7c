"""createTask, once: the rate window before it, the ledger around it, nothing sent twice that may have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.errors import CancelledError, KieMcpError, RateLimitError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.files import Target
    from kie_mcp.jobs.model import Prepared
    from kie_mcp.kie import KieClient
    from kie_mcp.ledger import RateWindow, TaskLedger

_LONGEST_PAUSE = 30.0
_LONGEST_ASKED_PAUSE = 60.0


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
        give_up_at: float | None = None,
        before_sending: Callable[[], None] = lambda: None,
    ) -> str:
        """Return the task id. ``give_up_at`` (monotonic) bounds the wait for the rate window.

        ``before_sending`` may raise to stop the task while nothing has been sent. Too many requests slow
        everyone down who shares the window; the task is sent again until the request's own time-out.
        """
        ticket = self._window.acquire(context, give_up_at)
        try:
            before_sending()
            body = prepared.body(image_urls)
            number = self._begin(prepared, body)
        except BaseException:
            self._window.settle(ticket)
            raise
        try:
            task_id = self._send(body, ticket, prepared.request.poll_timeout_seconds, give_up_at, context)
        except UnknownOutcomeError as error:
            self._ledger.unknown(number, error.as_dict())
            raise
        except KieMcpError as error:
            self._ledger.refused(number, error.as_dict())
            raise
        except BaseException:
            self._ledger.unknown(number, UnknownOutcomeError("The program was interrupted.").as_dict())
            raise
        self._ledger.accepted(number, task_id)
        return task_id

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

    def _send(
        self, body: Mapping[str, Any], ticket: int, patience: float, give_up_at: float | None, context: CallContext
    ) -> str:
        deadline = context.clock.monotonic() + patience
        deadline = deadline if give_up_at is None else min(deadline, give_up_at)
        pause = self._config.http_retry_backoff_seconds
        while True:
            try:
                return self._client.create_task(body, context)
            except RateLimitError as error:
                asked = error.retry_after
                wait = pause if asked is None else min(asked, _LONGEST_ASKED_PAUSE)
                self._window.slow_down(wait)
                if context.clock.monotonic() + wait > deadline:
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE)
            finally:
                self._window.settle(ticket)
            ticket = self._window.acquire(context, deadline)


def _asked_path(target: Target) -> str:
    """The absolute file or folder, so that a later call in another working directory finds the same place."""
    return str(target.folder if target.stem is None else target.folder / f"{target.stem}.{target.extension}")


def stopped(reason: str) -> CancelledError:
    """The error of a task that was not sent because its batch had stopped."""
    return CancelledError(reason, retryable=True, next_step="Nothing was sent or billed for this item; ask again.")
