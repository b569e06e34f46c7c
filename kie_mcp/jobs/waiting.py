"""When to poll a task, and the turn-taking of all polls of this process.

Source of the numbers: docs.kie.ai asks for at most 10 recordInfo requests a second per key, polls of
2-3 s at first and fewer later.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.context import CallContext

YOUNG_SECONDS = 120.0
POLLS_PER_SECOND = 9.0
"""Below the 10 that are allowed: requests do not all take the same time to arrive."""
_FEWEST_LESSONS = 3
_END_OF_YOUTH = 1.1 * YOUNG_SECONDS
"""A task that succeeds when it is no longer young is noticed within a tenth of its time, so by here at the latest."""
_SOON = 0.1


def first_delay(interval: float, learned: Sequence[float]) -> float:
    """Seconds from submission to the first poll.

    ``learned`` are earlier times of the same model. Success is noticed within ``interval`` in any case; a
    model known to take longer is not asked before that, an unknown or quick one is asked sooner.
    """
    if len(learned) < _FEWEST_LESSONS:
        return min(interval / 3, _END_OF_YOUTH)
    return min(interval, max(interval / 10, 0.9 * min(learned)), _END_OF_YOUTH)


def next_delay(waited: float, interval: float) -> float:
    """Seconds from a poll to the next one, ``waited`` being the seconds waited before the former.

    At most ``interval`` in the first two minutes, later a tenth of the time already waited.
    """
    if waited >= YOUNG_SECONDS:
        return waited / 10
    growing = max(interval / 3, waited / 4)
    return min(interval, growing, _END_OF_YOUTH - waited)


class PollGate:
    """At most ``per_second`` polls of all tasks of this process, in the order in which they came.

    A task that polls again goes to the end of the queue, so that too few turns are shared out evenly. Who
    leaves the queue leaves no gap in it.
    """

    def __init__(self, clock: Clock, per_second: float = POLLS_PER_SECOND) -> None:
        self._clock = clock
        self._spacing = 1 / per_second
        self._lock = threading.Lock()
        self._queue: deque[object] = deque()
        self._next = float("-inf")

    def wait_turn(self, context: CallContext) -> None:
        """Wait for this poll's turn; raises ``CancelledError`` as soon as the call is cancelled."""
        place = object()
        with self._lock:
            self._queue.append(place)
        try:
            while (wait := self._until_turn(place)) > 0:
                context.sleep(wait)
        except BaseException:
            with self._lock:
                self._queue.remove(place)
            raise

    def backlog(self) -> float:
        """In how many seconds it would be the turn of a poll that came now, at the earliest."""
        with self._lock:
            return max(0.0, self._next + len(self._queue) * self._spacing - self._clock.monotonic())

    def _until_turn(self, place: object) -> float:
        """Take the turn, and return 0; or return the seconds to wait before asking again."""
        with self._lock:
            now, ahead = self._clock.monotonic(), self._queue.index(place)
            if ahead == 0 and now >= self._next:
                self._queue.popleft()
                self._next = now + self._spacing
                return 0.0
            return max(self._next + ahead * self._spacing - now, _SOON * self._spacing)
