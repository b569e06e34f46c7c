"""Who is still there: each process holds a lock that the system frees when it dies, however it dies.

The lock is SQLite's own on an empty file in the state folder, so it works wherever the ledger does, and between two
of them in one process too.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from typing import TYPE_CHECKING

from kie_mcp.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = ".alive"
_BUSY_SECONDS = 5.0


class Presence:
    """The presence of this process, and whether others that share ``folder`` still run. Safe for many threads.

    ``id`` is a name that nobody else has. Raises ``ConfigError`` where the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.id, self._lock = self._enter()
            self._sweep()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"The state folder {folder} cannot be used: {error}.",
                next_step="Make it writable and free some disk, or set KIE_AI_STATE_DIR to another folder.",
            ) from error

    def is_alive(self, presence_id: str) -> bool:
        """Whether the process of that id still runs; what a dead one has left here is removed."""
        path = self._path(presence_id)
        if presence_id == self.id:
            return True
        if not path.exists():
            return False
        with closing(_connected(path, timeout=0.0)) as connection:
            try:
                _take(connection)
            except sqlite3.OperationalError:
                return True
            except sqlite3.DatabaseError:
                pass  # whatever this is, no process holds it
            removed = _remove(path)  # while the lock is held, so that nobody can be about to take it
        if not removed:
            _remove(path)  # Windows removes no file that is open, for others neither
        return False

    def close(self) -> None:
        """Leave; the object is of no use afterwards."""
        removed = _remove(self._path(self.id))
        self._lock.close()
        if not removed:
            _remove(self._path(self.id))

    def _enter(self) -> tuple[str, sqlite3.Connection]:
        """Take the lock of a file of a new name. One that was swept away before it was locked counts for nothing."""
        while True:
            name = uuid.uuid4().hex
            path = self._path(name)
            lock = _connected(path, timeout=_BUSY_SECONDS)
            try:
                _take(lock)
            except sqlite3.Error:
                if path.exists():
                    lock.close()
                    raise
            if path.exists():
                return name, lock
            lock.close()

    def _sweep(self) -> None:
        """Remove what dead processes have left."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            self.is_alive(path.name.removesuffix(_SUFFIX))

    def _path(self, presence_id: str) -> Path:
        return self._folder / f"{presence_id}{_SUFFIX}"


def _connected(path: Path, *, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _take(connection: sqlite3.Connection) -> None:
    """Take the lock; raises ``sqlite3.OperationalError`` where somebody else has it."""
    connection.execute("PRAGMA journal_mode=OFF")  # nothing is written, so there need be no file beside this one
    connection.execute("BEGIN EXCLUSIVE")
