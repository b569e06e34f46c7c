"""What the ledger holds, to be looked at: a connection of its own, without all that making pictures needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kie_mcp.ledger.database import LEDGER, Database
from kie_mcp.ledger.gallery import Gallery
from kie_mcp.ledger.tasks import TaskLedger

if TYPE_CHECKING:
    from pathlib import Path

    from kie_mcp.clock import Clock


class Records:
    """The ``tasks`` and the ``gallery`` of a ledger. Nobody who writes keeps whoever looks here waiting.

    The schema is brought up to date. What cannot be read stays where it is: others may have it open and write into it,
    and nobody who only looks may move it away. Raises ``ConfigError`` for it, and where the state folder is of no use.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._database = Database(path, clock, replace(LEDGER, begins_afresh=False))
        self.tasks = TaskLedger(self._database, clock)
        self.gallery = Gallery(self._database)

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        self._database.close()
