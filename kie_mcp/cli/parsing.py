"""The commands as ``argparse`` reads them; how each ends is ``main``'s."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from kie_mcp.cli import commands, hosts
from kie_mcp.cli.answers import USAGE
from kie_mcp.cli.options import add_options, finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kie_mcp.cli.running import Run

_EPILOG = """Without a command, kie-mcp is the server: it reads and writes JSON-RPC lines on stdin and stdout.

exit codes: 0 done, 1 failed, 2 wrong use, settings or input, 3 a task goes on without this command,
130 interrupted"""
_FAULTS = """faults: ON:KIND[:DETAIL,...][:TIMES], e.g. create:code:429:2 (two createTask calls get code 429),
poll:fail:fail_code=422,match=cat (tasks whose prompt has "cat" fail), download:dead:0 (every link is dead).
Variables: kie-mcp sandbox > sandbox.env &  then  export $(cat sandbox.env)"""
_HIGHEST_PORT = 65535


def parsed(whole: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The options of one command line; prints what is wrong and raises ``SystemExit`` where there is none."""
    options, unknown = whole.parse_known_args(argv)
    if unknown:
        quotes = " (a prompt of several words needs quotes around it)" if options.command == "generate" else ""
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}{quotes}")
    return options


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    about = "Make pictures with Kie AI and save them to disk."
    whole = _Parser(prog="kie-mcp", description=about, epilog=_EPILOG)
    whole.add_argument("-V", "--version", action="version", version=_version())
    _add_common(whole, default=False)
    found = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, about: str, run: Callable[[Run], int] | None = None) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = found.add_parser(
            name, help=about, description=f"{about[0].upper()}{about[1:]}."
        )
        _add_common(made, default=argparse.SUPPRESS)
        made.set_defaults(run=run, parser=made)
        return made

    add("serve", "the server on stdin and stdout (the default)")
    _add_generating(add)
    _add_looking(add)
    _add_sandbox(add("sandbox", "run the stand-in of the Kie API alone, on a port"))
    return whole


class _Parser(argparse.ArgumentParser):
    """Options are written out, so that a new one never makes an old command line ambiguous."""

    def __init__(self, **given: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **given)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in two lines; the usage of some commands would fill the terminal."""
        self.exit(USAGE, f"{self.prog}: {message}\n  `{self.prog} --help` shows what there is.\n")


def _version() -> str:
    import kie_mcp

    return f"kie-mcp {kie_mcp.__version__}"


def _add_common(parser: argparse.ArgumentParser, *, default: Any) -> None:
    """Options that may stand before or after the command; the later one must not undo the earlier."""
    what = "use the built-in stand-in of the Kie API: no key, no network"
    parser.add_argument("--sandbox", action="store_true", default=default, help=what)
    parser.add_argument("--json", action="store_true", default=default, help="print plain JSON")


def _add_generating(add: Callable[..., argparse.ArgumentParser]) -> None:
    tool = commands.tool_named("generate_visual")
    made = add("generate", "make one picture and print its path", commands.generate)
    made.add_argument("prompt", metavar="PROMPT", help=tool.input_schema["properties"]["prompt"]["description"])
    add_options(made, tool, leave_out={"prompt"})
    made = add("batch", "make many pictures from a JSON file and print their paths", commands.batch)
    what = "a JSON array with an object for each picture, arguments as in generate; - for standard input"
    made.add_argument("file", metavar="FILE", help=what)
    add_options(made, commands.tool_named("generate_visual_batch"), leave_out={"items"})
    made = add("collect", "save the pictures of tasks that finished while nobody waited", commands.collect)
    made.add_argument("task_ids", nargs="*", metavar="TASK_ID", help="default: every unfinished or unsaved task")
    add_options(made, commands.tool_named("get_visual_task"), leave_out={"task_id", "download"})


def _add_looking(add: Callable[..., argparse.ArgumentParser]) -> None:
    made = add("tasks", "list the tasks made from this machine, newest first", commands.tasks)
    add_options(made, commands.tool_named("list_visual_tasks"))
    made = add("models", "list the image models, or show one whole", commands.models)
    tool = commands.tool_named("list_models")
    what = tool.input_schema["properties"]["query"]["description"]
    made.add_argument("words", nargs="*", metavar="QUERY", help=what)
    made.add_argument("--refresh", action="store_true", help="read Kie's own list first, about a second for each model")
    add_options(made, tool, leave_out={"query"})
    add("credits", "show the balance", commands.show_credits)
    made = add("call", "call any tool with JSON arguments; the answer is JSON", commands.call)
    made.add_argument("tool", metavar="TOOL", help="the tool's name, e.g. describe_imager_interface")
    made.add_argument("arguments", nargs="?", default="{}", metavar="JSON", help="its arguments; - for standard input")
    add("doctor", "check the set-up", commands.doctor)
    made = add("config", "print the configuration block for a host", commands.config)
    made.add_argument("host", metavar="HOST", choices=tuple(hosts.HOSTS), help=", ".join(hosts.HOSTS))


def _add_sandbox(made: argparse.ArgumentParser) -> None:
    made.epilog = _FAULTS
    made.add_argument("--port", type=_port, default=8765, metavar="N", help="default 8765; 0 chooses a free one")
    made.add_argument(
        "--task-seconds", type=_duration, default=2.0, metavar="N", help="how long a task takes, default 2"
    )
    made.add_argument("--fault", action="append", default=[], metavar="FAULT", help="fail on purpose, see below")


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; accepted is 0 to {_HIGHEST_PORT}")
    return int(text)


def _duration(text: str) -> float:
    if finite(text) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is negative")
    return finite(text)
