"""Who looks after a task: its owner while a call waits for it, and whoever is saving its pictures.

A task belongs to the process that made it, as long as that lives; it looks after the tasks that none of its calls waits
for, too. Those of a dead process are nobody's, and can be taken over.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.ledger.rows import BY_ID, row_from
from kie_mcp.ledger.schema import UNSAVED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.ledger.database import Database
    from kie_mcp.ledger.presence import Presence
    from kie_mcp.ledger.rows import SavedFile, TaskRow

CLAIM_SECONDS = 120.0
"""How long the claim of a process lasts that still runs but gives no sign of life."""

_UNSAVED = f"SELECT * FROM tasks WHERE {UNSAVED} ORDER BY number DESC"  # noqa: S608 - constants of this program
_HALF_SAVED = "SELECT * FROM tasks WHERE saving IS NOT NULL ORDER BY number"
_SUBMITTING = "SELECT number, owner, created_at FROM tasks WHERE state = 'submitting'"
_GIVE_UP = """
UPDATE tasks SET state = 'unknown_outcome', error = ?, completed_at = ?, updated_at = ?
WHERE number = ? AND state = 'submitting'
"""
_LONGEST_CREATION = 3600.0
"""Seconds: a version that writes down no owner has its createTask answered or given up by then."""
_CLAIM = "UPDATE tasks SET claimed_by = ?, claimed_until = ? WHERE number = ?"
_RELEASE = "UPDATE tasks SET claimed_by = NULL, claimed_until = NULL WHERE task_id = ? AND claimed_by = ?"


@dataclass(frozen=True)
class Unsaved:
    """The tasks with something left to fetch, newest first; ``elsewhere`` is how many were made with another key."""

    tasks: tuple[TaskRow, ...]
    elsewhere: int


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

    def unsaved(self) -> Unsaved:
        """List what is running, or has succeeded and lacks files.

        A task of which no more than its id is known, since it was made elsewhere, is fetched only when it is named.
        """
        with self._database.read() as connection:
            rows = [row_from(row) for row in connection.execute(_UNSAVED).fetchall()]
        here = tuple(row for row in rows if row.account in (None, self._account))
        return Unsaved(here, len(rows) - len(here))

    def take_over(self, since: float) -> list[TaskRow]:
        """Take the unsaved tasks made after ``since`` (epoch) that are nobody's; this process looks after them now."""
        orphans = [row for row in self.unsaved().tasks if row.created_at > since and self._is_nobodys(row.owner)]
        if not orphans:
            return []
        with self._database.write() as connection:
            return [row for row in orphans if self._taken(connection, row)]

    def is_mine(self, row: TaskRow) -> bool:
        """Whether this process looks after a task."""
        return row.owner == self._presence.id

    def is_submitting(self) -> bool:
        """Whether a createTask of this process is under way."""
        with self._database.read() as connection:
            return any(row["owner"] == self._presence.id for row in connection.execute(_SUBMITTING))

    def end_abandoned(self, error: Mapping[str, Any]) -> int:
        """End the tasks whose process died while createTask was under way; returns how many there were.

        ``error`` is the error object that they end with: nobody can say whether they were made.
        """
        with self._database.read() as connection:
            rows = connection.execute(_SUBMITTING).fetchall()
        now = self._clock.now()
        dead = [
            row["number"]
            for row in rows
            if self._is_nobodys(row["owner"]) and (row["owner"] or row["created_at"] < now - _LONGEST_CREATION)
        ]
        if dead:
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

        A claimant is named by ``claimant_name``. A claim ends when it is released, when its time is over and somebody
        else wants it, and when its process dies. The task is one of the ledger.
        """
        with self._database.write() as connection:
            row = connection.execute(BY_ID, (task_id,)).fetchone()
            if row is None or not self._claim_is_free(row, claimant):
                return False
            connection.execute(_CLAIM, (claimant, self._until(), row["number"]))
            return True

    def renew(self, task_id: str, claimant: str) -> bool:
        """Let a claim last ``CLAIM_SECONDS`` from now on; false where it was lost."""
        return self._under_claim("claimed_by = claimed_by", (), task_id, claimant)

    def journal(self, task_id: str, claimant: str, entry: Mapping[str, Any] | None) -> bool:
        """Renew a claim and note with it what is being written, if anything is; false where it was lost."""
        noted = None if entry is None else json.dumps(entry)
        return self._under_claim("saving = ?", (noted,), task_id, claimant)

    def saved(self, task_id: str, claimant: str, files: Sequence[SavedFile]) -> bool:
        """Note the files of a task, in the order of its outputs, and that none is being written any more.

        False, and nothing is noted, where the claim was lost.
        """
        described = json.dumps([asdict(file) for file in files])  # paths are kept as they are
        change = "files = ?, saving = NULL, updated_at = ?"
        return self._under_claim(change, (described, self._clock.now()), task_id, claimant)

    def release(self, task_id: str, claimant: str) -> None:
        """Give a claim back, if ``claimant`` has it."""
        with self._database.write() as connection:
            connection.execute(_RELEASE, (task_id, claimant))

    def claimant_name(self, of_call: str) -> str:
        """The name of one saving call of this process."""
        return f"{self._presence.id}:{of_call}"

    def _under_claim(self, change: str, values: tuple[Any, ...], task_id: str, claimant: str) -> bool:
        """Change a row whose claim ``claimant`` still has, and renew that."""
        query = f"UPDATE tasks SET {change}, claimed_until = ? WHERE task_id = ? AND claimed_by = ?"  # noqa: S608 - as above
        with self._database.write() as connection:
            return connection.execute(query, (*values, self._until(), task_id, claimant)).rowcount == 1

    def _until(self) -> float:
        return self._clock.now() + CLAIM_SECONDS

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
