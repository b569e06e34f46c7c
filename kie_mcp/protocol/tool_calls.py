"""``tools/call``: from the request to the answer, on a thread that ``spawn`` provides.

Loaded with the first call.
"""

from __future__ import annotations

from kie_mcp.errors import KieMcpError
from kie_mcp.protocol.calls import Call, Calls
from kie_mcp.protocol.clients import Clients
from kie_mcp.protocol.eras import meta_of
from kie_mcp.protocol.messages import INVALID_PARAMS, INVALID_REQUEST, RpcError, is_id, response
from kie_mcp.protocol.progress import ProgressReporter
from kie_mcp.protocol.publish import complete
from kie_mcp.protocol.results import call_result
from kie_mcp.tools.spec import ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.replies import Single
    from kie_mcp.protocol.revisions import Revision
    from kie_mcp.protocol.server import Outlets
    from kie_mcp.tools.spec import Tool


class ToolCalls:
    """Starts calls of ``tools``; ``calls`` are those that were started and have not ended."""

    def __init__(self, tools: Mapping[str, Tool], outlets: Outlets) -> None:
        self.calls = Calls(outlets.clock)
        self._clients = Clients(outlets.clients())
        self._tools = tools
        self._outlets = outlets

    def start(
        self, request_id: str | int, request: Message, revision: Revision, replies: Single, client: str | None
    ) -> None:
        """Begin a call of the client of that name; its answer goes to ``replies`` unless it is cancelled before.

        Raises ``RpcError``: -32602 for a tool that is not there or arguments that are no object, -32600
        where a call of the same id is in flight.
        """
        tool = _named(request.params.get("name"), self._tools)
        arguments = request.params.get("arguments", {})
        if not isinstance(arguments, dict):
            raise RpcError(INVALID_PARAMS, "params.arguments must be an object.")
        token = meta_of(request).get("progressToken")
        outlets = self._outlets
        reporter = ProgressReporter(token, revision, outlets.clock, outlets.send) if is_id(token) else None
        seconds = self._clients.call_seconds(client, hears_progress=reporter is not None)
        call = Call(request_id, outlets.clock, reporter, seconds)
        if not self.calls.begin(call):
            raise RpcError(INVALID_REQUEST, "Invalid request: a call with this id is in flight.")
        replies.begin()
        self._spawn(call, _Work(tool, arguments, revision), replies)

    def _spawn(self, call: Call, work: _Work, replies: Single) -> None:
        def run() -> None:
            try:
                result = work.result(call, self._outlets)
                call.end_progress()
                if self.calls.finish(call):
                    replies.add(response(call.id, result))
            finally:
                self._end(call, replies)

        try:
            call.begin_progress(self._outlets.start_thread)  # here, since it may be long until the work begins
            self._outlets.spawn(run)
        except BaseException:  # e.g. no thread to be had; should it run after all, it finds itself cancelled
            self.calls.cancel(call.id)
            self._end(call, replies)
            raise

    def _end(self, call: Call, replies: Single) -> None:
        call.silence()
        if self.calls.end_work(call):
            replies.end()


class _Work:
    """What a call does, and in which revision its result is told."""

    __slots__ = ("_arguments", "_revision", "_tool")

    def __init__(self, tool: Tool, arguments: dict[str, Any], revision: Revision) -> None:
        self._tool = tool
        self._arguments = arguments
        self._revision = revision

    def result(self, call: Call, outlets: Outlets) -> dict[str, Any]:
        """The result, whatever happens in the tool: the boundary between exceptions and answers."""
        try:
            call.context.raise_if_cancelled()
            return self._told(outlets.call_tool(self._tool, self._arguments, call.context), outlets)
        except KieMcpError as error:
            failed = error
        except BaseException as error:  # noqa: BLE001 - a caller gets an answer even where a tool tries to exit
            outlets.on_internal_error(error)
            failed = KieMcpError("Internal error.")
        return self._told(ToolResult.failure(failed), outlets)

    def _told(self, result: ToolResult, outlets: Outlets) -> dict[str, Any]:
        return complete(call_result(result, self._revision, outlets.redact), self._revision)


def _named(name: Any, tools: Mapping[str, Tool]) -> Tool:
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "params.name must be the name of a tool.")
    if name not in tools:
        from difflib import get_close_matches

        near = get_close_matches(name[:100], tools, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RpcError(INVALID_PARAMS, f"Unknown tool: {name[:100]}{hint}")
    return tools[name]
