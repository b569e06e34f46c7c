"""The server process: joins the wire and the protocol, and ends both well.

Loaded before the first reply, so it imports nothing slow; the application comes with the first call.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading

from kie_mcp.clock import Clock
from kie_mcp.protocol.outlets import Outlets
from kie_mcp.protocol.server import Server
from kie_mcp.wire.lines import MAX_LINE_BYTES
from kie_mcp.wire.stdio import claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from kie_mcp.cli.memory import Memory
    from kie_mcp.cli.threads import Threads
    from kie_mcp.context import CallContext
    from kie_mcp.tools.spec import Tool, ToolResult
    from kie_mcp.wire.stdio import Wire

    class Application(Protocol):
        """What runs the tools, with everything they need."""

        def call(self, tool: Tool, arguments: dict[str, Any], context: CallContext) -> ToolResult:
            """Check the arguments and run the tool. Raises ``KieMcpError``."""

        def answer(self, method: str, params: dict[str, Any], context: CallContext) -> dict[str, Any]:
            """Answer a method of resources, prompts or completion. Raises ``KieMcpError``."""

        def secrets(self) -> tuple[str, ...]:
            """What may appear in no answer."""

        def close(self) -> None:
            """Give back what is held."""


HINT = "kie-mcp: this is the server, it reads JSON-RPC lines. kie-mcp --help lists the commands; Ctrl-D ends it.\n"
"""For a person who started it in a terminal and waits for something to happen."""

SWITCH_SECONDS = 0.001
"""How long one thread may keep the interpreter to itself: with Python's usual 5 ms a ping that comes just after ten
calls waits for each of them in turn (tests/bench/ping.py)."""

CALL_THREADS = 128
"""Calls of tools that run side by side; more of them wait their turn."""

FEATURE_THREADS = 4
"""The same for resources, prompts and completion: they are quick, wait for no picture, and hold one in memory each."""

DRAIN_CHECK_SECONDS = 0.5
"""After the end of input: how often it is checked that somebody still reads the answers."""

ABANDONED_SECONDS = 5.0
"""Once nobody reads the answers: how long a createTask under way may take to tell its task id."""

SIGNAL_SECONDS = 0.25
"""The same after SIGTERM or SIGINT, which end the process within half a second."""

CLOSING_SECONDS = 1.0
"""After the last answer: how long the ledger, which another process may keep busy, is waited for."""


def serve(
    *,
    sandbox: bool = False,
    tools: Callable[[], Sequence[Tool]] | None = None,
    build_application: Callable[[Clock], Application] | None = None,
    clock: Clock | None = None,
    leave: Callable[[int], object] = os._exit,
) -> int:
    """Run the server on the process's standard streams, to the end of the process.

    It ends when its input ends, when nobody reads its output, or by a signal; and it leaves by ``os._exit``,
    since threads that still work must not meet an interpreter that is being torn down. ``tools`` and
    ``build_application`` default to the program's own. Main thread only.
    """
    wire = claim()
    sys.setswitchinterval(SWITCH_SECONDS)
    if os.isatty(0):
        sys.stderr.write(HINT)
    clock = clock or Clock()
    application = _LazyApplication(lambda: (build_application or _builder(sandbox=sandbox))(clock))
    threads = _CallThreads()
    outlets = Outlets(
        call_tool=application.call,
        answer=application.answer,
        send_line=wire.send,
        spawn=lambda job: threads.spawn(CALL_THREADS, job),
        spawn_feature=lambda job: threads.spawn(FEATURE_THREADS, job),
        clock=clock,
        redact=application.redact,
        on_internal_error=_log_internal_error,
    )
    server = Server(tools or _all_tools, outlets)
    _leave_on_signals(server, leave)
    _read(wire, server)
    if _drain(wire, server):
        _close(application)
    leave(0)
    return 0


def _close(application: _LazyApplication) -> None:
    """Put everything away, for ``CLOSING_SECONDS`` at most: all was answered, and the system frees what is left."""

    def close() -> None:
        try:
            application.close()
        except Exception as error:  # noqa: BLE001 - as above
            _log_internal_error(error)

    closing = threading.Thread(target=close, name="closing", daemon=True)
    closing.start()
    closing.join(CLOSING_SECONDS)


def _all_tools() -> Sequence[Tool]:
    from kie_mcp.tools import TOOLS

    return TOOLS


def _builder(*, sandbox: bool) -> Callable[[Clock], Application]:
    def build(clock: Clock) -> Application:
        from kie_mcp.cli.compose import Application

        return Application(sandbox=sandbox, clock=clock, serving=True)

    return build


class _LazyApplication:
    """The application, built once, when the first call needs it."""

    def __init__(self, build: Callable[[], Application]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: Application | None = None

    def call(self, tool: Tool, arguments: dict[str, Any], context: CallContext) -> ToolResult:
        """Run the tool. What the building raises is raised by each call until it succeeds."""
        return self._application().call(tool, arguments, context)

    def answer(self, method: str, params: dict[str, Any], context: CallContext) -> dict[str, Any]:
        """Answer the method; as for ``call``."""
        return self._application().answer(method, params, context)

    def redact(self, value: Any) -> Any:
        """``value`` without the secrets of the application.

        Before the first call they are not known, and only an error of the protocol, which may say again what was asked,
        is a reason to look for them. That builds the application early, once: most of the time goes into reading the
        settings, which nothing can be redacted without.
        """
        if self._built is None and not _has_error(value):
            return value
        try:
            secrets = self._application().secrets()
        except Exception:  # noqa: BLE001 - the next call says what is wrong; here there is nothing to hide then
            return value
        from kie_mcp.log import redact

        return redact(value, secrets)

    def _application(self) -> Application:
        with self._lock:
            if self._built is None:
                self._built = self._build()
        return self._built

    def close(self) -> None:
        """Close what was built."""
        if self._built is not None:
            self._built.close()


def _has_error(message: Any) -> bool:
    """Whether a message, or one in an array of them, is an error of the protocol."""
    messages = message if isinstance(message, list) else (message,)
    return any(isinstance(each, dict) and {"jsonrpc", "error"} <= each.keys() for each in messages)


class _CallThreads:
    """The threads that calls run on, so many at most for each kind of call; never used for the items of a batch."""

    def __init__(self) -> None:
        self._memory: Memory | None = None
        self._threads: dict[int, Threads] = {}

    def spawn(self, most: int, job: Callable[[], None]) -> None:
        """Run ``job`` on a thread, one of so many at ``most``. Called by the reading thread only."""
        if self._memory is None:
            from kie_mcp.cli.memory import Memory

            self._memory = Memory()
        if most not in self._threads:
            from kie_mcp.cli.threads import Threads

            self._threads[most] = Threads(most, "call")
        memory = self._memory
        self._threads[most].spawn(lambda: _run(job, memory))


def _run(job: Callable[[], None], memory: Memory) -> None:
    try:
        job()
        memory.after_call()
    except BaseException as error:  # noqa: BLE001 - as for an answer that cannot be sent: the next call has its turn
        _log_internal_error(error)


def _read(wire: Wire, server: Server) -> None:
    for line in wire.lines():
        if line is None:
            server.reject(f"the line is longer than {MAX_LINE_BYTES} bytes.")
        else:
            server.receive(line)


def _drain(wire: Wire, server: Server) -> bool:
    """Let the calls that were read come to their end; true if they did."""
    while not wire.closed():
        if server.wait_idle(DRAIN_CHECK_SECONDS):
            return True
    server.cancel_all()
    return server.wait_idle(ABANDONED_SECONDS)


def _leave_on_signals(server: Server, leave: Callable[[int], object]) -> None:
    """SIGTERM and SIGINT end the process with 128 + the signal's number.

    The main thread may be inside any lock when a signal comes, so the handler takes none: the rest happens
    on a raw thread (``threading.Thread.start`` takes locks of its own).
    """

    def handle(number: int, _: object) -> None:
        _thread.start_new_thread(_stop, (server, leave, number))

    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # whoever started this process wants it left alone
            signal.signal(number, handle)


def _stop(server: Server, leave: Callable[[int], object], number: int) -> None:
    server.cancel_all()
    server.wait_idle(SIGNAL_SECONDS)
    leave(128 + number)


def _log_internal_error(error: BaseException) -> None:
    from kie_mcp.log import logger

    logger().error("An unexpected error.", exc_info=error)
