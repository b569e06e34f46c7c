"""A server process with the program's own wire and protocol, and tools made for tests."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from kie_mcp.cli.serve import serve
from kie_mcp.errors import ConfigError
from kie_mcp.tools.spec import Tool, ToolResult

if TYPE_CHECKING:
    from kie_mcp.clock import Clock
    from kie_mcp.context import CallContext

SIDE_BY_SIDE = 64
NAMES = ("echo", "wait", "stubborn", "meet", "noisy", "fail", "secret")


class FakeTool(Tool):
    """A tool with its schemas at hand."""

    __slots__ = ()
    input_schema = {"type": "object"}  # noqa: RUF012 - a constant in the place of a property
    output_schema = {"type": "object"}  # noqa: RUF012 - as above


def never(*_: Any) -> ToolResult:
    raise AssertionError


class Application:
    """Runs the tools by their names."""

    built = 0

    def __init__(self, clock: Clock) -> None:
        type(self).built += 1
        if os.environ.get("TEST_REFUSE_TO_BUILD"):
            raise ConfigError(f"refused {self.built}")
        self.clock = clock
        self.barrier = threading.Barrier(SIDE_BY_SIDE)

    def call(self, tool: Tool, arguments: dict[str, Any], context: CallContext) -> ToolResult:
        getattr(self, tool.name)(arguments, context)
        return ToolResult({"ok": True, "arguments": arguments, "built": self.built})

    def echo(self, _: dict[str, Any], context: CallContext) -> None:
        context.progress(1, 1, "echoed")
        print("a stray print")  # what the wire must survive

    def wait(self, arguments: dict[str, Any], context: CallContext) -> None:
        context.progress(0, None, "waiting")
        context.sleep(arguments["seconds"])

    def stubborn(self, _: dict[str, Any], context: CallContext) -> None:
        context.progress(0, None, "waiting")
        threading.Event().wait(60)

    def meet(self, _: dict[str, Any], __: CallContext) -> None:
        self.barrier.wait(60)

    def noisy(self, _: dict[str, Any], __: CallContext) -> None:
        warnings.warn("careful " * 20_000, stacklevel=1)
        for stream in (sys.stdout, sys.stderr):
            stream.write("x" * 1_000_000)
            stream.flush()

    def fail(self, _: dict[str, Any], __: CallContext) -> None:
        raise RuntimeError("inner detail")

    def secret(self, arguments: dict[str, Any], __: CallContext) -> None:
        arguments["said"] = "the key is sk-secret"

    def secrets(self) -> tuple[str, ...]:
        return ("sk-secret",)

    def close(self) -> None:
        if os.environ.get("TEST_REFUSE_TO_CLOSE"):
            raise RuntimeError("something hangs")
        print("closed well", file=sys.stderr)  # the test looks for it


if __name__ == "__main__":
    TOOLS = [FakeTool(name, name, name, {}, never) for name in NAMES]
    serve(tools=lambda: TOOLS, build_application=Application)
