"""Slowing down after "too many requests": somebody with the same key does not share the window.

Kie rejects what is too much and tells nothing of who else sends. So, as networks do it (RFC 5681): the rate falls at
once and rises slowly, and after a refusal one request goes ahead to see whether there is room; after each that is
accepted twice as many may be under way.

Simulated, two batches of 100 that do not know of each other at 20 new tasks in 10 s: begun at once, 80 requests are
rejected where pauses alone have 175, begun a second apart 40 instead of 103; no item is rejected more than three
times instead of five; both take up to a tenth longer. Beside a stranger who takes half or more of the rate 5 of 105
are rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kie_mcp.config import Rate

_FALL = 0.7
"""What is left of the rate after a refusal; refusals within half a window are one."""
_RISE = 0.2
"""Of the full rate, in each window without a refusal."""
_FEELING_WINDOWS = 2
"""For so long after the last refusal it matters how many requests are under way."""


class Brake:
    """``brake`` of the window's document: ``[last refusal, requests that may be under way, rate, since]``.

    The rate is the count of new tasks in a window that was left over ``since`` it fell last.
    """

    def __init__(self, document: dict[str, Any], now: float, rate: Rate) -> None:
        self._document = document
        self._now = now
        self._rate = rate
        refused_at, _, _, since = document.get("brake") or (0.0, 0, 0, 0.0)
        latest = max(refused_at, since)
        if latest > now + rate.seconds or (
            latest + _FEELING_WINDOWS * rate.seconds <= now and self.count == rate.count
        ):
            document.pop("brake", None)

    @property
    def count(self) -> int:
        """How many new tasks a window may have now."""
        if "brake" not in self._document:
            return self._rate.count
        _, _, left, since = self._document["brake"]
        risen = left + _RISE * self._rate.count * max(0.0, self._now - since) / self._rate.seconds
        return min(self._rate.count, max(1, int(risen)))

    def holds(self, reserved_at: list[float]) -> bool:
        """Whether another request has to wait for those under way, which were reserved at these times."""
        if "brake" not in self._document:
            return False
        refused_at, allowed, _, _ = self._document["brake"]
        feeling = self._now < refused_at + _FEELING_WINDOWS * self._rate.seconds
        return bool(feeling and sum(at > refused_at for at in reserved_at) >= allowed)

    def refused(self) -> None:
        """Kie said "too many requests"."""
        _, _, left, since = self._document.get("brake") or (0, 0, self._rate.count, float("-inf"))
        if self._now - since >= self._rate.seconds / 2:
            left, since = max(1, int(_FALL * self.count)), self._now
        self._document["brake"] = [self._now, 1, left, since]

    def answered(self, reserved_at: float) -> None:
        """A request was answered; one that went out after the last refusal was accepted, or else it was refused."""
        brake = self._document.get("brake")
        if brake and reserved_at > brake[0]:
            brake[1] = min(2 * brake[1], self._rate.count)
