"""The commands. Each calls the same tools as the wire and prints what they answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp import log
from kie_mcp.cli import hosts, terminal
from kie_mcp.cli.doctor import checks
from kie_mcp.cli.options import arguments_from
from kie_mcp.errors import InputError, KieMcpError
from kie_mcp.tools import TOOLS
from kie_mcp.tools.spec import ToolResult

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from kie_mcp.cli.compose import Application
    from kie_mcp.context import CallContext
    from kie_mcp.tools.spec import Tool

DONE, FAILED, USAGE, NOT_FINISHED = 0, 1, 2, 3
"""Exit codes: all well; something failed; wrong use or settings; the task goes on without this call."""

_USAGE_CATEGORIES = frozenset({"config", "input"})
_BY_NAME: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}


def tool_named(name: str) -> Tool:
    """A tool by its name; raises ``InputError`` naming all tools."""
    if name not in _BY_NAME:
        raise InputError(f"There is no tool {name!r}; the tools are {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]


@dataclass(frozen=True)
class Run:
    """One command under way."""

    application: Application
    options: argparse.Namespace
    context: CallContext

    def answer(self, tool: Tool, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool; failures are answers too, and no answer holds a secret."""
        try:
            result = self.application.call(tool, arguments, self.context)
        except KieMcpError as error:
            result = ToolResult.failure(error)
        return ToolResult(log.redact(result.structured, self.application.secrets()), is_error=result.is_error)

    def show(self, result: ToolResult, plain: Callable[[dict[str, Any]], int]) -> int:
        """Print an answer, as JSON or plainly, and return the exit code."""
        if self.options.json:
            terminal.print_json(result.structured)
            return _exit_code(result.structured)
        if "results" not in result.structured and not result.structured["ok"]:
            terminal.print_error(result.structured["error"])
            return _exit_code(result.structured)
        return plain(result.structured)


def generate(run: Run) -> int:
    """``generate PROMPT``: one picture."""
    tool = tool_named("generate_visual")
    return run.show(run.answer(tool, arguments_from(run.options, tool)), _show_generation)


def batch(run: Run) -> int:
    """``batch FILE``: many pictures, from a file that holds a JSON array (or - for standard input)."""
    tool = tool_named("generate_visual_batch")
    text = _read(run.options.file)
    return run.show(run.answer(tool, {**arguments_from(run.options, tool), "items": text}), _show_batch)


def tasks(run: Run) -> int:
    """``tasks``: the ledger."""
    tool = tool_named("list_visual_tasks")
    return run.show(run.answer(tool, arguments_from(run.options, tool)), _show_tasks)


def collect(run: Run) -> int:
    """``collect [TASK_ID ...]``: save what finished while nobody waited."""
    try:
        named = run.options.task_id or [row.task_id for row in run.application.services.jobs.ledger.unsaved()]
    except KieMcpError as error:
        return run.show(ToolResult.failure(error), _show_generation)
    tool = tool_named("get_visual_task")
    entries = []
    for done, task_id in enumerate(named):
        run.context.progress(done, len(named), f"task {task_id}")
        arguments: dict[str, Any] = {"task_id": task_id, "wait_seconds": run.options.wait_seconds}
        entries.append({"task_id": task_id, **run.answer(tool, arguments).structured})
    failed = sum(not entry["ok"] for entry in entries)
    summary = {"ok": failed == 0, "total": len(entries), "failed": failed, "results": entries}
    return run.show(ToolResult(summary, is_error=failed > 0), _show_batch)


def models(run: Run) -> int:
    """``models [QUERY]``: the image models."""
    tool = tool_named("list_models")
    return run.show(run.answer(tool, arguments_from(run.options, tool)), _show_models)


def show_credits(run: Run) -> int:
    """``credits``: the balance."""

    def plain(answer: dict[str, Any]) -> int:
        print(f"{answer['credits']:g} credits (about ${answer['usd']:.2f})")
        return DONE

    return run.show(run.answer(tool_named("get_credits"), {}), plain)


