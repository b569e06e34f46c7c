"""``list_visual_tasks``: the ledger, newest first, once what dead processes have left is collected."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services

_DEFAULT_LIMIT = 20


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.tools.arguments import begin
    from kie_mcp.tools.paging import is_of_batch

    begin(context, services.config)
    if is_of_batch(arguments.get("cursor", "")):
        return _results(services, arguments)
    services.jobs.recovery.catch_up(context)
    return _tasks(services, arguments)


def _tasks(services: Services, arguments: dict[str, Any]) -> ToolResult:
    from kie_mcp.cursors import cursor_before, number_before
    from kie_mcp.shapes import task_entry
    from kie_mcp.tools.paging import page

    limit = int(arguments.get("limit", _DEFAULT_LIMIT))
    before = number_before(arguments.get("cursor"), "'cursor'", "a next_cursor of an earlier answer")
    rows = services.jobs.ledger.recent(status=arguments.get("status"), limit=limit + 1, before=before)
    entries, more = page((task_entry(row) for row in rows), services, limit)
    shown: dict[str, Any] = {"ok": True, "tasks": entries}
    if more:
        shown["next_cursor"] = cursor_before(rows[len(entries) - 1].number)
    return ToolResult(shown)


def _results(services: Services, arguments: dict[str, Any]) -> ToolResult:
    """The next results of a batch that were too long for its answer; they are as they were then."""
    from kie_mcp.errors import InputError
    from kie_mcp.tools.paging import further_results

    if "status" in arguments:
        raise InputError("'status' does not go with a cursor of a batch, which shows every result: leave it out.")
    most = arguments.get("limit", float("inf"))
    return ToolResult({"ok": True, "tasks": [], **further_results(arguments["cursor"], services, most)})


TOOL = Tool(
    name="list_visual_tasks",
    title="List picture tasks",
    description="Tasks of this machine, newest first: prompt, state, files, cost.",
    annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True},
    handler=_handle,
)
