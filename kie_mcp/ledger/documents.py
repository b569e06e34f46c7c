"""Small JSON documents that all processes of a user share: the state of the rate window and of the polls' turns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kie_mcp.ledger.database import Database, Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kie_mcp.clock import Clock
    from kie_mcp.config import Config

Result = TypeVar("Result")

_TABLE = "CREATE TABLE documents (name TEXT PRIMARY KEY, text TEXT NOT NULL)"
_WINDOW = Kind("rate window", ((_TABLE,),), durable=False, busy_seconds=5.0)
"""Without fsync: after a loss of power everything in it is out of date, and a file that is damaged by one is set aside
like any other. When only the process dies, the system still has what was written."""
_BUSY_MILLISECONDS = 500
"""How long a change waits for another process's, once the file is open: a call may be cancelled meanwhile."""
_PUT = "INSERT INTO documents (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text"


class Documents(Protocol):
    """Documents by their names, each changed by one process at a time. Safe for many threads.

    ``worked``: they could be used before in this process, so that what is wrong with them may pass.
    """

    worked: bool

    def change(self, name: str, step: Callable[[dict[str, Any], float], Result]) -> Result:
        """Let ``step`` read and change a document; returns what it returns.

        ``step`` gets the document (empty where there is none) and the time in seconds, of a clock that all who
        share the document have in common, whatever it counts from. It may be called more than once, so it must do
        nothing else. What it changed is there for everyone when this returns; what it did not change is not
        written. Raises ``ConfigError`` where the documents cannot be used; nothing was changed then.
        """

    def close(self) -> None:
        """Let go of the file or the connection; the object is of no use afterwards."""


class SqliteDocuments:
    """Documents for the processes of this machine, in an SQLite file of their own.

    The clock is the monotonic one: all processes of a machine have it in common (docs.python.org, ``time.monotonic``),
    and it does not jump when somebody sets the time. It begins anew when the machine does. Raises ``ConfigError``
    where the file cannot be used.
    """

    worked = True  # it was opened

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._database = Database(path, clock, _WINDOW)
        with self._database.read() as connection:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")

    def change(self, name: str, step: Callable[[dict[str, Any], float], Result]) -> Result:
        """As ``Documents`` says."""
        with self._database.write() as connection:
            row = connection.execute("SELECT text FROM documents WHERE name = ?", (name,)).fetchone()
            result, text = apply(step, row["text"] if row else None, self._clock.monotonic())
            if text is not None:
                connection.execute(_PUT, (name, text))
        return result

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def apply(
    step: Callable[[dict[str, Any], float], Result], text: str | bytes | None, now: float
) -> tuple[Result, str | None]:
    """Let ``step`` change the document of that text; its result, and the new text or ``None`` where it is the same."""
    document = _read(text)
    before = _written(document)
    result = step(document, now)
    after = _written(document)
    return result, None if after == before else after


def open_documents(config: Config, clock: Clock) -> Documents:
    """The documents that the settings name: in the state folder, or where ``KIE_AI_RATE_LIMIT_URL`` points.

    Raises ``ConfigError`` where the state folder cannot be used, or what the URL needs is not installed.
    """
    if config.rate_limit_url is None:
        return SqliteDocuments(config.state_file("window", "sqlite3"), clock)
    from kie_mcp.ledger.redis_documents import RedisDocuments

    return RedisDocuments(config.rate_limit_url, config.account_mark(), clock)


def _read(text: str | bytes | None) -> dict[str, Any]:
    """The document of a text; what is none counts as empty."""
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
