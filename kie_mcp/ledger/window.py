"""The shared rate window: how many new tasks all who share it may send in a time.

The window is a shared document (``kie_mcp.ledger.slots`` has what is in it). It is not ``pyrate-limiter``: the
buckets there cannot stamp the end of a request, which is what counts when the request may reach Kie as late
as that, nor free what a dead process holds.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from kie_mcp.errors import ConfigError, KieMcpError, RateLimitError
from kie_mcp.ledger.slots import Asked, Slots

if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.clock import Clock
    from kie_mcp.config import Rate
    from kie_mcp.context import CallContext
    from kie_mcp.ledger.documents import Documents

Result = TypeVar("Result")

DOCUMENT = "window"
_LONGEST_SLEEP = 1.0
"""So that places given up ahead in the line are noticed. A slot cannot free unnoticed meanwhile: a ticket that is
settled during the sleep holds its slot for a whole window from then."""
_SHORTEST_SLEEP = 0.01
_ONE_AHEAD = 0.005
"""What it takes, about, until somebody ahead in the queue has taken a slot that is free."""
_ASK_AGAIN_SECONDS = 2.0
"""How often, at most, it is looked whether the holder of a slot still runs."""
_REPAIR_SECONDS = 30.0
"""How long documents that have worked before may fail: a server starts again, another process keeps the file busy."""
_RETRY_SECONDS = 1.0


class RateWindow:
    """At most ``rate.count`` new tasks in any ``rate.seconds``, in all processes that share ``documents``.

    The threads of this process stand in a queue, first come first served; its head stands in a line with the heads
    of the other processes, so that however many wait here, theirs get their turns. ``owner`` is the presence of
    this process; what a process holds for which ``is_alive`` is false is free at once.
    """

    def __init__(
        self,
        documents: Documents,
        rate: Rate,
        clock: Clock,
        *,
        owner: str = "",
        is_alive: Callable[[str], bool] = lambda _owner: True,
    ) -> None:
        self._documents = documents
        self._rate = rate
        self._clock = clock
        self._owner = owner
        self._is_alive = is_alive
        self._place = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._queue: deque[object] = deque()
        self._in_line = False
        self._opens: tuple[float, ...] = ()
        self._asked_after: dict[str, float] = {}
        self._unsettled: set[int] = set()
        self._failing_since: float | None = None

    def acquire(self, context: CallContext, give_up_at: float | None = None) -> int:
        """Wait until a new task may be sent; returns the ticket to ``settle`` once createTask was answered.

        ``give_up_at`` is a deadline on the monotonic clock. Raises ``RateLimitError`` as soon as the wait
        is sure to pass it, and ``CancelledError`` as soon as the call is cancelled. Documents that worked before are
        waited for when they fail, for half a minute at most; then, or where they never worked, ``ConfigError`` is
        raised. Nothing was sent then.
        """
        context.raise_if_cancelled()
        waiter = object()
        with self._lock:
            self._queue.append(waiter)
        try:
            while True:
                with self._lock:
                    context.raise_if_cancelled()  # somebody else's try may have taken long
                    self._require_time(0.0, give_up_at)
                    asked = self._try(waiter, give_up_at)
                if asked.number is not None:
                    return asked.number
                self._require_time(asked.wait, give_up_at)
                context.sleep(min(max(asked.wait, _SHORTEST_SLEEP), _LONGEST_SLEEP))
        except BaseException:
            self._leave(waiter)
            raise

    def settle(self, ticket: int) -> None:
        """Note that createTask was answered (or given up) now: the slot frees one window from here.

        Where the documents cannot be used now (``ConfigError``), it is noted with the next change.
        """
        self._unsettled.add(ticket)
        self._change(lambda _slots: None)

    def slow_down(self, seconds: float) -> None:
        """After a 429: nobody in any process gets a slot for ``seconds``. Never shortens a pause."""
        self._change(lambda slots: slots.slow_down(seconds))

    def _try(self, waiter: object, give_up_at: float | None) -> Asked:
        """Take a slot, or learn how long to wait at least. Only the head of the queue asks the document."""
        ahead = self._queue.index(waiter)
        if ahead:
            return Asked(None, self._opens_for(ahead))
        try:
            waiting = len(self._queue)
            asked = self._ask(waiting)
            self._in_line = asked.number is None or waiting > 1
            self._failing_since = None
        except ConfigError as error:
            self._require_hope(error, give_up_at)
            asked = Asked(None, _RETRY_SECONDS, (_RETRY_SECONDS,))
        now = self._clock.monotonic()
        self._opens = tuple(now + seconds for seconds in asked.opens)
        if asked.number is not None:
            self._queue.popleft()
        return asked

    def _ask(self, waiting: int) -> Asked:
        asked = self._change(lambda slots: slots.ask(self._place, self._owner, waiting=waiting))
        if asked.number is None and self._bury(asked.blocked_by):
            asked = self._change(lambda slots: slots.ask(self._place, self._owner, waiting=waiting))
        return asked

    def _opens_for(self, ahead: int) -> float:
        """In how many seconds, at the earliest, a slot opens for whoever has so many ahead in the queue.

        Where that is past, those ahead are about to take theirs.
        """
        opens = self._opens[min(ahead, len(self._opens) - 1)] - self._clock.monotonic() if self._opens else 0.0
        return max(opens, ahead * _ONE_AHEAD)

    def _bury(self, holders: frozenset[str]) -> bool:
        """Free what the dead among ``holders`` hold; whether there were any."""
        now = self._clock.monotonic()
        fresh = {owner: at for owner, at in self._asked_after.items() if now < at + _ASK_AGAIN_SECONDS}
        due = sorted(holders - fresh.keys())
        self._asked_after = {**fresh, **dict.fromkeys(due, now)}
        dead = [owner for owner in due if not self._is_alive(owner)]
        if dead:
            self._change(lambda slots: slots.bury(dead))
        return bool(dead)

    def _leave(self, waiter: object) -> None:
        """Give the place in the queue to those behind; the last one to leave gives up the place in the line too."""
        with self._lock:
            if waiter in self._queue:
                self._queue.remove(waiter)
            if self._queue or not self._in_line:
                return
            self._in_line = False
        with suppress(KieMcpError):  # the place is given up by itself after a while
            self._change(lambda slots: slots.leave(self._place))

    def _change(self, step: Callable[[Slots], Result]) -> Result:
        """Let ``step`` change the slots, after what is still to be settled."""
        unsettled = tuple(self._unsettled)

        def change(document: dict[str, Any], now: float) -> Result:
            slots = Slots(document, now, self._rate)
            for ticket in unsettled:
                slots.settle(ticket, self._owner)
            return step(slots)

        result = self._documents.change(DOCUMENT, change)
        self._unsettled.difference_update(unsettled)
        return result

    def _require_hope(self, error: ConfigError, give_up_at: float | None) -> None:
        """Raise the error of the documents unless it may pass in time; the first to meet it begins the time."""
        now = self._clock.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        end = min(self._failing_since + _REPAIR_SECONDS, math.inf if give_up_at is None else give_up_at)
        if not self._documents.worked or now + _RETRY_SECONDS > end:
            raise ConfigError(f"{error.message} So nothing was sent.", next_step=error.next_step) from error

    def _require_time(self, wait: float, give_up_at: float | None) -> None:
        if give_up_at is not None and self._clock.monotonic() + wait > give_up_at:
            raise RateLimitError(
                f"The limit of {self._rate.count} new tasks in {self._rate.seconds:g} s (KIE_AI_RATE_LIMIT) leaves "
                "no slot within the time of this call; nothing was sent.",
                retry_after=wait,
            )
