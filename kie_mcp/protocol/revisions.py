"""The revisions of the protocol, and everything in which they differ, as data.

Source: the official schemas and change logs of modelcontextprotocol.io, one page per revision. No other
module compares revision names.
"""

from __future__ import annotations

_HANDSHAKE_METHODS = frozenset({"initialize", "ping", "tools/list", "tools/call"})
_STATELESS_METHODS = frozenset({"server/discover", "tools/list", "tools/call"})


class Revision:
    """One revision, by its name (a date), and what it has.

    ``stateless``: no handshake; each request names its revision in ``_meta``, and results say what they
    are (``resultType``), who answers (``serverInfo``) and how long they keep (``ttlMs``, ``cacheScope``).
    ``titles``: tools and the server have a ``title``. ``annotations``: tools have hints.
    ``structured``: tools have an ``outputSchema``, results ``structuredContent`` and resource links.
    ``batches``: a line may hold an array of messages. ``progress_messages``: progress carries a text.
    """

    __slots__ = (
        "annotations",
        "batches",
        "methods",
        "name",
        "progress_messages",
        "stateless",
        "structured",
        "titles",
    )

    def __init__(
        self,
        name: str,
        *,
        stateless: bool = False,
        titles: bool = True,
        annotations: bool = True,
        structured: bool = True,
        batches: bool = False,
        progress_messages: bool = True,
    ) -> None:
        self.name = name
        self.stateless = stateless
        self.titles = titles
        self.annotations = annotations
        self.structured = structured
        self.batches = batches
        self.progress_messages = progress_messages
        self.methods = _STATELESS_METHODS if stateless else _HANDSHAKE_METHODS


REVISIONS = (
    Revision("2026-07-28", stateless=True),
    Revision("2025-11-25"),
    Revision("2025-06-18"),
    Revision("2025-03-26", titles=False, structured=False, batches=True),
    Revision("2024-11-05", titles=False, annotations=False, structured=False, progress_messages=False),
)
"""Newest first, as ``server/discover`` and the error for an unknown revision list them."""

NAMES = tuple(revision.name for revision in REVISIONS)
HANDSHAKE = {revision.name: revision for revision in REVISIONS if not revision.stateless}
STATELESS = {revision.name: revision for revision in REVISIONS if revision.stateless}
LATEST_HANDSHAKE = next(iter(HANDSHAKE.values()))


def negotiated(requested: object) -> Revision:
    """The revision that ``initialize`` settles on: what was asked for, or else the latest with a handshake."""
    return HANDSHAKE.get(requested, LATEST_HANDSHAKE) if isinstance(requested, str) else LATEST_HANDSHAKE
