"""The answer to a batch with ``dry_run``: what would be sent and what it should cost, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue import usd
from kie_mcp.errors import KieMcpError
from kie_mcp.text import shortened
from kie_mcp.tools.paging import first_results
from kie_mcp.tools.results import error_of_many
from kie_mcp.tools.spec import ToolResult

if TYPE_CHECKING:
    from kie_mcp.jobs import Prepared, Rehearsal
    from kie_mcp.services import Services

_LONGEST_PICTURE = 200
_OTHERWISE = "rehearse fewer items at a time (list_visual_tasks has none of them: nothing was sent)."


def rehearsed(rehearsal: Rehearsal, services: Services, *, continue_on_error: bool) -> ToolResult:
    """One entry per item, in order, with the ``body`` of its createTask or its error.

    Pictures stand in the bodies as the caller wrote them: they are uploaded when the batch runs.
    """
    entries = [_entry(index, entry) for index, entry in enumerate(rehearsal.entries)]
    failed = sum(not entry["ok"] for entry in entries)
    estimates = [entry["credits_estimated"] for entry in entries if entry["ok"]]
    known = [estimate for estimate in estimates if estimate is not None]
    total = round(sum(known), 4) if known or not estimates else None
    refusal = rehearsal.refusal
    error = refusal.as_dict() if refusal else error_of_many(entries, continue_on_error=continue_on_error)
    summary: dict[str, Any] = {
        "ok": error is None,
        "dry_run": True,
        "total": len(entries),
        "succeeded": len(entries) - failed,
        "failed": failed,
        "credits_estimated": total,
        "usd_estimated": None if total is None else usd(total),
        "warnings": [*rehearsal.warnings, *_unpriced(estimates)],
        **first_results(entries, services, _OTHERWISE),
    }
    if error is not None:
        summary["error"] = error
    return ToolResult(summary, is_error=error is not None)


def _entry(index: int, entry: Prepared | KieMcpError) -> dict[str, Any]:
    if isinstance(entry, KieMcpError):
        return {"index": index, "ok": False, "error": entry.as_dict()}
    pictures = tuple(_shown(picture.text) for picture in entry.plan.pictures)
    return {
        "index": index,
        "ok": True,
        "model": entry.plan.model,
        "body": entry.body(pictures),
        "credits_estimated": entry.plan.estimated_credits,
        "warnings": [*entry.warnings, *_unseen(entry)],
    }


def _shown(text: str) -> str:
    """A picture as it was given; of one that is in the text itself, the beginning."""
    return _named(text) if text.lstrip()[:5].lower() == "data:" else text


def _named(text: str) -> str:
    return shortened(text, _LONGEST_PICTURE)


def _unseen(entry: Prepared) -> list[str]:
    """What to say of pictures that only Kie knows."""
    return [
        f"{picture.argument} {_named(picture.text)!r} is known to Kie only, so it was not looked at."
        for picture, source in zip(entry.plan.pictures, entry.sources, strict=True)
        if source.url is None and source.local is None
    ]


def _unpriced(estimates: list[float | None]) -> list[str]:
    unknown = estimates.count(None)
    return [f"The price of {unknown} of {len(estimates)} items is not known before they are made."] if unknown else []
