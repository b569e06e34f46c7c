"""The uploads: under which link a picture can be read, so that it is not sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.log import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.ledger.database import Database

LINK_SECONDS = 20 * 3600.0
"""How long a link counts. Kie keeps an upload for at least 24 hours (docs.kie.ai, file upload); the rest is for the
task that reads it."""

_FIND = "SELECT url FROM uploads WHERE sha256 = ? AND host = ? AND uploaded_at > ? AND uploaded_at <= ?"
_REMEMBER = """
INSERT INTO uploads (sha256, host, url, uploaded_at) VALUES (?, ?, ?, ?)
ON CONFLICT (sha256, host) DO UPDATE SET url = excluded.url, uploaded_at = excluded.uploaded_at
"""
_FORGET = "DELETE FROM uploads WHERE sha256 = ? AND host = ? AND url = ?"
_PRUNE = "DELETE FROM uploads WHERE uploaded_at <= ?"


class UploadLedger:
    """Every upload of this user whose link may still work, by the SHA-256 of its bytes and the upload host.

    Links are stored without ``secrets``. All methods raise ``ConfigError`` where the state folder cannot be used.
    """

    def __init__(self, database: Database, clock: Clock, secrets: Sequence[str] = ()) -> None:
        self._database = database
        self._clock = clock
        self._secrets = tuple(secrets)

    def find(self, sha256: str, host: str) -> str | None:
        """The link to a picture of these bytes, if it was uploaded within the last 20 hours."""
        now = self._clock.now()
        with self._database.read() as connection:
            row = connection.execute(_FIND, (sha256, host, now - LINK_SECONDS, now)).fetchone()
        return None if row is None else str(row["url"])

    def remember(self, sha256: str, host: str, url: str) -> None:
        """Note an upload that has just ended; those that no longer count are dropped."""
        now = self._clock.now()
        with self._database.write() as connection:
            connection.execute(_PRUNE, (now - LINK_SECONDS,))
            connection.execute(_REMEMBER, (sha256, host, redact(url, self._secrets), now))

    def forget(self, sha256: str, host: str, url: str) -> None:
        """Drop a link that no longer works, unless another one has taken its place."""
        with self._database.write() as connection:
            connection.execute(_FORGET, (sha256, host, redact(url, self._secrets)))
