"""An SQLite file of the state folder, shared by every process of this user.

Rules for several processes at once: write-ahead logging, a time-out rather than an error while another
process writes, and one opener at a time. What cannot be read is set aside, never deleted.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.clock import Clock
from kie_mcp.errors import ConfigError
from kie_mcp.ledger.schema import MIGRATIONS
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CACHE_KIB = 256
"""What a connection keeps in memory. Of SQLite's usual 2 MB a server that runs for days would fill every one."""
_PRIMARY_CODE = 0xFF
"""The lower byte of an extended result code is the primary one (sqlite.org/rescode.html)."""


@dataclass(frozen=True)
class Kind:
    """What a file is for: its name in messages, its schema as steps, how it is written.

    ``durable``: what was written outlives a loss of power. ``busy_seconds`` is how long a writer waits for
    another one. ``begins_afresh``: what cannot be read is set aside, for a new file in its place; else it is an error.
    """

    name: str
    migrations: tuple[tuple[str, ...], ...]
    durable: bool = True
    busy_seconds: float = 30.0
    begins_afresh: bool = True


LEDGER = Kind("task ledger", MIGRATIONS)


class Database:
    """One connection and its lock; several objects and processes may have the same file open.

    ``notice`` says what was set aside on opening, if anything was. Raises ``ConfigError`` where the state
    folder cannot be used, on opening and later. All methods may be used from any thread.
    """

    def __init__(self, path: Path, clock: Clock | None = None, kind: Kind = LEDGER) -> None:
        self.path = path
        self._kind = kind
        self.notice: str | None = None
        self._clock = clock or Clock()
        self._lock = threading.RLock()
        with self._our_errors():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _one_opener(path, kind.busy_seconds):
                self._connection = self._open()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection, for statements that change nothing."""
        with self._lock, self._our_errors():
            yield self._connection

    @contextmanager
    def write(self, patience: float = math.inf) -> Iterator[sqlite3.Connection]:
        """Lend the connection for one transaction: on disk when the block ends, undone when it raises.

        For whoever writes at the time it waits ``patience`` seconds where that is less than ``busy_seconds``: once for
        the threads of this process, once for other processes.
        """
        with self._our_errors(), self._turn(patience):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    @contextmanager
    def _turn(self, patience: float) -> Iterator[None]:
        """Hold the lock; within, SQLite waits for other processes no longer than ``patience`` seconds."""
        longest = self._kind.busy_seconds
        if patience >= longest:
            with self._lock:
                yield
            return
        if not self._lock.acquire(timeout=patience):
            raise sqlite3.OperationalError("another thread is writing")
        try:
            self._connection.execute(f"PRAGMA busy_timeout={patience * 1000:.0f}")
            try:
                yield
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={longest * 1000:.0f}")
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._lock:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        """Open a sound file of this version's schema, whatever was there before."""
        try:
            connection = _connect(self.path, self._kind)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE not in _DAMAGE:
                raise
            return self._start_afresh("damaged", f"is damaged ({error})")
        version = _version(connection)
        if version > len(self._kind.migrations):
            connection.close()
            return self._start_afresh("newer", f"was written by a newer kie-mcp (schema {version})")
        try:
            _migrate(connection, version, self._kind.migrations)
        except BaseException:
            connection.close()
            raise
        return connection

    def _start_afresh(self, label: str, what: str) -> sqlite3.Connection:
        if not self._kind.begins_afresh:
            raise ConfigError(
                f"The {self._kind.name} {self.path} {what}.",
                next_step="The next call of a tool that needs it keeps it under another name and begins a new one.",
            )
        kept = self._set_aside(label)
        self.notice = f"The {self._kind.name} {self.path} {what}. It was kept as {kept}, and a new one was begun."
        logger().warning(self.notice)
        return self._open()

    def _set_aside(self, label: str) -> Path:
        """Rename the file, and the parts of it that SQLite keeps beside it, to a name that is free."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._clock.now()))
        kept = self.path.with_name(f"{self.path.name}.{label}-{stamp}")
        count = 1
        while kept.exists():
            count += 1
            kept = self.path.with_name(f"{self.path.name}.{label}-{stamp}-{count}")
        for suffix in ("-wal", "-shm", ""):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(kept.with_name(kept.name + suffix))
        return kept

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        """Turn a full disk, a missing permission or a damaged file into an error that names the setting."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # mistakes of this program, not of the place
        except (sqlite3.DatabaseError, OSError) as error:
            raise ConfigError(
                f"The {self._kind.name} {self.path} cannot be used: {error}.",
                next_step="Make its folder writable and free some disk, or set KIE_AI_STATE_DIR to another folder.",
            ) from error


@contextmanager
def _one_opener(path: Path, patience: float) -> Iterator[None]:
    """Let one process at a time look at the file, set it aside and create it.

    The lock is that of an SQLite file of its own, which stays empty: it works wherever SQLite does, and
    the system frees it when a process dies.
    """
    guard = sqlite3.connect(path.with_name(path.name + ".lock"), timeout=patience, isolation_level=None)
    with closing(guard):
        guard.execute("BEGIN EXCLUSIVE")
        yield


def _connect(path: Path, kind: Kind) -> sqlite3.Connection:
    """Open a file that passes SQLite's own check; a new one is for this user only."""
    if not os.access(path, os.R_OK | os.W_OK):  # missing, or opening it says why it cannot be used
        # Only then: closing a file drops the locks that other connections of this process have on it, and another
        # process would take the write-ahead log away under them (sqlite.org/howtocorrupt.html, 2.2).
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=kind.busy_seconds, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if kind.durable else 'OFF'}")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            damage = sqlite3.DatabaseError(verdict)
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection, version: int, migrations: tuple[tuple[str, ...], ...]) -> None:
    """Bring the schema from ``version`` to this program's, one transaction a step."""
    for number, statements in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
