"""The commands. Each calls the same tools as the wire and prints what they answer."""

from __future__ import annotations

import itertools
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp import log
from kie_mcp.cli import answers, hosts, terminal
from kie_mcp.cli.doctor import checks
from kie_mcp.cli.options import arguments_from
from kie_mcp.errors import InputError
from kie_mcp.tools import TOOLS
from kie_mcp.tools.spec import ToolResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kie_mcp.cli.running import Run
    from kie_mcp.context import CallContext
    from kie_mcp.tools.spec import Tool

_BY_NAME: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}

_COLLECTORS = 8


def tool_named(name: str) -> Tool:
    """A tool by its name; raises ``InputError`` naming all tools."""
    if name not in _BY_NAME:
        raise InputError(f"There is no tool {name!r}; the tools are {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def generate(run: Run) -> int:
    """``generate PROMPT``: one picture."""
    tool = tool_named("generate_visual")
    arguments = _with_whole_paths(arguments_from(run.options, tool))
    return run.show(
        run.answer(tool, arguments),
        lambda answer: answers.show_generation(answer, run.later()),
        waited=arguments.get("wait_for_result", True),
    )


def batch(run: Run) -> int:
    """``batch FILE``: many pictures, from a file that holds a JSON array (or - for standard input)."""
    tool = tool_named("generate_visual_batch")
    arguments = _with_whole_paths(arguments_from(run.options, tool))
    arguments["items"] = [_with_whole_paths(item) for item in _items(run.options.file)]
    return run.show(
        run.answer(tool, arguments),
        answers.show_dry_run if arguments.get("dry_run") else lambda answer: answers.show_many(answer, run.later()),
        waited=arguments.get("default_wait_for_result", True),
    )


def tasks(run: Run) -> int:
    """``tasks``: the ledger."""
    tool = tool_named("list_visual_tasks")
    return run.show(run.answer(tool, arguments_from(run.options, tool)), answers.show_tasks)


def collect(run: Run) -> int:
    """``collect [TASK_ID ...]``: save what finished while nobody waited."""
    jobs = run.application.services.jobs
    run.wait(lambda _context: jobs.recovery.take_over())
    unsaved = jobs.custody.unsaved()
    named = run.options.task_ids or [str(row.task_id) for row in unsaved.tasks]
    if unsaved.elsewhere and not run.options.task_ids:
        whose = "ended with their sandbox" if run.application.has_sandbox else "were made with another key or address"
        terminal.note(f"left out: {unsaved.elsewhere} unfinished task(s) that {whose}; name them to ask for them.")
    if not named and not run.options.json:
        left = "nothing else" if unsaved.elsewhere else "nothing"
        terminal.note(f"{left} to collect: every task has ended, and its pictures are saved.")
        return answers.DONE
    entries = run.wait(lambda context: _collected(run, named, context))
    failed = sum(not entry["ok"] for entry in entries)
    summary = {"ok": failed == 0, "total": len(entries), "failed": failed, "results": entries}
    return run.show(ToolResult(summary, is_error=failed > 0), lambda answer: answers.show_many(answer, run.later()))


def _collected(run: Run, named: Sequence[str], context: CallContext) -> list[dict[str, Any]]:
    """One entry for each task, several being asked for at a time. Raises ``CancelledError``."""
    tool = tool_named("get_visual_task")
    arguments = arguments_from(run.options, tool)
    done = itertools.count(1)
    ended = 0

    def one(task_id: str) -> dict[str, Any]:
        nonlocal ended

        def report(_done: float, _total: float | None, message: str) -> None:
            context.progress(ended, len(named), f"task {task_id}: {message}")

        report(0, None, "asking")
        result = run.answer_within(context.child(report), tool, {**arguments, "task_id": task_id})
        ended = next(done)
        return {"task_id": task_id, **result.structured}

    with ThreadPoolExecutor(max(1, min(_COLLECTORS, len(named))), "kie-mcp-collect") as pool:
        return list(pool.map(one, named))


def models(run: Run) -> int:
    """``models [QUERY]``: the image models, with ``--refresh`` as Kie has them now."""
    tool = tool_named("list_models")
    arguments = arguments_from(run.options, tool)
    if run.options.words:
        arguments["query"] = " ".join(run.options.words)
    refreshed = _refreshed(run) if run.options.refresh else {}
    result = run.answer(tool, arguments)
    return run.show(ToolResult({**result.structured, **refreshed}, is_error=result.is_error), answers.show_models)


def _refreshed(run: Run) -> dict[str, Any]:
    """``{"refreshed": ...}``: what reading Kie's own list has changed. Raises ``KieMcpError``."""
    services = run.application.services
    found = run.wait(lambda context: asdict(services.jobs.refresher.refresh(context)))
    services.reload_catalogue()
    shown: dict[str, Any] = log.redact(found, run.application.secrets())
    if not run.options.json:
        answers.show_refreshed(shown)
    return {"refreshed": shown}


def show_credits(run: Run) -> int:
    """``credits``: the balance."""

    def plain(answer: dict[str, Any]) -> None:
        print(f"{terminal.number(answer['credits'])} credits (about ${answer['usd']:.2f})")

    return run.show(run.answer(tool_named("get_credits"), {}), plain)


def call(run: Run) -> int:
    """``call TOOL [JSON]``: any tool, arguments and answer as JSON."""
    run.options.json = True
    tool = tool_named(run.options.tool)
    text = _read_text("-") if run.options.arguments == "-" else run.options.arguments
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The arguments are not JSON: {error}.") from error
    if not isinstance(arguments, dict):
        raise InputError('The arguments must be a JSON object, e.g. {} or {"prompt": "a red fox"}.')
    waited = tool.name != "create_visual_task" and arguments.get("wait_for_result", True) is True
    return run.show(run.answer(tool, arguments), lambda _: None, waited=waited)


def doctor(run: Run) -> int:
    """``doctor``: whether everything is set up."""
    found = [
        {"check": what, "ok": right, "detail": log.redact(detail, run.application.secrets())}
        for what, right, detail in run.wait(lambda context: list(checks(run.application.services, context)))
    ]
    well = all(entry["ok"] for entry in found)
    if run.options.json:
        terminal.print_json({"ok": well, "checks": found})
    else:
        for entry in found:
            detail = terminal.clean(terminal.for_people(entry["detail"]))
            print(f"{'ok  ' if entry['ok'] else 'FAIL'}  {entry['check']}: {detail}")
    return answers.DONE if well else answers.FAILED


def config(run: Run) -> int:
    """``config HOST``: the block for a host's configuration."""
    host = run.options.host
    command, *args = hosts.own_command()
    text = hosts.block(host, command, str(hosts.pictures_folder()), args=args, sandbox=run.options.sandbox)
    if run.options.json:
        terminal.print_json({"ok": True, "host": host, "where": hosts.HOSTS[host], "block": text})
        return answers.DONE
    terminal.note(f"{host}: {hosts.HOSTS[host]}")
    if hosts.KEY_PLACEHOLDER in text:
        terminal.hint(f"Put your key in the place of {hosts.KEY_PLACEHOLDER}.")
    print(text)
    return answers.DONE


def _items(file: str) -> list[Any]:
    text = _read_text(file)
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"is not JSON: {error}" if text.strip() else "is empty"
    else:
        if isinstance(items, list) and items:
            return items
        reason = "holds an empty list" if items == [] else "holds no list"
    raise InputError(
        f"{_name(file)} {reason}.",
        next_step='Write a JSON array with one object for each picture, e.g. [{"prompt": "a red fox"}].',
    )


def _read_text(file: str) -> str:
    try:
        data = _typed() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8 text"
    except AttributeError:  # Python has no sys.stdin where the program was started without one
        reason = "it is closed"
    except (OSError, ValueError) as error:
        reason = str((isinstance(error, OSError) and error.strerror) or error).lower()
    raise InputError(
        f"{_name(file)} cannot be read: {reason}.", next_step="Name a UTF-8 text file, or - for standard input."
    )


def _typed() -> bytes:
    if sys.stdin.isatty():
        terminal.note("reading JSON from the terminal; Ctrl-D ends it.")
    return sys.stdin.buffer.read()


def _name(file: str) -> str:
    return "Standard input" if file == "-" else f"The file {file!r}"


def _with_whole_paths(arguments: Any) -> Any:
    """Arguments whose pictures have absolute paths; what has another form is left for the tool to refuse."""
    if not isinstance(arguments, dict):
        return arguments
    named = {name: arguments[name] for name in ("image_input", "default_image_input") if name in arguments}
    lists = {name: texts for name, texts in named.items() if isinstance(texts, list)}
    return {**arguments, **{name: [_whole_path(text) for text in texts] for name, texts in lists.items()}}


def _whole_path(text: Any) -> Any:
    """A picture as people name it at a prompt: relative to where they are."""
    if not isinstance(text, str):
        return text
    if "://" in text or text.lower().startswith(("task:", "data:", "~")) or not text:
        return text
    return str(Path(text).absolute())
