"""One command under way: calling tools with progress, and what to say when it is interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from kie_mcp import log
from kie_mcp.cli import answers, terminal
from kie_mcp.cli.interruption import interruptible
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, KieMcpError
from kie_mcp.tools.spec import ToolResult

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from kie_mcp.cli.compose import Application
    from kie_mcp.clock import Clock
    from kie_mcp.ledger import TaskRow
    from kie_mcp.tools.spec import Tool

T = TypeVar("T")

_MAKES_TASKS = frozenset({"generate", "batch", "collect", "call"})


@dataclass(frozen=True)
class Run:
    """One command under way."""

    application: Application
    options: argparse.Namespace
    progress: terminal.Progress
    clock: Clock

    def wait(self, work: Callable[[CallContext], T]) -> T:
        """Do what may take long: with progress, and ended by signals without losing a task id."""
        try:
            with self.progress:
                return interruptible(work, CallContext(self.clock, self.progress.show), self._submitting)
        except KieMcpError:
            raise
        except Exception as error:
            raise internal_error(error) from error

    def answer(self, tool: Tool, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool; failures are answers too, and no answer holds a secret."""
        return self.wait(lambda context: self.answer_within(context, tool, arguments))

    def answer_within(self, context: CallContext, tool: Tool, arguments: dict[str, Any]) -> ToolResult:
        """As ``answer``, as one part of a longer wait. Raises ``CancelledError``."""
        try:
            result = self.application.call(tool, arguments, context)
        except CancelledError:
            raise
        except KieMcpError as error:
            result = ToolResult.failure(error)
        return ToolResult(log.redact(result.structured, self.application.secrets()), is_error=result.is_error)

    def show(self, result: ToolResult, plain: Callable[[dict[str, Any]], None], *, waited: bool = True) -> int:
        """Print an answer, as JSON or plainly, and return the exit code."""
        answer = result.structured
        if self.options.json:
            terminal.print_json(answer)
        elif answer["ok"] or "results" in answer:
            plain(answer)
        else:
            terminal.print_error(answer["error"])
        return answers.exit_code(answer, waited=waited)

    def later(self) -> str:
        """How to come back to a task that goes on."""
        if self.application.has_sandbox:
            return "The sandbox ends with this command, and its tasks with it; `kie-mcp sandbox` runs one that stays."
        return "What goes on at Kie is paid for: `kie-mcp collect` saves it later."

    def unsaved(self) -> list[TaskRow]:
        """The tasks with something left to fetch: of this command, or of all where it picks up old ones."""
        custody = self.application.services.jobs.custody
        everyone = self.options.command == "collect"
        return [row for row in custody.unsaved().tasks if everyone or custody.is_mine(row)]

    def interrupted(self) -> CancelledError:
        """What to say to who ended the command: most of all, which tasks go on."""
        if self.options.command not in _MAKES_TASKS:
            return CancelledError("Interrupted.", next_step="Nothing was lost.")
        try:
            left, unclear = self.unsaved(), self._submitting()
        except KieMcpError as error:
            return CancelledError(f"Interrupted. {error.message}", next_step=error.next_step)
        if unclear:
            advice = "Check kie.ai/logs before asking again: the picture may already be paid for."
            return CancelledError("Interrupted while a task was being submitted.", next_step=advice)
        if not left:
            return CancelledError("Interrupted; no task is left running.", next_step="`kie-mcp tasks` shows them all.")
        if self.application.has_sandbox:
            return CancelledError("Interrupted.", next_step=self.later())
        if len(left) == 1:
            return CancelledError("Interrupted; the task goes on.", next_step=self.later(), task_id=left[0].task_id)
        return CancelledError(f"Interrupted; {len(left)} tasks go on.", next_step=self.later())

    def _submitting(self) -> bool:
        """Whether a createTask of this command is under way, whose answer is worth waiting for."""
        if self.options.command not in _MAKES_TASKS:
            return False
        try:
            found = self.application.services.jobs.custody.is_submitting()
        except KieMcpError:
            return False
        if found:
            self.progress.show(0, None, "waiting for the id of a task that was just sent; Ctrl-C again leaves at once")
        return found


def internal_error(error: Exception) -> KieMcpError:
    """A mistake of this program, for people: its traceback goes to the log."""
    log.logger().debug("An unexpected error.", exc_info=error)
    return KieMcpError(
        f"Internal error ({type(error).__name__}).",
        next_step="With KIE_AI_LOG_LEVEL=debug the log says where; please report it as a bug.",
    )
