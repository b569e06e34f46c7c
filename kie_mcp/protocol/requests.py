"""Requests that take their time: each runs on a thread that ``spawn`` provides, until it is answered or cancelled.

Loaded with the first of them.
"""

from __future__ import annotations

from contextlib import nullcontext

from kie_mcp.protocol import features, tool_calls
from kie_mcp.protocol.calls import Calls
from kie_mcp.protocol.clients import Clients
from kie_mcp.protocol.logs import requested_level, teller
from kie_mcp.protocol.messages import INTERNAL_ERROR, INVALID_REQUEST, RpcError, failure, response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from kie_mcp.protocol.calls import Call
    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.outlets import Outlets
    from kie_mcp.protocol.replies import Single
    from kie_mcp.protocol.revisions import Revision
    from kie_mcp.tools.spec import Tool

    Work = Callable[[Call], dict[str, Any]]
    Listening = Callable[[Call], AbstractContextManager[None]]


class Requests:
    """Starts requests; ``calls`` are those that were started and have not ended."""

    def __init__(self, tools: Mapping[str, Tool], outlets: Outlets) -> None:
        self.calls = Calls(outlets.clock)
        self._clients = Clients(outlets.clients())
        self._tools = tools
        self._outlets = outlets

    def start(
        self, request_id: str | int, request: Message, revision: Revision, replies: Single, client: str | None
    ) -> None:
        """Begin a request of the client of that name; its answer goes to ``replies`` unless it is cancelled before.

        Raises ``RpcError``: -32602 for params that cannot be used, -32600 where a request of the same id is in flight.
        """
        outlets = self._outlets
        listening = self._listening(requested_level(request, revision), revision)
        if request.method == "tools/call":
            work = tool_calls.work(request, revision, self._tools, outlets)
            call = tool_calls.call(request_id, request, revision, outlets, self._clients, client)
            spawn = outlets.spawn
        else:
            work = features.work(request, revision, outlets)
            call = features.call(request_id, outlets)
            spawn = outlets.spawn_feature
        call.when_released(replies.end)
        replies.begin()
        if not self.calls.begin(call):
            replies.end()
            raise RpcError(INVALID_REQUEST, "Invalid request: one with this id is in flight, or the server is ending.")
        self._spawn(call, spawn, lambda: self._answer(call, work, listening), replies)

    def _spawn(
        self,
        call: Call,
        spawn: Callable[[Callable[[], None]], None],
        answer: Callable[[], dict[str, Any]],
        replies: Single,
    ) -> None:
        def run() -> None:
            try:
                answered = answer()
                call.end_progress()
                if self.calls.finish(call):
                    replies.add(answered)
            finally:
                self._end(call)

        try:
            call.begin_progress(self._outlets.start_thread)  # here, since it may be long until the work begins
            spawn(run)
        except BaseException:  # e.g. no thread to be had; should it run after all, it finds itself cancelled
            self.calls.cancel(call.id)
            self._end(call)
            raise

    def _answer(self, call: Call, work: Work, listening: Listening) -> dict[str, Any]:
        """The answer, whatever happens: the boundary between exceptions and errors of the protocol."""
        try:
            with listening(call):
                return response(call.id, work(call))
        except RpcError as error:
            return failure(call.id, error)
        except BaseException as error:  # noqa: BLE001 - a caller gets an answer even where something tries to exit
            self._outlets.on_internal_error(error)
            return failure(call.id, RpcError(INTERNAL_ERROR, "Internal error"))

    def _listening(self, level: str | None, revision: Revision) -> Listening:
        """While a request runs, its client is told what is logged for it, from that level on.

        Without a handshake it is told nothing otherwise, whoever has asked for everything after one.
        """
        outlets = self._outlets
        if level is None and not (revision.stateless and outlets.has_listeners):
            return _no_listening
        log, tell = outlets.log(), teller(outlets.send)
        if level is None:
            return lambda _: log.silence()

        def begin(call: Call) -> AbstractContextManager[None]:
            return log.during(level, lambda *told: None if call.context.cancelled else tell(*told))

        return begin

    def _end(self, call: Call) -> None:
        call.silence()
        call.release()
        self.calls.end_work(call)


def _no_listening(_: Call) -> AbstractContextManager[None]:
    return nullcontext()
