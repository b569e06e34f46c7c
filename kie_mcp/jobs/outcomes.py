"""Where a task stands, as an outcome: just submitted, seen at Kie, or known from the ledger alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.jobs.model import Outcome
from kie_mcp.jobs.watching import failure

if TYPE_CHECKING:
    from kie_mcp.jobs.model import Prepared
    from kie_mcp.kie import TaskStatus
    from kie_mcp.ledger import SavedFile, TaskRow

_LINKS = "The result holds links of its own, which are not saved: they die within the hour."
_SAVED_BEFORE = "The pictures were saved before, so output_path was not used."


def submitted(task_id: str, prepared: Prepared, seconds: float) -> Outcome:
    """A task that nobody waits for, ``seconds`` after the call began."""
    return Outcome(
        task_id=task_id,
        status="submitted",
        model=prepared.plan.model,
        platform=prepared.request.wish.platform,
        credits_estimated=prepared.plan.estimated_credits,
        elapsed_seconds=round(seconds, 3),
        warnings=prepared.warnings,
    )


def seen(
    status: TaskStatus, row: TaskRow | None, files: tuple[SavedFile, ...], warnings: tuple[str, ...], seconds: float
) -> Outcome:
    """What Kie says of a task, with what is saved of it, ``seconds`` after the call began."""
    credits_consumed = status.credits_consumed if status.finished else None
    return Outcome(
        task_id=status.task_id,
        status=status.state,
        model=status.model or (row.model if row else None),
        platform=row.platform if row else None,
        files=files,
        image_urls=status.image_urls,
        result=status.result,
        credits_consumed=credits_consumed,
        credits_estimated=_estimate(row, status.state) if credits_consumed is None else None,
        elapsed_seconds=round(seconds, 3),
        warnings=(*warnings, _LINKS) if status.names_other_links else warnings,
        failure=failure(status).as_dict() if status.state == "fail" else None,
    )


def remembered(row: TaskRow, files: tuple[SavedFile, ...] = (), wanted: str | None = None) -> Outcome:
    """A task that the ledger knows all about: nothing is asked or fetched again, nor put at the ``wanted`` place."""
    return Outcome(
        task_id=row.task_id or "",
        status=row.state,
        model=row.model,
        platform=row.platform,
        files=files,
        image_urls=row.image_urls,
        result=row.result,
        credits_consumed=row.credits_consumed,
        credits_estimated=_estimate(row, row.state) if row.credits_consumed is None else None,
        elapsed_seconds=0.0,
        warnings=(_SAVED_BEFORE,) if files and wanted else (),
        failure=row.error if row.state == "fail" else None,
    )


def _estimate(row: TaskRow | None, state: str) -> float | None:
    """The catalogue's price of a task that does not say its own; a failed one is not billed."""
    return row.estimated_credits if row is not None and state != "fail" else None
