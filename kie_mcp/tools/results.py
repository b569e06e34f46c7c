"""From an outcome to the fields that callers see: the one place that knows their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp.text import shortened
from kie_mcp.tools.spec import Link, ToolResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kie_mcp.jobs import Outcome

_LONGEST_REASON = 1_000
_RUNNING = frozenset({"submitted", "waiting", "queuing", "generating", "unknown"})


def fields(outcome: Outcome) -> dict[str, Any]:
    """The fields of one generation. ``mime_type`` to ``height`` are those of the first picture.

    ``pictures`` is there where a task made several, ``result`` where the model gives structured data,
    ``credits_estimated`` where Kie does not say what the task cost, ``next_step`` where the task goes on,
    ``error`` where it failed.
    """
    first = outcome.files[0] if outcome.files else None
    shown: dict[str, Any] = {
        "ok": outcome.failure is None,
        "task_id": outcome.task_id,
        "status": outcome.status,
        "model": outcome.model,
        "platform": outcome.platform,
        "output_path": first.path if first else None,
        "output_paths": [file.path for file in outcome.files],
        "image_urls": list(outcome.image_urls),
        "mime_type": first.mime_type if first else None,
        "bytes": first.bytes if first else None,
        "width": first.width if first else None,
        "height": first.height if first else None,
        "credits_consumed": outcome.credits_consumed,
        "elapsed_seconds": outcome.elapsed_seconds,
        "warnings": list(outcome.warnings),
    }
    return {**shown, **_occasional(outcome)}


def result(outcome: Outcome) -> ToolResult:
    """The answer to a call about one generation."""
    return ToolResult(fields(outcome), is_error=outcome.failure is not None, links=links(outcome))


def links(outcome: Outcome, label: str | None = None) -> list[Link]:
    """The saved pictures as links, all of that label or each of its number."""
    return [
        Link(Path(file.path).as_uri(), Path(file.path).name, file.mime_type, file.bytes, label or str(number))
        for number, file in enumerate(outcome.files, start=1)
    ]


def error_of_many(entries: Sequence[Mapping[str, Any]], *, continue_on_error: bool) -> dict[str, Any] | None:
    """The error of a batch, if it has one: all items failed, or one did that was to stop the batch.

    It is the first failure that is not merely the consequence of another.
    """
    failed = [entry for entry in entries if not entry["ok"]]
    if not failed or (len(failed) < len(entries) and continue_on_error):
        return None
    first = next((entry for entry in failed if entry["error"]["category"] != "cancelled"), failed[0])
    reason = shortened(first["error"]["message"], _LONGEST_REASON)
    message = f"{len(failed)} of {len(entries)} items failed; item {first['index']}: {reason}"
    return {**first["error"], "message": message}


def _occasional(outcome: Outcome) -> Mapping[str, Any]:
    shown: dict[str, Any] = {}
    if outcome.credits_estimated is not None:
        shown["credits_estimated"] = outcome.credits_estimated
    if len(outcome.files) > 1:
        shown["pictures"] = [
            {
                "path": file.path,
                "mime_type": file.mime_type,
                "bytes": file.bytes,
                "width": file.width,
                "height": file.height,
            }
            for file in outcome.files
        ]
    if outcome.result is not None:
        shown["result"] = outcome.result
    if outcome.status in _RUNNING:
        shown["next_step"] = (
            "The task goes on at Kie and is paid for: do not ask for it again. Call get_visual_task with this task_id "
            "(and wait_seconds) to fetch the picture."
        )
    elif outcome.status == "success" and not outcome.files and outcome.image_urls:
        shown["next_step"] = "Call get_visual_task with this task_id soon to save the picture: its link dies."
    if outcome.failure is not None:
        shown["error"] = dict(outcome.failure)
    return shown
