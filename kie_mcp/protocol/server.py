"""The protocol core: lines of JSON-RPC in, lines out.

This module and those for requests that take their time (``requests``, ``tool_calls``, ``features``) are the one
place that chooses between a protocol error, a tool error and silence.
"""

from __future__ import annotations

from kie_mcp.protocol import messages, publish
from kie_mcp.protocol.eras import client_name, client_of, revision_of
from kie_mcp.protocol.messages import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, RpcError
from kie_mcp.protocol.replies import Batch, Single
from kie_mcp.protocol.revisions import LATEST_HANDSHAKE, negotiated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.outlets import Outlets
    from kie_mcp.protocol.requests import Requests
    from kie_mcp.protocol.revisions import Revision
    from kie_mcp.tools.spec import Tool

MOST_MESSAGES = 1000
"""In one batch: each may have an answer of its own."""


class Server:
    """An MCP server without I/O: ``receive`` takes a line; answers go to the outlets, a line at a time.

    What takes its time, runs on threads of the outlets; all else is answered before ``receive`` returns. ``tools`` is
    asked once, when the tools are first needed.
    """

    def __init__(self, tools: Callable[[], Sequence[Tool]], outlets: Outlets) -> None:
        self._load_tools = tools
        self._outlets = outlets
        self._negotiated = LATEST_HANDSHAKE
        self._client: str | None = None
        self._tools: dict[str, Tool] | None = None
        self._requests: Requests | None = None
        self._closing = False
        self._methods = self._answered_at_once()

    def _answered_at_once(self) -> dict[str, Callable[[Message, Revision], dict[str, Any]]]:
        return {
            "initialize": self._initialize,
            "logging/setLevel": self._set_level,
            "ping": self._ping,
            "server/discover": self._discover,
            "tools/list": self._list_tools,
        }

    def receive(self, line: bytes) -> None:
        """Take in one line. Never raises for anything that a line can hold; blank lines are nothing."""
        if not line.strip():
            return
        send = self._outlets.send
        try:
            value = messages.parse(line)
        except RpcError as error:
            send(messages.failure(None, error))
            return
        if isinstance(value, list) and value and self._negotiated.batches:
            self._receive_batch(value)
        else:
            self._receive_one(value, Single(send))

    def reject(self, reason: str) -> None:
        """Answer for a line that could not be delivered, e.g. because it was too long."""
        self._outlets.send(messages.failure(None, RpcError(PARSE_ERROR, f"Parse error: {reason}")))

    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._requests.calls) if self._requests else 0

    def cancel_all(self) -> None:
        """Cancel every request, and take no further one; none of them is answered. Waits for nothing."""
        self._closing = True
        if self._requests:
            self._requests.calls.cancel_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until the work of every request, cancelled ones too, has come to its end."""
        return self._requests.calls.wait_idle(seconds) if self._requests else True

    def _receive_batch(self, values: list[Any]) -> None:
        if len(values) > MOST_MESSAGES:
            error = RpcError(INVALID_REQUEST, f"Invalid request: a batch holds at most {MOST_MESSAGES} messages.")
            self._outlets.send(messages.failure(None, error))
            return
        replies = Batch(self._outlets.send)
        replies.begin()
        for value in values:
            self._receive_one(value, replies)
        replies.end()

    def _receive_one(self, value: Any, replies: Single) -> None:
        request_id = messages.usable_id(value)
        try:
            answer = self._handle(messages.read(value), replies)
        except RpcError as error:
            answer = messages.failure(request_id, error)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing that a line causes may end the server
            self._outlets.on_internal_error(error)
            answer = messages.failure(request_id, RpcError(INTERNAL_ERROR, "Internal error"))
        if answer is not None:
            replies.add(answer)

    def _handle(self, message: Message | None, replies: Single) -> dict[str, Any] | None:
        """The answer to a message; ``None`` where there is none, or where it will come later."""
        if message is None:
            return None
        if message.id is None:
            self._notified(message)
            return None
        revision = revision_of(message, self._negotiated)
        if message.method == "initialize" and isinstance(replies, Batch):
            raise RpcError(INVALID_REQUEST, "Invalid request: initialize is no part of a batch.")
        if message.method in self._methods:
            return messages.response(message.id, self._methods[message.method](message, revision))
        client = client_of(message, revision, self._client)
        self._loaded_requests().start(message.id, message, revision, replies, client)
        return None

    def _notified(self, notification: Message) -> None:
        """Act on a notification; unknown and unusable ones are ignored."""
        if notification.method == "notifications/cancelled" and isinstance(notification.params, dict):
            request_id = notification.params.get("requestId")
            if messages.is_id(request_id) and self._requests:
                self._requests.calls.cancel(request_id)

    def _initialize(self, request: Message, _: Revision) -> dict[str, Any]:
        self._negotiated = negotiated(request.params.get("protocolVersion"))
        self._client = client_name(request.params.get("clientInfo"))
        return publish.initialized(self._negotiated)

    def _ping(self, _: Message, __: Revision) -> dict[str, Any]:
        return {}

    def _set_level(self, request: Message, _: Revision) -> dict[str, Any]:
        from kie_mcp.protocol.logs import level_of, teller

        level = level_of(request.params.get("level"), "params.level")
        self._outlets.log().hear(level, teller(self._outlets.send))
        return {}

    def _discover(self, request: Message, revision: Revision) -> dict[str, Any]:
        return publish.complete(publish.discovered(revision), revision, request.method)

    def _list_tools(self, request: Message, revision: Revision) -> dict[str, Any]:
        if request.params.get("cursor") is not None:
            raise RpcError(INVALID_PARAMS, "Unknown cursor: the list of tools has one page.")
        listed = publish.tool_list(self._loaded_tools().values(), revision)
        return publish.complete(listed, revision, request.method)

    def _loaded_tools(self) -> dict[str, Tool]:
        if self._tools is None:
            self._tools = {tool.name: tool for tool in self._load_tools()}
        return self._tools

    def _loaded_requests(self) -> Requests:
        if self._requests is None:
            from kie_mcp.protocol.requests import Requests

            self._requests = Requests(self._loaded_tools(), self._outlets)
            if self._closing:  # said while there was nothing to cancel
                self._requests.calls.cancel_all()
        return self._requests
