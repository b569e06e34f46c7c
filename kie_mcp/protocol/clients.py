"""How long a call may take, going by the client that waits for it. Loaded with the first call.

A client gives up on a call after a time of its own, and what comes later is lost on it. So a call hands its task back
a little earlier. Clients are known by the name that they give themselves, and nothing but this wait depends on it: MCP
2026-07-28 advises against more (schema, ``RequestMetaObject``).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_SHARE = 0.1
_LEAST_SECONDS = 5.0
_MOST_SHARE = 0.5
"""The margin between a call's end and its client's time-out: a share of that, of some seconds at least, as a poll
under way ends and the answer travels, and of half of it at most."""


class Clients:
    """The clients of a table such as ``schemas/clients.json``; any other is taken to wait as long as it takes."""

    def __init__(self, table: Sequence[Mapping[str, Any]]) -> None:
        self._table = table

    def call_seconds(self, name: str | None, *, hears_progress: bool) -> float:
        """After how many seconds a call of this client hands its task back; infinite where the client waits on.

        ``hears_progress``: the call sends notifications of progress, for which some clients wait on.
        """
        for client in self._table:
            if name is not None and name.lower().startswith(tuple(client["names"])):
                waits_on = client["call_seconds"] is None or (client["reset_by_progress"] and hears_progress)
                return float("inf") if waits_on else _earlier(client["call_seconds"])
        return float("inf")


def _earlier(seconds: float) -> float:
    return seconds - min(max(_SHARE * seconds, _LEAST_SECONDS), _MOST_SHARE * seconds)
