"""A server driven by strings: jobs run when the test says so, time stands still unless something waits."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from kie_mcp.clock import Clock
from kie_mcp.protocol.outlets import Outlets
from kie_mcp.protocol.server import Server
from kie_mcp.text import Clean
from kie_mcp.tools.spec import Tool, ToolResult
from mcp_definitions import LEVELS
from mcp_messages import Conversation

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from kie_mcp.context import CallContext

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


RESULTS: dict[str, dict[str, Any]] = {
    "resources/list": {"resources": []},
    "resources/templates/list": {"resourceTemplates": []},
    "resources/read": {"contents": []},
    "prompts/list": {"prompts": []},
    "prompts/get": {"messages": []},
    "completion/complete": {"completion": {"values": []}},
}
"""The least that each method may answer with."""


class StillClock(Clock):
    """Time that only waiting moves; ``on_wait`` is called in each wait."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []
        self.on_wait: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.time

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.time += seconds
        self.on_wait()
        return event.is_set()


class FakeTool(Tool):
    """A tool with its schemas at hand."""

    __slots__ = ()
    input_schema = {"type": "object", "properties": {"prompt": {"type": "string"}}}  # noqa: RUF012 - a constant in the place of a property
    output_schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}  # noqa: RUF012 - as above


def fake_tool(name: str, title: str) -> Tool:
    def never(*_: Any) -> ToolResult:
        raise AssertionError

    return FakeTool(name, title, f"Does {name}.", {"readOnlyHint": True}, never)


class FakeListeners:
    """The log in a test's hand: ``say`` is what would be logged."""

    def __init__(self) -> None:
        self.ears: list[tuple[str, Callable[[str, str], None]]] = []

    def hear(self, level: str, tell: Callable[[str, str], None]) -> None:
        self.ears = [(level, tell)]

    @contextmanager
    def during(self, level: str, tell: Callable[[str, str], None]) -> Iterator[None]:
        self.ears.append((level, tell))
        try:
            yield
        finally:
            self.ears.pop()

    @contextmanager
    def silence(self) -> Iterator[None]:
        ears, self.ears = self.ears, []
        try:
            yield
        finally:
            self.ears = ears

    def say(self, level: str, text: str) -> None:
        for least, tell in self.ears:
            if LEVELS.index(level) >= LEVELS.index(least):
                tell(level, text)


class Harness:
    """The server, what it sent, the jobs it spawned, what would go on beside them, and what its tools do."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.conversation = Conversation()
        self.lines: list[str] = []
        self.jobs: list[Callable[[], None]] = []
        self.beside: list[Callable[[], None]] = []
        self.internal_errors: list[BaseException] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.secret = ""
        self.loads = 0
        self.clients: list[dict[str, Any]] = []
        self.client_loads = 0
        self.spawn: Callable[[Callable[[], None]], None] = self.jobs.append
        self.tool: Callable[[dict[str, Any], CallContext], ToolResult] = lambda arguments, _: ToolResult(
            {"ok": True, "arguments": arguments}
        )
        self.feature: Callable[[str, dict[str, Any], CallContext], dict[str, Any]] = lambda method, *_: dict(
            RESULTS[method]
        )
        self.listeners = FakeListeners()
        outlets = Outlets(
            call_tool=self._call,
            answer=self._answer,
            send_line=self._send,
            spawn=self._spawn,
            spawn_feature=self._spawn,
            clock=self.clock,
            redact=self._redact,
            on_internal_error=self.internal_errors.append,
            clients=self._clients,
            start_thread=self.beside.append,
            log=lambda: self.listeners,
        )
        self.server = Server(self._tools, outlets)

    def _send(self, line: str) -> None:
        self.lines.append(line)
        self.conversation.received(line)

    def _clients(self) -> list[dict[str, Any]]:
        self.client_loads += 1
        return self.clients

    def _tools(self) -> list[Tool]:
        self.loads += 1
        return [fake_tool("generate_visual", "Generate"), fake_tool("list_models", "Models")]

    def _call(self, tool: Tool, arguments: dict[str, Any], context: CallContext) -> ToolResult:
        self.calls.append((tool.name, arguments))
        return self.tool(arguments, context)

    def _answer(self, method: str, params: dict[str, Any], context: CallContext) -> dict[str, Any]:
        return self.feature(method, params, context)

    def _spawn(self, job: Callable[[], None]) -> None:
        self.spawn(job)

    def _redact(self, value: Any) -> Any:
        if not self.secret:
            return value
        if isinstance(value, str):
            return value if isinstance(value, Clean) else value.replace(self.secret, "***")
        if isinstance(value, dict):
            return {key: self._redact(item) for key, item in value.items()}
        return [self._redact(item) for item in value] if isinstance(value, list) else value

    def line(self, text: str | bytes) -> list[Any]:
        """Deliver one raw line; what was sent for it."""
        before = len(self.lines)
        self.conversation.sent(text)
        self.server.receive(text.encode() if isinstance(text, str) else text)
        return [json.loads(line) for line in self.lines[before:]]

    def reject(self, reason: str) -> list[Any]:
        """Tell of a line that could not be delivered; what was sent for it."""
        before = len(self.lines)
        self.conversation.sent(b"?")
        self.server.reject(reason)
        return [json.loads(line) for line in self.lines[before:]]

    def say(self, message: Any) -> list[Any]:
        """Deliver one message; what was sent for it."""
        return self.line(json.dumps(message))

    def ask(self, method: str, params: Any = None, request_id: Any = 1) -> Any:
        """Make one request; its only answer."""
        message = {"jsonrpc": "2.0", "id": request_id, "method": method}
        (answer,) = self.say(message if params is None else {**message, "params": params})
        return answer

    def ask_later(self, method: str, params: dict[str, Any], request_id: Any = 1) -> list[Any]:
        """Make one request without running it; what was sent at once."""
        return self.say({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})

    def sent(self) -> list[Any]:
        """Everything that was sent so far."""
        return [json.loads(line) for line in self.lines]

    def ask_stateless(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Make one request with the envelope of the stateless era."""
        return self.ask(method, {**(params or {}), "_meta": ENVELOPE})

    def initialize(self, revision: str, **more: Any) -> Any:
        """Shake hands; ``more`` are further params."""
        return self.ask("initialize", {"protocolVersion": revision, "capabilities": {}, **more}, "init")["result"]

    def start(self, request_id: Any = 1, arguments: Any = None, meta: Any = None) -> list[Any]:
        """Request a call without running it."""
        params: dict[str, Any] = {"name": "generate_visual"}
        if arguments is not None:
            params["arguments"] = arguments
        if meta is not None:
            params["_meta"] = meta
        return self.say({"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params})

    def run(self) -> list[Any]:
        """Run the spawned jobs; what was sent by them."""
        before = len(self.lines)
        while self.jobs:
            self.jobs.pop(0)()
        return [json.loads(line) for line in self.lines[before:]]

    def call(self, request_id: Any = 1, arguments: Any = None, meta: Any = None) -> list[Any]:
        """Request a call and run it."""
        return self.start(request_id, arguments, meta) + self.run()

    def cancel(self, request_id: Any) -> list[Any]:
        """Send ``notifications/cancelled``."""
        return self.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}})


@pytest.fixture
def harness() -> Iterator[Harness]:
    """All that it sends is held against the official definitions."""
    made = Harness()
    yield made
    made.conversation.check()


@pytest.fixture(scope="session")
def make_harness() -> type[Harness]:
    """For tests that need several."""
    return Harness


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def envelope() -> dict[str, Any]:
    return dict(ENVELOPE)
