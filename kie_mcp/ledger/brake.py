"""Slowing down after "too many requests": somebody with the same key does not share the window.

Kie rejects what is too much and tells nothing of who else sends. So, as networks do it (RFC 5681), the rate falls at
once and rises slowly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kie_mcp.config import Rate

_FALL = 0.7
"""What is left of the rate after a refusal; refusals within half a window are one."""
_RISE = 0.2
"""Of the full rate, in each window without a refusal."""


class Brake:
    """``brake`` of the window's document: ``[left, since]``, the new tasks of a window left over when that fell last.

    It is forgotten once the rate is the full one again, and where it is from before the clock began anew.
    """

    def __init__(self, document: dict[str, Any], now: float, rate: Rate) -> None:
        self._document = document
        self._now = now
        self._rate = rate
        _, since = document.get("brake") or (0, now)
        if since > now + rate.seconds or self.count == rate.count:
            document.pop("brake", None)

    @property
    def count(self) -> int:
        """How many new tasks a window may have now."""
        left, since = self._document.get("brake") or (self._rate.count, self._now)
        risen = left + _RISE * self._rate.count * max(0.0, self._now - since) / self._rate.seconds
        return min(self._rate.count, max(1, int(risen)))

    def refused(self) -> None:
        """Kie said "too many requests"."""
        _, since = self._document.get("brake") or (0, float("-inf"))
        if self._now - since >= self._rate.seconds / 2:
            self._document["brake"] = [max(1, int(_FALL * self.count)), self._now]
