"""``get_credits``: the account's balance."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:  # noqa: ARG001 - it has none
    from kie_mcp.catalogue import usd
    from kie_mcp.tools.arguments import begin

    services.config.require_key()
    begin(context, services.config)
    balance = services.jobs.client.credits(context)
    return ToolResult({"ok": True, "credits": balance, "usd": usd(balance)})


TOOL = Tool(
    name="get_credits",
    title="Show the balance",
    description="The account's balance in credits and dollars.",
    annotations={"readOnlyHint": True, "openWorldHint": True},
    handler=_handle,
)
