"""When to poll a task, and the turn-taking of all polls of this process.

Source of the numbers: docs.kie.ai asks for at most 10 recordInfo requests a second per key, polls of
2-3 s at first and fewer later.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.clock import Clock
    from kie_mcp.context import CallContext

YOUNG_SECONDS = 120.0
POLLS_PER_SECOND = 10.0
_FEWEST_LESSONS = 3


def first_delay(interval: float, learned: Sequence[float]) -> float:
    """Seconds from submission to the first poll.

    ``learned`` are earlier times of the same model. Success is noticed within ``interval`` in any case; a
    model known to take longer is not asked before that, an unknown or quick one is asked sooner.
    """
    if len(learned) < _FEWEST_LESSONS:
        return interval / 3
    return min(interval, max(interval / 10, 0.9 * min(learned)))


def next_delay(waited: float, interval: float) -> float:
    """Seconds to the next poll of a task that has been waited for ``waited`` seconds.

    At most ``interval`` in the first two minutes, later a tenth of the time already waited.
    """
    if waited >= YOUNG_SECONDS:
        return waited / 10
    growing = max(interval / 3, waited / 4)
    return min(interval, growing, YOUNG_SECONDS * 1.1 - waited)


class PollGate:
    """At most ``per_second`` polls of all tasks of this process, in the order in which they came.

    A task that polls again goes to the end of the queue, so that too few turns are shared out evenly.
    """

    def __init__(self, clock: Clock, per_second: float = POLLS_PER_SECOND) -> None:
        self._clock = clock
        self._spacing = 1 / per_second
        self._lock = threading.Lock()
        self._next = 0.0

    def wait_turn(self, context: CallContext) -> None:
        """Wait for this poll's turn; raises ``CancelledError`` as soon as the call is cancelled."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._spacing
        if turn > now:
            context.sleep(turn - now)
