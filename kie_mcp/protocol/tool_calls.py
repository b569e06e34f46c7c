"""``tools/call``: what it does, and what is told of it while it does."""

from __future__ import annotations

from kie_mcp.errors import KieMcpError
from kie_mcp.protocol.calls import Call
from kie_mcp.protocol.eras import meta_of
from kie_mcp.protocol.messages import INVALID_PARAMS, RpcError, is_id
from kie_mcp.protocol.progress import ProgressReporter
from kie_mcp.protocol.publish import complete
from kie_mcp.protocol.results import call_result
from kie_mcp.tools.spec import ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kie_mcp.protocol.clients import Clients
    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.outlets import Outlets
    from kie_mcp.protocol.requests import Work
    from kie_mcp.protocol.revisions import Revision
    from kie_mcp.tools.spec import Tool

_LONGEST_NAME = 128
"""Of a tool (MCP 2025-11-25, "Tool Names")."""


def call(
    request_id: str | int,
    request: Message,
    revision: Revision,
    outlets: Outlets,
    clients: Clients,
    client: str | None,
) -> Call:
    """A call that tells its progress where a token was sent, and ends before its client gives up."""
    token = meta_of(request).get("progressToken")
    reporter = ProgressReporter(token, revision, outlets.clock, outlets.send) if is_id(token) else None
    seconds = clients.call_seconds(client, hears_progress=reporter is not None)
    return Call(request_id, outlets.clock, reporter, seconds)


def work(request: Message, revision: Revision, tools: Mapping[str, Tool], outlets: Outlets) -> Work:
    """What the call does; whatever the tool cannot do is a result too.

    Raises ``RpcError`` (-32602) for a tool that is not there, or arguments that are no object.
    """
    tool = _named(request.params.get("name"), tools)
    arguments = request.params.get("arguments")
    if arguments is None:  # as some clients write that there are none
        arguments = {}
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "params.arguments must be an object.")

    def run(call: Call) -> dict[str, Any]:
        try:
            call.context.raise_if_cancelled()
            return told(outlets.call_tool(tool, arguments, call.context))
        except KieMcpError as error:
            failed = error
        except BaseException as error:  # noqa: BLE001 - a caller gets an answer even where a tool tries to exit
            outlets.on_internal_error(error)
            failed = KieMcpError("Internal error.")
        return told(ToolResult.failure(failed))

    def told(result: ToolResult) -> dict[str, Any]:
        return complete(call_result(result, revision, outlets.redact), revision, request.method)

    return run


def _named(name: Any, tools: Mapping[str, Tool]) -> Tool:
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "params.name must be the name of a tool.")
    if name not in tools:
        from difflib import get_close_matches

        if len(name) > _LONGEST_NAME:  # not cut short: of a part of the key, nobody could tell that it is one
            raise RpcError(INVALID_PARAMS, f"Unknown tool: a name of {len(name)} characters")
        near = get_close_matches(name, tools, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RpcError(INVALID_PARAMS, f"Unknown tool: {name}{hint}")
    return tools[name]