def call(run: Run) -> int:
    """``call TOOL [JSON]``: any tool, arguments and answer as JSON."""
    import json

    try:
        tool = tool_named(run.options.tool)
        arguments = json.loads(_read("-") if run.options.arguments == "-" else run.options.arguments)
        if not isinstance(arguments, dict):
            raise InputError(f"The arguments are {type(arguments).__name__}; they must be a JSON object.")
    except ValueError as error:
        result = ToolResult.failure(InputError(f"The arguments are not JSON: {error}."))
    except KieMcpError as error:
        result = ToolResult.failure(error)
    else:
        result = run.answer(tool, arguments)
    terminal.print_json(result.structured)
    return _exit_code(result.structured)


def doctor(run: Run) -> int:
    """``doctor``: whether everything is set up."""
    found = [
        {"check": what, "ok": right, "detail": log.redact(detail, run.application.secrets())}
        for what, right, detail in checks(run.application.services, run.context)
    ]
    if run.options.json:
        terminal.print_json({"ok": all(entry["ok"] for entry in found), "checks": found})
    else:
        for entry in found:
            print(f"{'ok  ' if entry['ok'] else 'FAIL'}  {entry['check']}: {entry['detail']}")
    return DONE if all(entry["ok"] for entry in found) else FAILED


def config(run: Run) -> int:
    """``config HOST``: the block for a host's configuration."""
    host = run.options.host
    folder = str(Path.home() / "Pictures" / "kie-mcp")
    text = hosts.block(host, hosts.own_command(), folder, sandbox=run.options.sandbox)
    if run.options.json:
        terminal.print_json({"ok": True, "host": host, "where": hosts.HOSTS[host], "block": text})
    else:
        print(f"# {host}: {hosts.HOSTS[host]}", file=sys.stderr)
        print(text)
    return DONE


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"The file {file!r} cannot be read: {error}.") from error


def _exit_code(answer: Mapping[str, Any]) -> int:
    if not answer["ok"]:
        return USAGE if answer.get("error", {}).get("category") in _USAGE_CATEGORIES else FAILED
    return NOT_FINISHED if "next_step" in answer and answer.get("status") != "submitted" else DONE


def _show_generation(answer: dict[str, Any]) -> int:
    terminal.print_warnings(answer["warnings"])
    for path in answer["output_paths"]:
        print(path)
    if "next_step" in answer:
        print(f"kie-mcp: task {answer['task_id']}: {answer['status']}. Later: kie-mcp collect", file=sys.stderr)
    return _exit_code(answer)


def _show_batch(answer: dict[str, Any]) -> int:
    for entry in answer.get("results", []):
        name = entry.get("index", entry.get("task_id"))
        if not entry["ok"]:
            print(f"kie-mcp: {name}: {entry['error']['message']}", file=sys.stderr)
            continue
        terminal.print_warnings([f"{name}: {warning}" for warning in entry["warnings"]])
        for path in entry["output_paths"]:
            print(path)
        if "next_step" in entry:
            print(f"kie-mcp: {name}: task {entry['task_id']} is {entry['status']}", file=sys.stderr)
    if answer["failed"]:
        print(f"kie-mcp: {answer['failed']} of {answer['total']} failed", file=sys.stderr)
        return FAILED
    return NOT_FINISHED if any("next_step" in entry for entry in answer["results"]) else DONE


def _show_tasks(answer: dict[str, Any]) -> int:
    rows = [
        (entry["created_at"], entry["task_id"], entry["status"], entry["model"], _where(entry))
        for entry in answer["tasks"]
    ]
    terminal.print_table(("made", "task id", "status", "model", "files or prompt"), rows)
    return DONE


def _where(entry: Mapping[str, Any]) -> str:
    return " ".join(entry["output_paths"]) or str(entry["prompt"] or "")


def _show_models(answer: dict[str, Any]) -> int:
    rows = [
        (
            model["id"],
            model["kind"],
            model["credits"],
            model.get("max_images", 0),
            " ".join(model.get("aspect_ratios", [])),
        )
        for model in answer["models"]
    ]
    terminal.print_table(("id", "kind", "credits", "pictures in", "ratios"), rows)
    if not rows:
        near = ", ".join(answer.get("did_you_mean", []))
        print("kie-mcp: no model found" + (f"; did you mean {near}?" if near else ""), file=sys.stderr)
    return DONE
