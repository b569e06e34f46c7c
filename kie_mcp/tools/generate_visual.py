"""``generate_visual``: one call from a prompt to a file."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.tools.one_picture import one_picture
    from kie_mcp.tools.results import result

    return result(one_picture(services, arguments, context))


TOOL = Tool(
    name="generate_visual",
    title="Generate a picture",
    description=(
        "Make a picture from a prompt and save it: submits a paid task, waits, returns absolute paths. "
        "If the wait ends first, fetch it with get_visual_task; do not ask again."
    ),
    annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True},
    handler=_handle,
)
