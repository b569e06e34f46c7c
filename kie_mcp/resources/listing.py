"""What resources there are: the guide, then the saved pictures, the newest first."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp.cursors import cursor_before, number_before
from kie_mcp.errors import InputError
from kie_mcp.resources.regular import status_of
from kie_mcp.schemas import load_resources
from kie_mcp.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.ledger import SavedFile, TaskRow
    from kie_mcp.services import Services

TASKS_A_PAGE = 50
PICTURES_A_PAGE = 100
"""No task has more (kie/status.py), so that it is never more than this."""
_LONGEST_TITLE = 80
_LAST_SECOND = 253_402_300_799
"""Of the year 9999, after which no time stamp can be written."""


def list_resources(services: Services, params: Mapping[str, Any], context: CallContext) -> dict[str, Any]:
    """One page: the guide first, then the pictures that are still there.

    Hosts list resources just to look, so this makes no ledger where there is none. A picture that was deleted and made
    anew under its name may stand on a further page once more, for the older task. Raises ``InputError`` for a cursor
    that is none, ``ConfigError`` where the ledger cannot be used.
    """
    before = number_before(params.get("cursor"), "params.cursor", "the nextCursor of an earlier page")
    guide = [load_resources()["guide"]] if before is None else []
    if not services.has_ledger():
        return {"resources": guide}
    rows = services.records.gallery.page(limit=TASKS_A_PAGE + 1, before=before)
    fitting = _fitting(rows)
    page: dict[str, Any] = {"resources": guide + list(_pictures(fitting, context))}
    if len(rows) > len(fitting):
        page["nextCursor"] = cursor_before(fitting[-1].number)
    return page


def list_templates(services: Services, params: Mapping[str, Any], context: CallContext) -> dict[str, Any]:  # noqa: ARG001 - every method is given them
    """The forms of URI of models and tasks, on one page. Raises ``InputError`` for a cursor: nobody was given one."""
    if params.get("cursor") is not None:
        raise InputError("params.cursor is none of this server's: all templates are on one page.")
    return {"resourceTemplates": load_resources()["templates"]}


def _fitting(rows: list[TaskRow]) -> list[TaskRow]:
    """The tasks of one page: whole ones, and one at least."""
    pictures = accumulate(len(row.files) for row in rows[:TASKS_A_PAGE])
    return rows[: max(1, sum(count <= PICTURES_A_PAGE for count in pictures))]


def _pictures(rows: list[TaskRow], context: CallContext) -> Iterator[dict[str, Any]]:
    for row in rows:
        for file in row.files:
            context.raise_if_cancelled()
            status = status_of(file.path)
            if status is not None:
                yield _entry(row, file, status)


def _entry(row: TaskRow, file: SavedFile, status: os.stat_result) -> dict[str, Any]:
    from kie_mcp.shapes import time_stamp

    path = Path(file.path)
    pixels = f"{file.width} x {file.height} pixels" if file.width and file.height else None
    modified = time_stamp(min(max(0, status.st_mtime), _LAST_SECOND))
    return {
        "uri": path.as_uri(),
        "name": printable(path.name),
        "title": printable(row.prompt or path.stem, _LONGEST_TITLE),
        "description": ", ".join(filter(None, (row.model, pixels, f"task {row.task_id}"))),
        "mimeType": file.mime_type,
        "size": status.st_size,
        "annotations": {"audience": ["user"], "lastModified": modified},
    }
