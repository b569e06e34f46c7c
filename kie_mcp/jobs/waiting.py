"""When to poll a task, and the turn-taking of all polls of a user's processes.

Source of the numbers: docs.kie.ai asks for at most 10 recordInfo requests a second per key, polls of
2-3 s at first and fewer later.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import KieMcpError, RateLimitError
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.context import CallContext
    from kie_mcp.ledger.documents import Documents

DOCUMENT = "polls"

YOUNG_SECONDS = 120.0
POLLS_PER_SECOND = 9.0
"""Below the 10 that are allowed: requests do not all take the same time to arrive."""
_FEWEST_LESSONS = 3
_EARLY = 0.1
"""The part of earlier tasks that were done before the time from which on a task is expected to be done."""
_ROUNDING = 0.5
"""Kie tells times in whole seconds."""
_EXPECTED_STEPS = 25
_UNKNOWN_STEPS = 16
_END_OF_YOUTH = 1.1 * YOUNG_SECONDS
"""A task that succeeds when it is no longer young is noticed within a tenth of its time, so by here at the latest."""
_SPARE_SECONDS = 0.3
"""A backlog of polls up to this is none."""
_YIELDING = 4.0
_SOON = 0.1
"""Of the time between two turns."""
_ALONE_SECONDS = 10.0
_FARTHEST_SECONDS = 5.0
"""As far ahead as 45 processes reserve together."""


def next_delay(waited: float, interval: float, learned: Sequence[float] = (), backlog: float = 0.0) -> float:
    """Seconds from a poll to the next one, ``waited`` being the seconds from submission to the former (0: the first).

    At most ``interval`` in the first two minutes, later a tenth of the time already waited. ``learned`` are earlier
    times of the same model: a task that may be done is asked in steps of a part of its time, so that whoever waits
    for it loses 2 to 3 % on average; one that was never done so soon is asked as seldom as that allows. With a
    ``backlog`` of polls (seconds until everybody has had a turn) the latter yield at most one turn to the former.
    """
    longest = waited / 10 if waited >= YOUNG_SECONDS else min(interval, _END_OF_YOUTH - waited)
    if len(learned) < _FEWEST_LESSONS:
        return min(longest, max(interval / 4, waited / _UNKNOWN_STEPS))
    until_expected = sorted(learned)[int(_EARLY * len(learned))] - _ROUNDING - waited
    if until_expected > 0:
        return min(until_expected, longest + min(backlog, _YIELDING * max(0.0, backlog - _SPARE_SECONDS)))
    return min(longest, max(interval / 8, waited / _EXPECTED_STEPS))


class NoTurnError(RateLimitError):
    """So many tasks are waited for that this poll did not have its turn in time."""


class PollGate:
    """At most ``per_second`` polls of all tasks of all processes that share ``documents``.

    In this process they come in the order in which they were asked for: a task that polls again goes to the end of the
    queue, so that too few turns are shared out evenly. The head of the queue reserves the next free moment for the
    process; who leaves the queue leaves it to those behind. A process that dies costs one turn. A process that is late,
    because the system is busy, polls once in the time between two turns all the same. Where the documents cannot be
    used, this process keeps the rate alone: a poll too many does no harm.
    """

    def __init__(self, clock: Clock, documents: Documents | None = None, per_second: float = POLLS_PER_SECOND) -> None:
        self._clock = clock
        self._documents = documents
        self._spacing = 1 / per_second
        self._lock = threading.Lock()
        self._queue: deque[object] = deque()
        self._turn: float | None = None
        self._next = self._alone_until = float("-inf")
        self._gap = self._spacing

    def wait_turn(self, context: CallContext) -> None:
        """Wait for this poll's turn.

        Raises ``NoTurnError`` where it has not come by the context's deadline, and ``CancelledError`` as soon as the
        call is cancelled.
        """
        place = object()
        with self._lock:
            self._queue.append(place)
        try:
            while (wait := self._until_turn(place)) > 0:
                left = context.remaining()
                if not left:
                    raise NoTurnError("So many tasks are waited for that this one could not be asked for in time.")
                context.sleep(min(wait, left))
        except BaseException:
            self._leave(place)
            raise

    def backlog(self) -> float:
        """In how many seconds it would be the turn of a poll that came now, at the earliest."""
        with self._lock:
            return max(0.0, self._first() + len(self._queue) * self._gap - self._clock.monotonic())

    def _until_turn(self, place: object) -> float:
        """Take the turn, and return 0; or return the seconds to wait before asking again.

        The head of the queue, and nobody else, reserves a moment; without the lock, so that others can leave meanwhile.
        """
        with self._lock:
            now, ahead, turn = self._clock.monotonic(), self._queue.index(place), self._turn
            if ahead:
                return max(self._first() + (ahead - 1) * self._gap - now, _SOON * self._spacing)
        if turn is None:
            wait = self._reserve(now)
            turn = self._clock.monotonic() + wait
        with self._lock:
            now = self._clock.monotonic()
            if now < turn:
                if self._turn is None:
                    self._turn, self._gap = turn, max(self._spacing, turn - now)
                return turn - now
            self._queue.popleft()
            self._turn, self._next = None, now + self._spacing
            return 0.0

    def _leave(self, place: object) -> None:
        with self._lock:
            self._queue.remove(place)
            if not self._queue:
                self._turn = None

    def _first(self) -> float:
        """When the head of the queue has its turn, as far as that is known."""
        return self._next if self._turn is None else self._turn

    def _reserve(self, now: float) -> float:
        """Reserve the next free moment, for everybody where that can be done; in how many seconds it is."""
        own = max(0.0, self._next - now)
        if self._documents is not None and now >= self._alone_until:
            try:
                return self._documents.change(
                    DOCUMENT, lambda document, now: _take_next(document, now, own, self._spacing)
                )
            except KieMcpError as error:
                self._alone_until = now + _ALONE_SECONDS
                logger().warning("polls do not take turns with other processes for now: %s", error.message)
        return own


def _take_next(document: dict[str, Any], now: float, own: float, spacing: float) -> float:
    """Take the next moment that is free, in ``own`` seconds or later; in how many seconds it is.

    ``next`` of the document is when that is; one from far ahead is from before the clock began anew.
    """
    free = document.get("next", now)
    turn = max(now + own, free if free <= now + _FARTHEST_SECONDS else now)
    document["next"] = turn + spacing
    return float(turn - now)
