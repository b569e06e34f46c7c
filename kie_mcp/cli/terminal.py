"""What a person sees: progress on stderr, messages, and tables that any terminal can show."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tqdm import tqdm

_LEAST_WIDTH = 24
_UNLIMITED = float("inf")
_COUNTED = "{n:.0f}/{total:.0f} |{bar:20}| {elapsed}  {desc}"
_PLAIN = "{desc}"
_COUNT = "{:.0f} of {:.0f} done; "
"""How a batch counts in words; the line on a terminal counts by itself."""

_COMMANDS: Mapping[str, str] = {
    "get_visual_task": "`kie-mcp collect`",
    "list_visual_tasks": "`kie-mcp tasks`",
    "list_models": "`kie-mcp models`",
    "get_credits": "`kie-mcp credits`",
    "describe_imager_interface": "`kie-mcp doctor`",
    "start the server again": "run the command again",
}
"""What the advice of the tools means for a person at a terminal."""


class Progress:
    """Progress of one call on stderr: a line that changes on a terminal, a line per news elsewhere.

    A context manager, to be entered as often as wanted: the line is gone when the block ends, and stays
    gone whatever late threads report. Also a text stream, through which a log keeps clear of the line.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        """``quiet`` leaves out what is not drawn on a terminal."""
        self._quiet = quiet
        self._lock = threading.RLock()
        self._active = False
        self._bar: tqdm[Any] | None = None
        self._last: object = None

    def __enter__(self) -> Self:
        with self._lock:
            self._active = True
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._active = False
            if self._bar is not None:
                self._bar.close()
                self._bar = None
                # The whole line: a terminal shows the keys of Ctrl-C behind what was drawn.
                self.write(f"\r{' ' * (shutil.get_terminal_size().columns - 1)}\r")

    def show(self, done: float, total: float | None, message: str) -> None:
        """Report ``done`` of ``total``: a listener for a call's context, from any thread."""
        with self._lock:
            if not self._active:
                return
            if not sys.stderr.isatty():
                self._tell(done, total, clean(message))
                return
            with suppress(OSError):  # the terminal is gone: no reason to end the call
                self._draw(done, total, clean(message))

    def write(self, text: str) -> int:
        """Write to stderr, above the line where there is one."""
        with self._lock:
            if self._bar is not None:
                self._bar.clear()
            with suppress(OSError):
                sys.stderr.write(text)
            if self._bar is not None:
                self._bar.refresh()
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        with suppress(OSError):
            sys.stderr.flush()

    def _draw(self, done: float, total: float | None, message: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, bar_format=_PLAIN, file=sys.stderr, leave=False, dynamic_ncols=True)
        self._bar.bar_format = _PLAIN if total is None else _COUNTED
        self._bar.total = total
        self._bar.n = done
        self._bar.set_description_str(message if total is None else message.removeprefix(_COUNT.format(done, total)))

    def _tell(self, done: float, total: float | None, message: str) -> None:
        """One line for each state, or for each part that is done: not one for each poll."""
        if self._quiet:
            return
        news = message.partition(",")[0] if total is None else (done, total)
        if news != self._last:
            self._last = news
            note(message)


def print_json(value: Any) -> None:
    """One JSON value on stdout, in ASCII where the terminal's or the pipe's encoding cannot hold it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    print(text)


def print_path(path: str) -> None:
    """A path on stdout: as it is for a program, harmless for a terminal."""
    print(clean(path) if sys.stdout.isatty() else path)


def note(text: str) -> None:
    """One message on stderr; nobody can be told where that cannot be written."""
    with suppress(OSError):
        print(f"kie-mcp: {clean(for_people(text))}", file=sys.stderr, flush=True)


def print_error(error: Mapping[str, Any]) -> None:
    """An error object on stderr: what is wrong, then what to do."""
    note(error["message"])
    hint(error["next_step"])
    if "task_id" in error:
        hint(f"Task id: {error['task_id']}")


def hint(text: str) -> None:
    """What to do, below a message."""
    with suppress(OSError):
        print(f"  {clean(for_people(text))}", file=sys.stderr, flush=True)


def print_warnings(warnings: Sequence[str]) -> None:
    """Warnings on stderr."""
    for warning in warnings:
        note(f"note: {warning}")


def for_people(text: str) -> str:
    """Advice in the words of the command line instead of the tools'."""
    return re.sub("|".join(_COMMANDS), lambda found: _COMMANDS[found[0]], text)


def clean(text: str) -> str:
    """Text on one line, without anything that a terminal would obey or that turns its direction."""
    return "".join(_harmless(character) for character in " ".join(text.split()))


def _harmless(character: str) -> str:
    """Controls, half characters and line separators as a mark; the joiners of scripts and emoji may stay."""
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in "\u061c\u200e\u200f":
        return "\ufffd"
    return "\ufffd" if "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069" else character


def width(text: str) -> int:
    """The columns that a text takes on a terminal (Unicode Standard Annex 11)."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def number(value: float) -> str:
    """A number as people write it: no exponent, at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, least: int = _LEAST_WIDTH) -> None:
    """Columns on stdout. Whole where nobody watches; on a terminal the last column is cut to fit.

    Where a terminal leaves less than ``least`` columns for the last one, it stands on lines of its own.
    """
    lines = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads) - 1)]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNLIMITED
    left = columns - sum(widths) - 2 * len(widths)
    for line in lines:
        cells = [text + " " * (wanted - width(text)) for text, wanted in zip(line, widths, strict=False)]
        if left >= least:
            print("  ".join([*cells, _cut(line[-1], left)]).rstrip())
        else:
            print("  ".join(cells).rstrip())
            print(f"  {_cut(line[-1], columns - 2)}")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return number(value) if isinstance(value, float) else clean(str(value))


def _cut(text: str, columns: float) -> str:
    """At most ``columns`` of a text: its beginning, or the end of a path, which tells more."""
    if width(text) <= columns:
        return text
    at_end = Path(text).is_absolute()
    while width(text) >= columns:
        text = text[1:] if at_end else text[:-1]
    return f"…{text}" if at_end else f"{text}…"
