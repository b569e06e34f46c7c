"""The command line: which command, with which options, and how it ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from kie_mcp.cli import commands, hosts
from kie_mcp.cli.options import add_options
from kie_mcp.cli.terminal import Progress, print_error, print_json
from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import KieMcpError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED = 130
_EPILOG = "Without a command, kie-mcp is the server: it reads and writes JSON-RPC lines on stdin and stdout."


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    about = "Make pictures with Kie AI and save them to disk."
    whole = argparse.ArgumentParser(prog="kie-mcp", description=about, epilog=_EPILOG)
    _add_common(whole, default=False)
    found = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, about: str, run: Callable[[commands.Run], int] | None = None) -> argparse.ArgumentParser:
        made = found.add_parser(name, help=about, description=about)
        _add_common(made, default=argparse.SUPPRESS)
        made.set_defaults(run=run)
        return made

    add("serve", "the server on stdin and stdout (the default)")
    _add_generating(add)
    _add_looking(add)
    made = add("sandbox", "run the stand-in of the Kie API alone, on a port")
    made.add_argument("--port", type=int, default=8765, help="default 8765; 0 chooses a free one")
    made.add_argument("--task-seconds", type=float, default=2.0, help="how long a task takes, default 2")
    made.add_argument("--fault", action="append", default=[], metavar="ON:KIND[:DETAIL][:TIMES]", help="fail on purpose")
    return whole


def _add_common(parser: argparse.ArgumentParser, *, default: Any) -> None:
    """Options that may stand before or after the command; the later one must not undo the earlier."""
    what = "use the built-in stand-in of the Kie API: no key, no network"
    parser.add_argument("--sandbox", action="store_true", default=default, help=what)
    parser.add_argument("--json", action="store_true", default=default, help="print plain JSON")


def _add_generating(add: Callable[..., argparse.ArgumentParser]) -> None:
    tool = commands.tool_named("generate_visual")
    made = add("generate", "make one picture and print its path", commands.generate)
    made.add_argument("prompt", help=tool.input_schema["properties"]["prompt"]["description"])
    add_options(made, tool, leave_out={"prompt"})
    made = add("batch", "make many pictures from a JSON file", commands.batch)
    made.add_argument(
        "file", metavar="FILE", help="a JSON array of items, arguments as in generate; - for standard input"
    )
    add_options(made, commands.tool_named("generate_visual_batch"), leave_out={"items"})
    made = add("collect", "save the pictures of tasks that finished while nobody waited", commands.collect)
    made.add_argument("task_id", nargs="*", metavar="TASK_ID", help="default: every unfinished or unsaved task")
    made.add_argument("--wait-seconds", type=float, default=0, help="wait up to this long for each")


def _add_looking(add: Callable[..., argparse.ArgumentParser]) -> None:
    made = add("tasks", "list the tasks made from this machine", commands.tasks)
    add_options(made, commands.tool_named("list_visual_tasks"))
    made = add("models", "list the image models", commands.models)
    tool = commands.tool_named("list_models")
    made.add_argument("query", nargs="?", help=tool.input_schema["properties"]["query"]["description"])
    add_options(made, tool, leave_out={"query"})
    add("credits", "show the balance", commands.show_credits)
    made = add("call", "call any tool with JSON arguments", commands.call)
    made.add_argument("tool", metavar="TOOL", help="the tool's name")
    made.add_argument("arguments", nargs="?", default="{}", metavar="JSON", help="its arguments; - for standard input")
    add("doctor", "check the set-up", commands.doctor)
    made = add("config", "print the configuration block for a host", commands.config)
    made.add_argument("host", metavar="HOST", choices=tuple(hosts.HOSTS), help=", ".join(hosts.HOSTS))


def run(argv: Sequence[str]) -> int:
    """Carry out one command line and return the exit code."""
    options = parser().parse_args(argv)
    if options.command == "serve":
        from kie_mcp.cli.serve import serve

        return serve(sandbox=options.sandbox)
    if options.command == "sandbox":
        from kie_mcp.cli.stand_in import stand_in

        return stand_in(port=options.port, task_seconds=options.task_seconds, faults=options.fault)
    return _run_command(options)


def _run_command(options: argparse.Namespace) -> int:
    from kie_mcp.cli.compose import Application

    application = Application(sandbox=options.sandbox, clock=Clock())
    with Progress(quiet=options.json) as progress:
        context = CallContext(listener=progress.show)
        _cancel_on_signal(context)
        try:
            code: int = options.run(commands.Run(application, options, context))
        except KieMcpError as error:
            _show_failure(error, as_json=options.json)
            code = commands.USAGE
        finally:
            application.close()
    return INTERRUPTED if context.cancelled else code


def _cancel_on_signal(context: CallContext) -> None:
    """End the call's waits on Ctrl-C or SIGTERM, so that what was submitted is kept; at once on the second."""

    def handle(signum: int, _frame: Any) -> None:
        if context.cancelled:
            os._exit(128 + signum)
        context.cancel()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)


def _show_failure(error: KieMcpError, *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": False, "error": error.as_dict()})
    else:
        print_error(error.as_dict())
    sys.stdout.flush()
