"""Who looks after a task: its owner while a call waits for it, and whoever is saving its pictures.

A task belongs to the process that made it, as long as that lives; it looks after the tasks that none of its calls waits
for, too. Those of a dead process are nobody's, and can be taken over.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kie_mcp.ledger.rows import TaskRow, row_from

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.ledger.database import Database
    from kie_mcp.ledger.presence import Presence

CLAIM_SECONDS = 120.0
"""How long the claim of a process lasts that still runs but gives no sign of life."""

_UNSAVED = """
SELECT * FROM tasks
WHERE task_id IS NOT NULL AND request IS NOT NULL
  AND (state NOT IN ('success', 'fail', 'not_found') OR (state = 'success' AND
       json_array_length(files) < max(CASE WHEN result IS NULL THEN 1 ELSE 0 END, json_array_length(image_urls))))
ORDER BY number
"""
_HALF_SAVED = "SELECT * FROM tasks WHERE saving IS NOT NULL ORDER BY number"
_SUBMITTING = "SELECT number, owner FROM tasks WHERE state = 'submitting'"
_GIVE_UP = """
UPDATE tasks SET state = 'unknown_outcome', error = ?, completed_at = ?, updated_at = ?
WHERE number = ? AND state = 'submitting'
"""
_BY_ID = "SELECT * FROM tasks WHERE task_id = ? ORDER BY number DESC LIMIT 1"
_CLAIM = "UPDATE tasks SET claimed_by = ?, claimed_until = ? WHERE number = ?"
_RELEASE = "UPDATE tasks SET claimed_by = NULL, claimed_until = NULL WHERE task_id = ? AND claimed_by = ?"


class Custody:
    """Who looks after which task, among all processes that share the ledger.

    ``account`` marks the tasks that this process can ask Kie about; others are left alone. All methods raise
    ``ConfigError`` where the state folder cannot be used.
    """

    def __init__(self, database: Database, clock: Clock, presence: Presence, account: str) -> None:
        self._database = database
        self._clock = clock
        self._presence = presence
        self._account = account

    def unsaved(self) -> list[TaskRow]:
        """List the tasks with something left to fetch, oldest first: running, or successful without their files.

        A task of which no more than its id is known, since it was made elsewhere, is fetched only when it is named.
        """
        with self._database.read() as connection:
            return [row for row in self._rows(connection, _UNSAVED) if row.account in (None, self._account)]

    def elsewhere(self) -> int:
        """How many tasks with something left to fetch were made with another key or address."""
        with self._database.read() as connection:
            return sum(row.account not in (None, self._account) for row in self._rows(connection, _UNSAVED))

    def take_over(self) -> list[TaskRow]:
        """Take the unsaved tasks that nobody looks after; this process does from now on."""
        orphans = [row for row in self.unsaved() if self._is_nobodys(row.owner)]
        if not orphans:
            return []
        with self._database.write() as connection:
            return [row for row in orphans if self._taken(connection, row)]

    def end_abandoned(self, error: Mapping[str, Any]) -> int:
        """End the tasks whose process died while createTask was under way; returns how many there were.

        ``error`` is the error object that they end with: nobody can say whether they were made.
        """
        with self._database.read() as connection:
            rows = connection.execute(_SUBMITTING).fetchall()
        dead = [row["number"] for row in rows if self._is_nobodys(row["owner"])]
        if dead:
            now = self._clock.now()
            with self._database.write() as connection:
                connection.executemany(_GIVE_UP, [(json.dumps(dict(error)), now, now, number) for number in dead])
        return len(dead)

    def half_saved(self) -> list[TaskRow]:
        """List the tasks with a file that somebody began to write and can no longer finish."""
        with self._database.read() as connection:
            rows = connection.execute(_HALF_SAVED).fetchall()
        return [row_from(row) for row in rows if self._claim_is_free(row, "")]

    def claim(self, task_id: str, claimant: str) -> bool:
        """Make ``claimant`` the only one to save this task for ``CLAIM_SECONDS``; false while somebody else is.

        A claimant is named by ``claimant_name``, and may renew. A claim ends when it is released, when its time is
        over, and when its process dies.
        """
        with self._database.write() as connection:
            row = connection.execute(_BY_ID, (task_id,)).fetchone()
            return row is None or self._claimed(connection, row, claimant)

    def journal(self, task_id: str, claimant: str, entry: Mapping[str, Any] | None) -> bool:
        """Renew a claim and note with it what is being written, if anything is.

        False, and nothing is noted, where the claim was lost.
        """
        noted = None if entry is None else json.dumps(entry)
        with self._database.write() as connection:
            row = connection.execute(_BY_ID, (task_id,)).fetchone()
            if row is None or not self._claimed(connection, row, claimant):
                return row is None
            connection.execute("UPDATE tasks SET saving = ? WHERE number = ?", (noted, row["number"]))
            return True

    def release(self, task_id: str, claimant: str) -> None:
        """Give a claim back, if ``claimant`` has it."""
        with self._database.write() as connection:
            connection.execute(_RELEASE, (task_id, claimant))

    def claimant_name(self, of_call: str) -> str:
        """The name of one saving call of this process."""
        return f"{self._presence.id}:{of_call}"

    def _claimed(self, connection: sqlite3.Connection, row: sqlite3.Row, claimant: str) -> bool:
        if not self._claim_is_free(row, claimant):
            return False
        connection.execute(_CLAIM, (claimant, self._clock.now() + CLAIM_SECONDS, row["number"]))
        return True

    def _claim_is_free(self, row: sqlite3.Row, claimant: str) -> bool:
        """Whether ``claimant`` may have it; a claim that ends later than any can is from before the clock went back."""
        holder, left = row["claimed_by"], (row["claimed_until"] or 0.0) - self._clock.now()
        if holder is None or holder == claimant or not 0 < left <= CLAIM_SECONDS:
            return True
        return not self._presence.is_alive(holder.partition(":")[0])

    def _taken(self, connection: sqlite3.Connection, row: TaskRow) -> bool:
        changed = connection.execute(
            "UPDATE tasks SET owner = ? WHERE number = ? AND owner IS ?", (self._presence.id, row.number, row.owner)
        )
        return changed.rowcount == 1

    def _is_nobodys(self, owner: str | None) -> bool:
        return owner is None or not self._presence.is_alive(owner)

    @staticmethod
    def _rows(connection: sqlite3.Connection, query: str, values: Sequence[Any] = ()) -> Iterator[TaskRow]:
        return (row_from(row) for row in connection.execute(query, values).fetchall())
