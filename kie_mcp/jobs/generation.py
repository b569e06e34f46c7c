"""One generation, from a request to saved files; and picking up a task that was made earlier."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.errors import (
    InputError,
    KieMcpError,
    NetworkError,
    OutputError,
    RateLimitError,
    ServerError,
    TaskNotFoundError,
)
from kie_mcp.jobs.after_payment import after_payment
from kie_mcp.jobs.model import Prepared, SavePlan
from kie_mcp.jobs.outcomes import remembered, seen, submitted
from kie_mcp.jobs.submitting import stopped
from kie_mcp.jobs.watching import GRACE_SECONDS, Watch, failure
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.catalogue import Catalogue
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.files import Outputs
    from kie_mcp.jobs.model import Outcome, Request
    from kie_mcp.jobs.saving import Saver
    from kie_mcp.jobs.sources import Sources
    from kie_mcp.jobs.submitting import Submitter
    from kie_mcp.jobs.unattended import Unattended
    from kie_mcp.jobs.watching import Watcher
    from kie_mcp.kie import TaskStatus
    from kie_mcp.ledger import SavedFile, TaskLedger, TaskRow

FORGOTTEN_SECONDS = 600.0
"""A task that was made without waiting is collected when nobody has asked for it by then: its link dies."""


@dataclass(frozen=True)
class Generations:
    """Everything a generation needs, joined; no state of its own."""

    config: Config
    catalogue: Catalogue
    ledger: TaskLedger
    outputs: Outputs
    sources: Sources
    submitter: Submitter
    watcher: Watcher
    saver: Saver
    unattended: Unattended

    def prepare(self, request: Request, context: CallContext, *, offline: bool = False) -> Prepared:
        """Check the request in every way that costs nothing; raises ``InputError`` or ``OutputError``.

        With ``offline`` no key is needed and Kie is not asked about earlier tasks: what comes out is only to be
        looked at, not to be run.
        """
        if not offline:
            self.config.require_key()
        plan = self.catalogue.plan(request.wish)
        sources = self.sources.check(plan.pictures, context, offline=offline)
        return Prepared(request, plan, self.outputs.target(request.output_path, trial=offline), sources)

    def check_price(self, prepared: list[Prepared]) -> tuple[str, ...]:
        """Refuse a call above ``KIE_AI_MAX_CREDITS_PER_CALL``; returns warnings about unknown prices."""
        most = self.config.max_credits_per_call
        if most is None:
            return ()
        estimates = [one.plan.least_credits for one in prepared]
        total = sum(estimate for estimate in estimates if estimate is not None)
        if total > most:
            raise InputError(
                f"The call would cost at least {total:g} credits, over KIE_AI_MAX_CREDITS_PER_CALL ({most:g}).",
                next_step="Ask for fewer or smaller pictures, choose a cheaper model (list_models) or raise the limit.",
            )
        if None in estimates:
            return ("The price is not known, so KIE_AI_MAX_CREDITS_PER_CALL could not be applied in full.",)
        return ()

    def _submit(
        self,
        prepared: Prepared,
        context: CallContext,
        *,
        window_until: float,
        before_sending: Callable[[], None],
    ) -> str:
        """Upload what has to be uploaded, create the task, and return its id.

        At the call's deadline nothing is begun any more: whoever waited for the answer may be gone.
        """
        if not context.remaining():
            raise stopped("Not sent: the time of this call has ended.")
        urls = self._urls(prepared, context)
        try:
            task_id = self.submitter.submit(
                prepared, urls, context, window_until=window_until, before_sending=before_sending
            )
        except InputError as error:
            if prepared.plan.known:
                raise
            # The warning names the models that may have been meant; it must not get lost with the refusal.
            raise InputError(
                " ".join([error.message, *prepared.plan.warnings]),
                code=error.code,
                next_step="Nothing was made or billed. Call list_models for the ids that there are.",
            ) from error
        logger().info("task %s was made with %s", task_id, prepared.plan.model)
        context.progress(0, None, f"submitted as task {task_id}")
        return task_id

    def _urls(self, prepared: Prepared, context: CallContext) -> tuple[str, ...]:
        """The input pictures' URLs; raises ``NetworkError`` where a long upload has used up the call's time.

        Whoever waited for the answer may be gone by then, and would ask, and pay, again.
        """
        urls = self.sources.urls(prepared.sources, context)
        if not context.remaining():
            raise NetworkError(
                "The time of this call ended while its pictures were uploaded.",
                next_step="Call again: nothing was made or billed, and what is uploaded need not be sent again.",
            )
        return urls

    def run(
        self,
        prepared: Prepared,
        context: CallContext,
        *,
        window_until: float = math.inf,
        before_sending: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Submit, wait and save.

        ``window_until`` (monotonic) bounds the wait for the rate window. At the call's deadline the task is
        handed back. Every error after the submission says that the task was made.
        """
        started = context.clock.monotonic()
        task_id = self._submit(prepared, context, window_until=window_until, before_sending=before_sending)
        if not prepared.request.wait_for_result:
            self.unattended.add(task_id, FORGOTTEN_SECONDS)
            return submitted(task_id, prepared, context.clock.monotonic() - started)
        outcome: Outcome | None = None
        try:
            outcome = self._complete(task_id, prepared, context, started)
        except KieMcpError as error:
            raise after_payment(error, task_id, repeatable=False) from error
        finally:
            if outcome is None or not outcome.finished:
                self.unattended.add(task_id)
        return outcome

    def _complete(self, task_id: str, prepared: Prepared, context: CallContext, started: float) -> Outcome:
        """Wait for a task that was just made, and save its pictures."""
        request = prepared.request
        now = context.clock.monotonic()
        watch = Watch(
            task_id=task_id,
            model=prepared.plan.model,
            since=now,
            until=min(now + request.poll_timeout_seconds, context.deadline),
            interval=request.poll_interval_seconds,
            new_until=now + GRACE_SECONDS,
        )
        status = self.watcher.wait(watch, context)
        plan = SavePlan(prepared.target, request.wish.prompt, request.wish.output_format, prepared.warnings)
        if status.state == "fail":
            raise failure(status)
        row = self.ledger.find(task_id)
        return self._finished(status, plan, row, context, started)

    def collect(
        self,
        task_id: str,
        context: CallContext,
        *,
        wait_seconds: float = 0,
        download: bool = True,
        output_path: str | None = None,
    ) -> Outcome:
        """Where a task stands, its pictures saved once it has succeeded (unless ``download`` is false).

        What is on disk already, or in the ledger because it is data, is returned without asking Kie again.
        """
        started = context.clock.monotonic()
        row = self.ledger.find(task_id)
        if row and (files := self.saver.saved(task_id)):
            return remembered(row, files, output_path)
        if row and ((row.state == "fail" and row.error) or row.without_pictures):
            return remembered(row)
        self.config.require_key()
        plan = self._save_plan(task_id, row, output_path) if download else None
        try:
            status = self._look_or_wait(task_id, row, wait_seconds, context)
            return self._finished(status, plan, self.ledger.find(task_id), context, started)
        except TaskNotFoundError:
            self.ledger.missing(task_id)
            raise
        except KieMcpError as error:
            raise after_payment(error, task_id, repeatable=True) from error

    def _save_plan(self, task_id: str, row: TaskRow | None, output_path: str | None) -> SavePlan:
        target = self.outputs.target(output_path or (row.output_path if row else None))
        prompt = row.prompt if row and row.prompt else f"task {task_id[:12]}"
        return SavePlan(target, prompt, row.output_format if row else None, target.warnings)

    def _look_or_wait(self, task_id: str, row: TaskRow | None, wait_seconds: float, context: CallContext) -> TaskStatus:
        now = context.clock.monotonic()
        age = context.clock.now() - row.created_at if row else GRACE_SECONDS
        if not wait_seconds:
            return self.watcher.look(task_id, context, new=0 <= age < GRACE_SECONDS)
        watch = Watch(
            task_id=task_id,
            model=row.model if row else None,
            since=now - max(0.0, age) if row else now,
            until=min(now + wait_seconds, context.deadline),
            interval=self.config.poll_interval_seconds,
            new_until=now + max(0.0, GRACE_SECONDS - age),
            at_once=True,
        )
        return self.watcher.wait(watch, context)

    def _finished(
        self, status: TaskStatus, plan: SavePlan | None, row: TaskRow | None, context: CallContext, started: float
    ) -> Outcome:
        """The outcome of a status, after saving what it offers."""
        files: tuple[SavedFile, ...] = ()
        warnings = plan.warnings if plan else ()
        if status.state == "success" and plan is not None:
            if status.image_urls:
                files, more = self._save_in_time(status, plan, context)
                warnings = (*warnings, *more)
            elif status.result is None:
                raise OutputError(
                    "Kie reports success but names no picture.",
                    retryable=True,
                    next_step="Call get_visual_task with the task id in a minute; if it stays so, look at kie.ai/logs.",
                    task_id=status.task_id,
                )
        return seen(status, row, files, warnings, context.clock.monotonic() - started)

    def _save_in_time(
        self, status: TaskStatus, plan: SavePlan, context: CallContext
    ) -> tuple[tuple[SavedFile, ...], tuple[str, ...]]:
        """Save; or, at the call's deadline, let go with a warning: the next call fetches what is missing."""
        try:
            return self.saver.save(status, plan, context)
        except (NetworkError, OutputError, RateLimitError, ServerError) as error:
            if not error.retryable or context.remaining():
                raise
            return (), (f"The picture is not saved yet: {error.message}",)
