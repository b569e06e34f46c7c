"""The tasks: a row before createTask leaves, the task id as soon as it is known, the files once saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, overload

from kie_mcp.ledger.rows import BY_ID, LARGEST_NUMBER, TaskRow, row_from
from kie_mcp.log import redact

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kie_mcp.clock import Clock
    from kie_mcp.ledger.database import Database

FINISHED = ("success", "fail")
"""Kie's states that a task never leaves."""

_BEGIN = """
INSERT INTO tasks (state, model, prompt, platform, request, output_path, output_format, estimated_credits,
                   created_at, updated_at, owner, account)
VALUES ('submitting', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number
"""
_ADOPT = "INSERT INTO tasks (state, task_id, created_at, updated_at) VALUES ('unknown', ?, ?, ?) RETURNING *"
_ACCEPTED = """
UPDATE tasks SET state = 'submitted', task_id = ?, error = NULL, completed_at = NULL, updated_at = ?
WHERE number = ? AND task_id IS NULL
"""
_OBSERVED = """
UPDATE tasks SET state = ?, image_urls = coalesce(?, image_urls), credits_consumed = coalesce(?, credits_consumed),
                 error = coalesce(?, error), seconds = coalesce(?, seconds), result = coalesce(?, result),
                 completed_at = coalesce(completed_at, ?), updated_at = ?, missing_since = NULL
WHERE number = ?
"""
_RECENT = """
SELECT * FROM tasks
WHERE number < :before
  AND (:status IS NULL OR state = :status
       OR (:status = 'running' AND task_id IS NOT NULL AND state NOT IN ('success', 'fail', 'not_found')))
ORDER BY number DESC LIMIT :limit
"""
_MISSING = """
UPDATE tasks SET missing_since = coalesce(missing_since, :now), updated_at = :now,
                 state = CASE WHEN missing_since <= :since THEN 'not_found' ELSE state END
WHERE task_id = :task_id AND state NOT IN ('success', 'fail')
"""
GONE_SECONDS = 3600.0
"""Between two answers that Kie does not know a task, for it to be gone: longer than any disturbance at Kie's."""
_SECONDS = """
SELECT seconds FROM tasks WHERE model = ? AND state = 'success' AND seconds IS NOT NULL
ORDER BY number DESC LIMIT ?
"""


