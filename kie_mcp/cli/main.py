"""The command line: carries out one command, and sees that it ends well."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from kie_mcp.cli import answers, terminal
from kie_mcp.cli.interruption import InterruptError
from kie_mcp.cli.parsing import parsed, parser
from kie_mcp.cli.running import Run, internal_error
from kie_mcp.clock import Clock
from kie_mcp.errors import KieMcpError
from kie_mcp.tools.spec import ToolResult

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from kie_mcp.cli.compose import Application

INTERRUPTED, PIPE_CLOSED = 130, 141
"""Exit codes of a program that Ctrl-C or a closed pipe has ended, as shells know them."""


def run(
    argv: Sequence[str],
    *,
    build: Callable[..., Application] | None = None,
    clock: Clock | None = None,
    leave: Callable[[int], object] = os._exit,
) -> int:
    """Carry out one command line and return the exit code.

    ``leave`` ends the process where a thread still waits for a request that nobody needs any more.
    """
    _prepare_streams()
    try:
        code = _run(argv, build, clock or Clock(), leave)
        sys.stdout.flush()
    except KeyboardInterrupt:
        terminal.note("interrupted.")
        code = INTERRUPTED
    except SystemExit as ended:  # argparse has printed help, or what is wrong
        code = ended.code if isinstance(ended.code, int) else answers.USAGE
    except BrokenPipeError:
        code = PIPE_CLOSED  # whoever read the output has seen enough
    except OSError as error:
        terminal.note(f"the output cannot be written: {(error.strerror or str(error)).lower()}.")
        code = answers.FAILED
    _end_output()
    return code


def _prepare_streams() -> None:
    """Open what was closed on the null device, and let no text be unprintable."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for good
    if hasattr(sys.stdout, "reconfigure"):
        # File names that are not UTF-8 come out as the bytes that they are.
        utf8 = sys.stdout.encoding.lower() in ("utf-8", "utf8")
        sys.stdout.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def _end_output() -> None:
    """Drop what could not be written, so that Python does not try once more on its way out."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError), open(os.devnull, "wb") as null:  # noqa: PTH123 - no path, a device
            os.dup2(null.fileno(), sys.stdout.fileno())


def _run(
    argv: Sequence[str], build: Callable[..., Application] | None, clock: Clock, leave: Callable[[int], object]
) -> int:
    as_json = "--json" in argv
    try:
        options = parsed(parser(), argv)
        if options.command == "serve":
            from kie_mcp.cli.serve import serve

            return serve(sandbox=options.sandbox)
        if options.command == "sandbox":
            from kie_mcp.cli.stand_in import stand_in

            return stand_in(
                port=options.port, task_seconds=options.task_seconds, faults=options.fault, as_json=options.json
            )
        return _run_command(options, build or _application, clock, leave)
    except KieMcpError as error:
        return _show_failure(error, as_json=as_json)


def _application(*, sandbox: bool, clock: Clock, log_stream: terminal.Progress) -> Application:
    from kie_mcp.cli.compose import Application

    return Application(sandbox=sandbox, clock=clock, log_stream=log_stream)


def _run_command(
    options: argparse.Namespace, build: Callable[..., Application], clock: Clock, leave: Callable[[int], object]
) -> int:
    progress = terminal.Progress(quiet=options.json)
    application = build(sandbox=options.sandbox, clock=clock, log_stream=progress)
    command = Run(application, options, progress, clock)
    try:
        code: int = options.run(command)
    except InterruptError as interrupt:
        _show_failure(command.interrupted(), as_json=options.json)
        code = interrupt.exit_code
        if interrupt.left_behind:
            _end_output()
            leave(code)
    except KieMcpError as error:
        code = _show_failure(error, as_json=options.json)
    except OSError:  # of the output: what else fails in this way has become one of our own errors
        raise
    except Exception as error:  # noqa: BLE001 - people get a line, the log gets the traceback
        code = _show_failure(internal_error(error), as_json=options.json)
    finally:
        application.close()
    return code


def _show_failure(error: KieMcpError, *, as_json: bool) -> int:
    answer = ToolResult.failure(error).structured
    if as_json:
        terminal.print_json(answer)
    else:
        terminal.print_error(answer["error"])
    return answers.exit_code(answer)
