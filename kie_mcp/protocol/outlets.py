"""The ways out of the protocol core."""

from __future__ import annotations

import threading

from kie_mcp.protocol import messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from kie_mcp.clock import Clock
    from kie_mcp.context import CallContext
    from kie_mcp.listening import Listeners
    from kie_mcp.tools.spec import Tool, ToolResult


def _unchanged(value: Any) -> Any:
    return value


def _bundled_clients() -> Sequence[Mapping[str, Any]]:
    from kie_mcp.schemas import load_clients

    return load_clients()


def _start_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="progress", daemon=True).start()


def _listeners() -> Listeners:
    from kie_mcp.listening import Listeners

    return Listeners()


class Outlets:
    """How the core reaches the world.

    ``call_tool`` runs a tool, ``answer`` a method of resources, prompts or completion; both raise ``KieMcpError``
    for what they cannot do, and any other exception goes to ``on_internal_error``, while the caller learns no more than
    that it happened. ``send_line`` takes a line without its newline, from any thread. ``spawn`` runs a tool's work on
    another thread, ``spawn_feature`` the rest, which is quick and shall not wait for pictures; ``start_thread`` gives
    what goes on beside a call, for as long as it lasts, a thread of its own. ``redact`` takes secrets out of a value.
    ``clients``, asked when a tool is first called, gives those whose time-outs are known, as ``schemas.load_clients``
    does. ``log`` gives what hands on the log, made when somebody first listens.
    """

    __slots__ = (
        "_listeners",
        "_log",
        "_send_line",
        "answer",
        "call_tool",
        "clients",
        "clock",
        "on_internal_error",
        "redact",
        "spawn",
        "spawn_feature",
        "start_thread",
    )

    def __init__(  # noqa: PLR0913 - the ways out, each by its name
        self,
        *,
        call_tool: Callable[[Tool, dict[str, Any], CallContext], ToolResult],
        answer: Callable[[str, dict[str, Any], CallContext], dict[str, Any]],
        send_line: Callable[[str], None],
        spawn: Callable[[Callable[[], None]], None],
        spawn_feature: Callable[[Callable[[], None]], None],
        clock: Clock,
        on_internal_error: Callable[[BaseException], None],
        redact: Callable[[Any], Any] = _unchanged,
        clients: Callable[[], Sequence[Mapping[str, Any]]] = _bundled_clients,
        start_thread: Callable[[Callable[[], None]], None] = _start_thread,
        log: Callable[[], Listeners] = _listeners,
    ) -> None:
        self.call_tool = call_tool
        self.answer = answer
        self.clients = clients
        self._send_line = send_line
        self.spawn = spawn
        self.spawn_feature = spawn_feature
        self.start_thread = start_thread
        self.clock = clock
        self.redact = redact
        self.on_internal_error = on_internal_error
        self._log = log
        self._listeners: Listeners | None = None

    def send(self, message: Any) -> None:
        """Send a message, or an array of them, without secrets; from any thread.

        Ids and progress tokens stay as they are: the client has chosen them, and knows its requests by them.
        """
        clean = [self._clean(each) for each in message] if isinstance(message, list) else self._clean(message)
        self._send_line(messages.encode(clean))

    def _clean(self, message: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.redact(message)
        if "id" in message:
            shown = {**shown, "id": message["id"]}
        if message.get("method") == "notifications/progress":
            shown = {**shown, "params": {**shown["params"], "progressToken": message["params"]["progressToken"]}}
        return shown

    @property
    def has_listeners(self) -> bool:
        """Whether somebody has listened to the log."""
        return self._listeners is not None

    def log(self) -> Listeners:
        """What hands on the log, made once. For the reading thread."""
        if self._listeners is None:
            self._listeners = self._log()
        return self._listeners
