"""What is in the document of the rate window, and its arithmetic.

``slots`` are tickets: ``[number, owner, reserved at, settled at or null]``. ``line`` are the processes that wait:
``[place, owner, until]``. ``pause`` and ``brake`` are there after Kie said "too many requests".
All times are seconds of the clock that everyone who shares the document has in common. Where it begins anew, as after
a restart of the machine, what is more than one window ahead is ignored, so that nothing waits for it to catch up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.ledger.brake import Brake

if TYPE_CHECKING:
    from collections.abc import Container

    from kie_mcp.config import Rate

UNSETTLED_SECONDS = 120.0
"""A ticket that nobody settled counts as settled this long after its reservation: most likely its process is gone, on
another machine, where that cannot be seen. It may also be slow: a ticket stands for all requests of one createTask,
which is sent again where it was certainly not accepted. Once settled after all, the ticket counts from then."""
LEASE_SECONDS = 10.0
"""How long a waiting process keeps its place in the line without a sign of life."""
_BEHIND_OTHERS = 0.25


@dataclass(frozen=True)
class Asked:
    """The answer to who asks for a slot: the ``number`` of the ticket, or seconds to ``wait`` at least.

    ``opens`` are the seconds until slots open for this one and those that wait behind it, ``blocked_by`` the other
    processes that hold what it waits for and might be gone.
    """

    number: int | None
    wait: float
    opens: tuple[float, ...] = ()
    blocked_by: frozenset[str] = frozenset()


class Slots:
    """The document at one moment, ``now``; every method changes it in place."""

    def __init__(self, document: dict[str, Any], now: float, rate: Rate) -> None:
        self._document = document
        self._now = now
        self._rate = rate
        self._brake = Brake(document, now, rate)
        self._taken: list[list[Any]] = document.setdefault("slots", [])
        self._line: list[list[Any]] = document.setdefault("line", [])

    def ask(self, place: str, owner: str, *, waiting: int) -> Asked:
        """Take a slot if it is this process's turn; else keep its place in the line.

        ``waiting`` of this process wait, this one among them; after a slot the others stand at the end of the line.
        """
        self._forget()
        ahead = self._ahead(place)
        opens = self._opens(len(ahead), waiting)
        if opens[0] > 0:
            self._keep_place(place, owner)
            holders = [slot[1] for slot in self._taken if slot[3] is None] + [entry[1] for entry in ahead]
            return Asked(None, opens[0], opens, frozenset(holders) - {owner})
        self.leave(place)
        number = self._document["last"] = self._document.get("last", 0) + 1
        self._taken.append([number, owner, self._now, None])
        if waiting > 1:
            self._keep_place(place, owner)
        return Asked(number, 0.0, opens[1:])

    def settle(self, number: int, owner: str) -> None:
        """Stamp a ticket, once; one that was forgotten counts from now."""
        for slot in self._taken:
            if slot[:2] == [number, owner]:  # numbers begin anew where the document was lost
                slot[3] = self._now if slot[3] is None else slot[3]
                return
        self._taken.append([number, owner, self._now, self._now])

    def bury(self, owners: Container[str]) -> None:
        """Settle what the processes hold that are gone, and let nobody wait behind them."""
        for slot in self._taken:
            if slot[3] is None and slot[1] in owners:
                slot[3] = self._now
        self._line[:] = [entry for entry in self._line if entry[1] not in owners]

    def leave(self, place: str) -> None:
        """Give up the place in the line."""
        self._line[:] = [entry for entry in self._line if entry[0] != place]

    def slow_down(self, seconds: float) -> None:
        """Let nobody take a slot for so long, and brake. Never shortens a pause."""
        self._brake.refused()
        if self._now + seconds > self._pause_end():
            self._document["pause"] = [self._now, self._now + seconds]

    def _opens(self, ahead: int, waiting: int) -> tuple[float, ...]:
        """In how many seconds, at the earliest, slots open for those who stand behind so many ``ahead`` in the line.

        0 is now. An unsettled ticket may be settled right now, and frees one window later.
        """
        pause = max(0.0, self._pause_end() - self._now)
        frees = sorted(self._answered(slot) + self._rate.seconds - self._now for slot in self._taken)
        free = self._brake.count - len(frees)

        def opens(place: int) -> float:
            if place < free:
                return 0.0
            if place - free < len(frees):
                return frees[place - free]
            return max([*frees[-1:], _BEHIND_OTHERS])  # more wait than there are slots, and are about to take them

        places = range(ahead, max(ahead + 1, min(ahead + waiting, self._brake.count)))
        return tuple(max(pause, opens(place)) for place in places)

    def _answered(self, slot: list[Any]) -> float:
        _number, _owner, reserved, settled = slot
        return float(min(self._now, reserved + UNSETTLED_SECONDS) if settled is None else settled)

    def _ahead(self, place: str) -> list[list[Any]]:
        """The places in the line before this one; all, where it does not stand there yet."""
        places = [entry[0] for entry in self._line]
        return self._line[: places.index(place)] if place in places else self._line

    def _keep_place(self, place: str, owner: str) -> None:
        """Stand in the line; the lease is renewed in its second half only: every renewal is a write."""
        mine = next((entry for entry in self._line if entry[0] == place), None)
        if mine is None:
            self._line.append([place, owner, self._now + LEASE_SECONDS])
        elif mine[2] - self._now <= LEASE_SECONDS / 2:
            mine[2] = self._now + LEASE_SECONDS

    def _forget(self) -> None:
        """Drop what no longer counts."""
        now, window = self._now, self._rate.seconds
        self._taken[:] = [
            slot
            for slot in self._taken
            if self._answered(slot) + window > now and (slot[2] if slot[3] is None else slot[3]) <= now + window
        ]
        self._line[:] = [entry for entry in self._line if now < entry[2] <= now + LEASE_SECONDS]

    def _pause_end(self) -> float:
        """When the pause ends; a time not after ``now`` where there is none."""
        set_at, until = self._document.get("pause") or (self._now, self._now)
        return float(self._now if set_at > self._now + self._rate.seconds else until)
