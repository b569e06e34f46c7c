"""``list_visual_tasks``: the ledger, newest first, once what dead processes have left is collected."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.ledger import TaskRow
    from kie_mcp.tools.services import Services

_DEFAULT_LIMIT = 20
_LONGEST_PROMPT = 200


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.tools.arguments import begin

    begin(context, services.config)
    services.jobs.recovery.catch_up(context)
    limit = int(arguments.get("limit", _DEFAULT_LIMIT))
    rows = services.jobs.ledger.recent(
        status=arguments.get("status"), limit=limit + 1, before=_position(arguments.get("cursor"))
    )
    shown: dict[str, Any] = {"ok": True, "tasks": [_entry(row) for row in rows[:limit]]}
    if len(rows) > limit:
        shown["next_cursor"] = f"before-{rows[limit - 1].number}"
    return ToolResult(shown)


def _position(cursor: str | None) -> int | None:
    from kie_mcp.errors import InputError
    from kie_mcp.tools.validation import shown

    if cursor is None:
        return None
    number = cursor.removeprefix("before-")
    if not (number.isascii() and number.isdigit() and len(number) < len(str(2**63))):
        raise InputError(f"'cursor' is {shown(cursor)}; it must be a next_cursor of an earlier answer.")
    return int(number)


def _entry(row: TaskRow) -> dict[str, Any]:
    from kie_mcp.text import shortened

    entry: dict[str, Any] = {
        "task_id": row.task_id,
        "status": row.state,
        "model": row.model,
        "prompt": row.prompt and shortened(row.prompt, _LONGEST_PROMPT),
        "created_at": _time(row.created_at),
        "output_paths": [file.path for file in row.files],
        "credits_consumed": row.credits_consumed,
    }
    if row.credits_consumed is None and row.estimated_credits is not None and row.error is None:
        entry["credits_estimated"] = row.estimated_credits
    if row.platform:
        entry["platform"] = row.platform
    if row.completed_at is not None:
        entry["completed_at"] = _time(row.completed_at)
    if row.error:
        entry["error"] = row.error
    return entry


def _time(seconds: float) -> str:
    """A time stamp in UTC (RFC 3339)."""
    import datetime as dt

    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


TOOL = Tool(
    name="list_visual_tasks",
    title="List picture tasks",
    description="Tasks of this machine, newest first: prompt, state, files, cost.",
    annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True},
    handler=_handle,
)
