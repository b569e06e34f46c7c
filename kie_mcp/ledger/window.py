"""The shared rate window: how many new tasks all processes of this user may send in a time.

The window is a table of tickets in the ledger's database. It is not ``pyrate-limiter``: the SQLite
bucket there cannot stamp the end of a request, which is what counts when the request may reach Kie as late
as that, and its lock serves several processes or several threads, but not both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.errors import RateLimitError

if TYPE_CHECKING:
    import sqlite3

    from kie_mcp.clock import Clock
    from kie_mcp.config import Rate
    from kie_mcp.context import CallContext
    from kie_mcp.ledger.database import Database

_UNSETTLED_SECONDS = 120.0
"""A ticket that nobody settled counts as settled this long after its reservation: its process is gone."""
_LEASE_SECONDS = 10.0
"""How long a waiter keeps its place in the queue without a sign of life."""
_LONGEST_SLEEP = 1.0
"""So that places given up ahead in the queue are noticed. A slot cannot free unnoticed meanwhile: a ticket that is
settled during the sleep holds its slot for a whole window from then."""
_BEHIND_OTHERS = 0.25
_SHORTEST_SLEEP = 0.01

_QUEUE = "INSERT INTO slots (waiting_until) VALUES (?) RETURNING ticket"
_KEEP_PLACE = """
INSERT INTO slots (ticket, waiting_until) VALUES (?, ?)
ON CONFLICT (ticket) DO UPDATE SET waiting_until = excluded.waiting_until
"""
_RESERVE = """
INSERT INTO slots (ticket, reserved_at) VALUES (?, ?)
ON CONFLICT (ticket) DO UPDATE SET waiting_until = NULL, reserved_at = excluded.reserved_at
"""
_AHEAD = "SELECT count(*) FROM slots WHERE ticket < ? AND waiting_until > ? AND waiting_until <= ?"
_TAKEN = "SELECT reserved_at, settled_at FROM slots WHERE reserved_at IS NOT NULL"
_SETTLE = """
INSERT INTO slots (ticket, reserved_at, settled_at) VALUES (:ticket, :now, :now)
ON CONFLICT (ticket) DO UPDATE SET settled_at = excluded.settled_at WHERE settled_at IS NULL
"""
_FORGET = """
DELETE FROM slots
WHERE settled_at < :freed OR (settled_at IS NULL AND coalesce(reserved_at, waiting_until) < :abandoned)
"""
_SLOW_DOWN = """
INSERT INTO pause (id, set_at, until) VALUES (1, ?, ?)
ON CONFLICT (id) DO UPDATE SET set_at = excluded.set_at, until = excluded.until
"""


class RateWindow:
    """At most ``rate.count`` new tasks in any ``rate.seconds``, first come first served, in all processes.

    Times are those of the wall clock, which processes share. Where it jumps back, tickets and pauses from more
    than one window ahead are ignored, so that nothing waits for the clock to catch up.
    """

    def __init__(self, database: Database, rate: Rate, clock: Clock) -> None:
        self._database = database
        self._rate = rate
        self._clock = clock

    def acquire(self, context: CallContext, give_up_at: float | None = None) -> int:
        """Wait until a new task may be sent; returns the ticket to ``settle`` once createTask was answered.

        ``give_up_at`` is a deadline on the monotonic clock. Raises ``RateLimitError`` as soon as the wait
        is sure to pass it, and ``CancelledError`` as soon as the call is cancelled; nothing was sent then.
        """
        context.raise_if_cancelled()
        with self._database.write() as connection:
            (ticket,) = connection.execute(_QUEUE, (self._clock.now() + _LEASE_SECONDS,)).fetchone()
        try:
            while (wait := self._try(ticket)) > 0:
                self._require_time(wait, give_up_at)
                context.sleep(min(max(wait, _SHORTEST_SLEEP), _LONGEST_SLEEP))
        except BaseException:
            self._leave(ticket)
            raise
        return int(ticket)

    def settle(self, ticket: int) -> None:
        """Note that createTask was answered (or given up) now: the slot frees one window from here."""
        with self._database.write() as connection:
            connection.execute(_SETTLE, {"ticket": ticket, "now": self._clock.now()})

    def slow_down(self, seconds: float) -> None:
        """After a 429: nobody in any process gets a slot for ``seconds``. Never shortens a pause."""
        now = self._clock.now()
        with self._database.write() as connection:
            if now + seconds > self._pause_end(connection, now):
                connection.execute(_SLOW_DOWN, (now, now + seconds))

    def _try(self, ticket: int) -> float:
        """Take a slot, and return 0; or keep the place in the queue, and return the seconds to wait at least."""
        with self._database.write() as connection:
            now = self._clock.now()
            wait = self._turn(connection, ticket, now)
            if wait == 0:
                freed = now - self._rate.seconds
                connection.execute(_FORGET, {"freed": freed, "abandoned": freed - _UNSETTLED_SECONDS})
                connection.execute(_RESERVE, (ticket, now))
            else:
                self._keep_place(connection, ticket, now)
            return wait

    def _turn(self, connection: sqlite3.Connection, ticket: int, now: float) -> float:
        """Tell in how many seconds, at the earliest, it is this ticket's turn; 0 when it is now."""
        pause_end = self._pause_end(connection, now)
        if pause_end > now:
            return pause_end - now
        (ahead,) = connection.execute(_AHEAD, (ticket, now, now + _LEASE_SECONDS)).fetchone()
        frees = self._freeing_times(connection, now)
        must_free = len(frees) + int(ahead) + 1 - self._rate.count
        if must_free <= 0:
            return 0.0
        if not frees:  # only waiters are in the way, and they are about to take their slots
            return _BEHIND_OTHERS
        return sorted(frees)[min(must_free, len(frees)) - 1] - now

    def _freeing_times(self, connection: sqlite3.Connection, now: float) -> list[float]:
        """List when each taken slot frees at the earliest: an unsettled one may be settled right now."""
        times: list[float] = []
        for reserved_at, settled_at in connection.execute(_TAKEN):
            answered = min(now, reserved_at + _UNSETTLED_SECONDS) if settled_at is None else settled_at
            stamped = reserved_at if settled_at is None else settled_at
            frees = answered + self._rate.seconds
            if frees > now and stamped <= now + self._rate.seconds:
                times.append(frees)
        return times

    def _pause_end(self, connection: sqlite3.Connection, now: float) -> float:
        """Tell when the pause ends; a time not after ``now`` where there is none."""
        row = connection.execute("SELECT set_at, until FROM pause").fetchone()
        if row is None or row["set_at"] > now + self._rate.seconds:
            return now
        return float(row["until"])

    def _keep_place(self, connection: sqlite3.Connection, ticket: int, now: float) -> None:
        """Renew the lease in its second half only: every renewal is a write to the disk."""
        row = connection.execute("SELECT waiting_until FROM slots WHERE ticket = ?", (ticket,)).fetchone()
        if row is None or not _LEASE_SECONDS / 2 < row["waiting_until"] - now <= _LEASE_SECONDS:
            connection.execute(_KEEP_PLACE, (ticket, now + _LEASE_SECONDS))

    def _leave(self, ticket: int) -> None:
        """Give the place in the queue to those behind."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM slots WHERE ticket = ?", (ticket,))

    def _require_time(self, wait: float, give_up_at: float | None) -> None:
        if give_up_at is not None and self._clock.monotonic() + wait > give_up_at:
            raise RateLimitError(
                f"The limit of {self._rate.count} new tasks in {self._rate.seconds:g} s (KIE_AI_RATE_LIMIT) leaves "
                "no slot within the time of this call; nothing was sent.",
                retry_after=wait,
            )
