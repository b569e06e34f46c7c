"""``create_visual_task``: submit, and return the task id at once."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services

_SHOWN = ("ok", "task_id", "status", "model", "platform", "credits_estimated", "warnings", "next_step")


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.tools.one_picture import one_picture
    from kie_mcp.tools.results import fields

    shown = fields(one_picture(services, {**arguments, "wait_for_result": False}, context))
    return ToolResult({name: shown[name] for name in _SHOWN if name in shown})


TOOL = Tool(
    name="create_visual_task",
    title="Submit a picture task",
    description="Submit a paid task and return its task_id at once; get_visual_task fetches the picture.",
    annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True},
    handler=_handle,
)
