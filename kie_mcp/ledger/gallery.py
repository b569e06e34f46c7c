"""The saved pictures: which tasks have some, and whether a file is one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from kie_mcp.ledger.rows import LARGEST_NUMBER, row_from

if TYPE_CHECKING:
    from kie_mcp.ledger.database import Database
    from kie_mcp.ledger.rows import SavedFile, TaskRow

_PAGE = """
SELECT * FROM tasks WHERE files != '[]' AND number < ? ORDER BY number DESC LIMIT ?
"""
_HOLDING = "SELECT * FROM tasks WHERE instr(files, ?) ORDER BY number DESC"


class Gallery:
    """The pictures that tasks have saved, whether they are still there or not.

    All methods raise ``ConfigError`` where the state folder cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, *, limit: int, before: int | None = None) -> list[TaskRow]:
        """List at most ``limit`` tasks with saved pictures, newest first, of numbers below ``before``.

        A name may have become free and been taken again: among the listed tasks the file is that of the newest alone,
        and missing from the ``files`` of the others. Newer ones than the listed are not looked at: every page would
        take longer than the one before.
        """
        with self._database.read() as connection:
            rows = connection.execute(_PAGE, (LARGEST_NUMBER if before is None else before, limit)).fetchall()
        taken: set[str] = set()
        page = []
        for row in map(row_from, rows):
            page.append(replace(row, files=tuple(file for file in row.files if file.path not in taken)))
            taken.update(file.path for file in row.files)
        return page

    def find(self, path: str) -> SavedFile | None:
        """Find the saved picture of exactly that absolute path, as the newest task has it.

        All tasks are searched, which takes some hundredths of a second where there are tens of thousands.
        """
        with self._database.read() as connection:
            rows = connection.execute(_HOLDING, (json.dumps(path),)).fetchall()
        return next((file for row in rows for file in row_from(row).files if file.path == path), None)
