"""The results of batches that are too long for one answer, so that they can be read page by page."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from kie_mcp.log import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.ledger.database import Database

KEPT_SECONDS = 30 * 86400.0
"""The tasks and their files stay in the ledger for ever."""

_PRUNE = "DELETE FROM batch_results WHERE stored_at <= ?"
_STORE = "INSERT INTO batch_results (batch, item, entry, stored_at) VALUES (?, ?, ?, ?)"
_FIND = "SELECT entry FROM batch_results WHERE batch = ? AND item = ?"


class BatchResults:
    """One entry for each item of a batch, in order, stored without ``secrets``.

    What an answer has told by itself need not be stored. ``new_name`` makes the names of the batches, which are
    hexadecimal. All methods raise ``ConfigError`` where the state folder cannot be used.
    """

    def __init__(
        self, database: Database, clock: Clock, new_name: Callable[[], str], secrets: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_name = new_name
        self._secrets = tuple(secrets)

    def store(self, entries: Sequence[Mapping[str, Any]], first: int = 0, patience: float = math.inf) -> str:
        """Keep the entries of a batch from item ``first`` on for 30 days; returns its name.

        Those that are older are dropped. Other writers are waited for no longer than ``patience`` seconds.
        """
        now, batch = self._clock.now(), self._new_name()
        rows = [(batch, item, self._json(entry), now) for item, entry in enumerate(entries, start=first)]
        with self._database.write(patience) as connection:
            connection.execute(_PRUNE, (now - KEPT_SECONDS,))
            connection.executemany(_STORE, rows)
        return batch

    def entries(self, batch: str, first: int) -> Iterator[dict[str, Any]]:
        """The entries from item ``first`` on, each read when it is asked for; none where there is no such batch."""
        item = first
        while (entry := self._entry(batch, item)) is not None:
            yield entry
            item += 1

    def _entry(self, batch: str, item: int) -> dict[str, Any] | None:
        with self._database.read() as connection:
            row = connection.execute(_FIND, (batch, item)).fetchone()
        if row is None:
            return None
        entry: dict[str, Any] = json.loads(row["entry"])
        return entry

    def _json(self, entry: Mapping[str, Any]) -> str:
        return json.dumps(redact(dict(entry), self._secrets))