class TaskLedger:
    """Every task this user has asked for. Every text is stored without ``secrets``.

    A row goes from ``submitting`` to ``submitted`` (accepted), ``refused`` (nothing was made) or
    ``unknown_outcome``; an accepted one follows Kie's states to ``success`` or ``fail`` and stays there, or ends
    as ``not_found``, which it leaves again should Kie know it after all. New rows belong to ``owner``, the
    presence of this process, and to ``account``. All methods raise ``ConfigError`` where the state folder
    cannot be used.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        secrets: Sequence[str] = (),
        *,
        owner: str | None = None,
        account: str | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._secrets = tuple(secrets)
        self._whose = (owner, account)
        self._owed: dict[str, int] = {}

    def begin(
        self,
        *,
        model: str,
        prompt: str,
        platform: str | None = None,
        request: Mapping[str, Any],
        output_path: str | Path | None = None,
        output_format: str | None = None,
        estimated_credits: float | None = None,
    ) -> int:
        """Write a task down before createTask leaves; returns its number.

        ``request`` is the body of createTask, ``output_path`` an absolute folder or file.
        """
        now = self._clock.now()
        where = None if output_path is None else str(output_path)
        texts = (self._text(model), self._text(prompt), self._text(platform), self._json(dict(request)))
        rest = (self._text(where), self._text(output_format), estimated_credits, now, now)
        with self._database.write() as connection:
            (number,) = connection.execute(_BEGIN, (*texts, *rest, *self._whose)).fetchone()
            return int(number)

    def accepted(self, number: int, task_id: str) -> None:
        """Note that Kie has made the task, and the id it gave it; what cannot be written now is with the next poll."""
        self._owed[task_id] = number
        with self._database.write() as connection:
            connection.execute(_ACCEPTED, (self._text(task_id), self._clock.now(), number))
        del self._owed[task_id]

    def refused(self, number: int, error: Mapping[str, Any]) -> None:
        """Note that certainly nothing was made; ``error`` is the error object of the answer."""
        self._end_without_id(number, "refused", error)

    def unknown(self, number: int, error: Mapping[str, Any]) -> None:
        """Note that a task may or may not have been made; ``error`` is the error object of the answer."""
        self._end_without_id(number, "unknown_outcome", error)

    def adopt(self, task_id: str) -> None:
        """Take in a task that was made elsewhere, of which no more than its id is known."""
        with self._database.write() as connection:
            self._known(connection, task_id)

    def observed(
        self,
        task_id: str,
        state: str,
        *,
        image_urls: Sequence[str] = (),
        credits_consumed: float | None = None,
        error: Mapping[str, Any] | None = None,
        seconds: float | None = None,
        result: Any = None,
    ) -> None:
        """Note what a poll shows: ``waiting``, ``queuing``, ``generating``, ``success``, ``fail`` or ``unknown``.

        ``result`` is a structured one. What has ended stays as it ended. A task that is not in the ledger is adopted.
        A poll that shows nothing new writes nothing: polls are more frequent than a slow disk would like.
        """
        urls = self._json(list(image_urls)) if image_urls else None
        failure = None if error is None else self._json(dict(error))
        shown = (state, urls, credits_consumed, failure, seconds, None if result is None else self._json(result))
        with self._database.read() as connection:
            row = connection.execute(BY_ID, (self._text(task_id),)).fetchone()
        if row is not None and _is_old_news(row, shown):
            return
        now = self._clock.now()
        with self._database.write() as connection:
            row = self._known(connection, task_id)
            if not _is_old_news(row, shown):
                ended = now if state in FINISHED else None
                connection.execute(_OBSERVED, (*shown, ended, now, row["number"]))

    def missing(self, task_id: str) -> None:
        """Note that Kie does not know a task. Said again an hour later, the task is taken to be gone for good."""
        now = self._clock.now()
        with self._database.write() as connection:
            connection.execute(_MISSING, {"task_id": self._text(task_id), "now": now, "since": now - GONE_SECONDS})

    def find(self, task_id: str) -> TaskRow | None:
        """Find the task of that id."""
        with self._database.read() as connection:
            row = connection.execute(BY_ID, (self._text(task_id),)).fetchone()
        return None if row is None else row_from(row)

    def recent(self, *, status: str | None = None, limit: int, before: int | None = None) -> list[TaskRow]:
        """List at most ``limit`` tasks, newest first, of numbers below ``before``.

        ``status`` is a state, or ``running``: Kie has the task and it has not ended.
        """
        with self._database.read() as connection:
            asked = {"status": status, "limit": limit, "before": LARGEST_NUMBER if before is None else before}
            return [row_from(row) for row in connection.execute(_RECENT, asked).fetchall()]

    def model_seconds(self, model: str, *, last: int = 50) -> list[float]:
        """List Kie's own times, in seconds, of the ``last`` successful tasks of a model, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(_SECONDS, (self._text(model), last)).fetchall()
        return [float(seconds) for (seconds,) in rows]

    def _end_without_id(self, number: int, state: str, error: Mapping[str, Any]) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            connection.execute(
                "UPDATE tasks SET state = ?, error = ?, completed_at = ?, updated_at = ? WHERE number = ?",
                (state, self._json(dict(error)), now, now, number),
            )

    def _known(self, connection: sqlite3.Connection, task_id: str) -> sqlite3.Row:
        """Find the task of that id, or adopt it."""
        shown, now = self._text(task_id), self._clock.now()
        if task_id in self._owed:
            connection.execute(_ACCEPTED, (shown, now, self._owed[task_id]))
        row: sqlite3.Row = (
            connection.execute(BY_ID, (shown,)).fetchone() or connection.execute(_ADOPT, (shown, now, now)).fetchone()
        )
        return row

    @overload
    def _text(self, value: str) -> str: ...
    @overload
    def _text(self, value: None) -> None: ...
    @overload
    def _text(self, value: str | None) -> str | None: ...
    def _text(self, value: str | None) -> str | None:
        """Make a text fit to be stored: no secrets, and no half characters, which SQLite cannot hold."""
        if value is None:
            return None
        return str(redact(value, self._secrets)).encode("utf-8", "replace").decode()

    def _json(self, value: Any) -> str:
        return json.dumps(redact(value, self._secrets))


def _is_old_news(row: sqlite3.Row, shown: tuple[Any, ...]) -> bool:
    """Whether the row says all this already, or has ended in another way."""
    if row["state"] in FINISHED and row["state"] != shown[0]:
        return True
    names = ("state", "image_urls", "credits_consumed", "error", "seconds", "result")
    return all(value is None or value == row[name] for name, value in zip(names, shown, strict=True))
