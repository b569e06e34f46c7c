"""``get_visual_task``: where a task stands, and its pictures once it has succeeded."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.tools.arguments import begin, seconds
    from kie_mcp.tools.results import result

    begin(context, services.config)
    outcome = services.jobs.generations.collect(
        arguments["task_id"].strip(),
        context,
        wait_seconds=seconds(arguments, "wait_seconds", 0),
        download=arguments.get("download", True),
        output_path=arguments.get("output_path"),
    )
    return result(outcome)


TOOL = Tool(
    name="get_visual_task",
    title="Fetch a picture task",
    description=(
        "Status of a task; once it has succeeded, saves its pictures and returns their paths. "
        "Asking again returns the same files."
    ),
    annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True},
    handler=_handle,
)
