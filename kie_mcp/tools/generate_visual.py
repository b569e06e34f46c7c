"""``generate_visual``: one call from a prompt to a file."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.tools.services import Services


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.tools.arguments import begin, request_from
    from kie_mcp.tools.results import result

    started = begin(context, services.config)
    request = request_from(arguments, services.config)
    generations = services.jobs.generations
    prepared = generations.prepare(request, context)
    warnings = generations.check_price([prepared])
    outcome = generations.run(prepared, context, window_until=started + request.poll_timeout_seconds)
    return result(outcome.warned(warnings))


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
