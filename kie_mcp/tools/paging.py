"""Answers that a host can take, however much there is to tell: what fits, and a cursor for the rest.

Claude Code takes 25,000 tokens of a result, Claude Desktop about a megabyte. On the command line nothing is cut.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import InputError
from kie_mcp.log import logger
from kie_mcp.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kie_mcp.services import Services

PAGE_CHARACTERS = 40_000
"""Of JSON, for the entries of one answer; what an answer says beside them comes to less than 10,000."""

_LONGEST_FIELD = 2_000
"""Of an entry that is longer than a page."""
_CURSOR = re.compile(r"batch-([0-9a-f]{1,64})-([0-9]{1,9})")


def characters(value: Any) -> int:
    """How long a value is as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def page(
    entries: Iterable[dict[str, Any]], services: Services, most: float = math.inf
) -> tuple[list[dict[str, Any]], bool]:
    """The first entries, at most ``most`` and as many as an answer can hold, and whether there are more of them.

    One there is at least, without its longest fields where it does not fit.
    """
    longest = PAGE_CHARACTERS if services.serving else math.inf
    shown: list[dict[str, Any]] = []
    room = longest
    for entry in entries:
        fitting = entry if characters(entry) < longest else _without_long_fields(entry)
        room -= characters(fitting) + 1
        if len(shown) >= most or (shown and room < 0):
            return shown, True
        shown.append(fitting)
    return shown, False


def first_results(entries: Sequence[dict[str, Any]], services: Services, otherwise: str) -> dict[str, Any]:
    """``results`` of a batch, as many as fit, and how to see the rest: by a cursor, or ``otherwise`` where that fails.

    The pictures are made and paid for by now, so whatever happens to the ledger, no answer fails for it.
    """
    shown, more = page(entries, services)
    if not more:
        return {"results": shown}
    told = f"The first {len(shown)} of {len(entries)} results are here;"
    try:
        cursor = _cursor(services.jobs.batch_results.store(entries), len(shown))
    except Exception as error:  # noqa: BLE001 - as the docstring says
        logger().warning("the results of a batch could not be stored: %s", error)
        return {"results": shown, "next_step": f"{told} {otherwise}"}
    step = f"{told} call list_visual_tasks with cursor {cursor} for the rest."
    return {"results": shown, "next_cursor": cursor, "next_step": step}


def is_of_batch(cursor: str) -> bool:
    """Whether a cursor leads to the results of a batch."""
    return _CURSOR.fullmatch(cursor) is not None


def further_results(cursor: str, services: Services, most: float) -> dict[str, Any]:
    """``results`` of a batch from the cursor on, and the next cursor if there are more.

    Raises ``InputError`` where nothing is stored for it.
    """
    batch, first = cursor.removeprefix("batch-").split("-")
    shown, more = page(services.jobs.batch_results.entries(batch, int(first)), services, most)
    if not shown:
        raise InputError(
            f"'cursor' is {cursor!r}; there are no results for it. They are kept for 30 days.",
            next_step="Call list_visual_tasks without cursor: it shows all tasks.",
        )
    further = {"next_cursor": _cursor(batch, int(first) + len(shown))} if more else {}
    return {"results": shown, **further}


def _cursor(batch: str, item: int) -> str:
    return f"batch-{batch}-{item}"


def _without_long_fields(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with notes in the place of its long fields; an error keeps its shape."""
    return {name: _noted(name, value, entry) for name, value in entry.items()}


def _noted(name: str, value: Any, entry: dict[str, Any]) -> Any:
    length = characters(value)
    if length <= _LONGEST_FIELD:
        return value
    if name == "error":
        return {**value, "message": shortened(value["message"], _LONGEST_FIELD)}
    where = " get_visual_task with this task_id shows it." if entry.get("task_id") else ""
    return f"Left out, being {length} characters long.{where}"
