"""The tools: one file each, with its description and its handler; ``TOOLS`` is all there is.

Loaded before the first reply, so nothing here imports what only a call needs.
"""

from __future__ import annotations

from kie_mcp.tools import (
    create_visual_task,
    describe_imager_interface,
    generate_visual,
    generate_visual_batch,
    get_credits,
    get_visual_task,
    list_models,
    list_visual_tasks,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services
    from kie_mcp.tools.spec import Tool, ToolResult

TOOLS: tuple[Tool, ...] = (
    generate_visual.TOOL,
    generate_visual_batch.TOOL,
    create_visual_task.TOOL,
    get_visual_task.TOOL,
    list_visual_tasks.TOOL,
    list_models.TOOL,
    get_credits.TOOL,
    describe_imager_interface.TOOL,
)


def call_tool(tool: Tool, services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    """Validate the arguments against the published schema, then run the tool; raises ``KieMcpError``.

    The answer shows what was saved, and says what has been finished meanwhile that nobody waited for. To a host it is
    no longer than hosts take.
    """
    from kie_mcp.tools.fitting import ANSWER_BYTES, fitted
    from kie_mcp.tools.news import with_news
    from kie_mcp.tools.preview import with_preview
    from kie_mcp.tools.validation import validated

    try:
        result = tool.handler(services, validated(tool, arguments), context)
    finally:
        services.look_after_tasks()
    if not context.cancelled:
        result = with_preview(result, services, context)
    if context.cancelled:
        return result  # nobody hears of it, so the news is left for the next answer
    told = with_news(result, services.news())
    return told.telling(fitted(told.structured, ANSWER_BYTES)) if services.serving else told
