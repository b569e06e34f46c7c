"""Answers that a host can take, however much there is to tell: what fits, and a cursor for the rest.

On the command line nothing is cut.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import InputError
from kie_mcp.log import logger
from kie_mcp.tools.fitting import fitted, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kie_mcp.services import Services

PAGE_BYTES = 32_000
"""Of JSON, for the entries of one answer: the error of a batch, what was finished meanwhile and the rest may take as
much as is left."""

_PATIENCE_SECONDS = 0.5
"""For a ledger that is locked: the answer is due, and has what matters without it. A call ends earlier than its host
would, by more than this (protocol/clients.py), so that there is time for it at the end, too."""
_CURSOR = re.compile(r"batch-([0-9a-f]{1,64})-([0-9]{1,9})")


def page(
    entries: Iterable[dict[str, Any]], services: Services, most: float = math.inf
) -> tuple[list[dict[str, Any]], bool]:
    """The first entries, at most ``most`` and as many as an answer can hold, and whether there are more of them.

    One there is at least, without its longest fields where it does not fit.
    """
    shown: list[dict[str, Any]] = []
    room = PAGE_BYTES if services.serving else math.inf
    for entry in entries:
        fitting = fitted(entry, PAGE_BYTES) if services.serving else entry
        room -= json_bytes(fitting) + 1
        if len(shown) >= most or (shown and room < 0):
            return shown, True
        shown.append(fitting)
    return shown, False


def first_results(entries: Sequence[dict[str, Any]], services: Services, otherwise: str) -> dict[str, Any]:
    """``results`` of a batch, as many as fit, and how to see the rest: by a cursor, or ``otherwise`` where that fails.

    The pictures are made and paid for by now, so whatever happens to the ledger, no answer fails or waits for it.
    """
    shown, more = page(entries, services)
    if not more:
        return {"results": shown}
    told = f"The first {len(shown)} of {len(entries)} results are here;"
    try:
        stored = services.jobs.batch_results.store(entries[len(shown) :], len(shown), _PATIENCE_SECONDS)
        cursor = _cursor(stored, len(shown))
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
