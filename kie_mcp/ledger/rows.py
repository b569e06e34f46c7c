"""What the ledger knows of a task, as its readers see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

LARGEST_NUMBER = 2**63 - 1
"""No number is larger (sqlite.org/autoinc.html). Asked for numbers below one, SQLite begins there; were it a question
in the query whether there is one, it would begin at the newest task each time."""
BY_ID = "SELECT * FROM tasks WHERE task_id = ? ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True)
class SavedFile:
    """A picture on disk: absolute path, size in bytes, pixels where known."""

    path: str
    mime_type: str
    bytes: int
    width: int | None
    height: int | None


@dataclass(frozen=True)
class TaskRow:
    """One task. Times are seconds since the epoch, ``seconds`` is Kie's own time for the task.

    ``result`` is a structured result, which some models give beside pictures or instead of them.
    ``model`` and ``prompt`` are ``None`` for an adopted task of which no more than its id is known. For ``owner``,
    ``account`` and ``saving`` see ``custody``.
    """

    number: int
    task_id: str | None
    model: str | None
    prompt: str | None
    platform: str | None
    state: str
    output_path: str | None
    output_format: str | None
    files: tuple[SavedFile, ...]
    image_urls: tuple[str, ...]
    estimated_credits: float | None
    credits_consumed: float | None
    error: dict[str, Any] | None
    created_at: float
    updated_at: float
    completed_at: float | None
    seconds: float | None
    result: Any = None
    owner: str | None = None
    account: str | None = None
    saving: dict[str, Any] | None = None

    @property
    def without_pictures(self) -> bool:
        """Whether the task has succeeded with a structured result alone, so that there is nothing to save."""
        return self.state == "success" and self.result is not None and not self.image_urls


def row_from(row: sqlite3.Row) -> TaskRow:
    """Read a row of the table ``tasks``."""
    return TaskRow(
        number=row["number"],
        task_id=row["task_id"],
        model=row["model"],
        prompt=row["prompt"],
        platform=row["platform"],
        state=row["state"],
        output_path=row["output_path"],
        output_format=row["output_format"],
        files=tuple(SavedFile(**file) for file in json.loads(row["files"])),
        image_urls=tuple(json.loads(row["image_urls"])),
        estimated_credits=row["estimated_credits"],
        credits_consumed=row["credits_consumed"],
        error=None if row["error"] is None else json.loads(row["error"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        completed_at=row["completed_at"],
        seconds=row["seconds"],
        result=None if row["result"] is None else json.loads(row["result"]),
        owner=row["owner"],
        account=row["account"],
        saving=None if row["saving"] is None else json.loads(row["saving"]),
    )
