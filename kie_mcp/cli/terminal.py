"""What a person sees: progress on stderr, tables and messages."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tqdm import tqdm

_LEAST_WIDTH = 10


class Progress:
    """Progress of one call on stderr: a line that changes on a terminal, a line per news elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: tqdm[Any] | None = None
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: float, total: float | None, message: str) -> None:
        """A listener for a call's context."""
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._draw(done, total, message)
        elif (news := message.partition(",")[0]) != self._last:
            self._last = news
            print(f"kie-mcp: {message}", file=sys.stderr, flush=True)

    def _draw(self, done: float, total: float | None, message: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            style = "{desc}" if total is None else "{n:.0f}/{total:.0f} |{bar:20}| {elapsed} {desc}"
            self._bar = tqdm(total=total, bar_format=style, file=sys.stderr, leave=False, dynamic_ncols=True)
        self._bar.n = done
        self._bar.set_description_str(message)


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_error(error: Mapping[str, Any]) -> None:
    """An error object on stderr: what is wrong, then what to do."""
    print(f"kie-mcp: {error['message']}\n  {error['next_step']}", file=sys.stderr)
    if "task_id" in error:
        print(f"  task id: {error['task_id']}", file=sys.stderr)


def print_warnings(warnings: Sequence[str]) -> None:
    """Warnings on stderr."""
    for warning in warnings:
        print(f"kie-mcp: note: {warning}", file=sys.stderr)


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns on stdout, the last one cut so that lines fit the terminal; whole where nobody watches."""
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(heads), *texts]) for column in range(len(heads) - 1)]
    left = shutil.get_terminal_size().columns - sum(widths) - 2 * len(widths)
    for line in [list(heads), *texts]:
        last = (
            line[-1]
            if not sys.stdout.isatty() or len(line[-1]) <= left
            else line[-1][: max(left, _LEAST_WIDTH) - 1] + "…"
        )
        print("  ".join([*(text.ljust(width) for text, width in zip(line[:-1], widths, strict=True)), last]).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
