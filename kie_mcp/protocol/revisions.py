"""The revisions of the protocol, and everything in which they differ, as data.

Source: the official schemas and change logs of modelcontextprotocol.io, one page per revision. No other
module compares revision names.
"""

from __future__ import annotations

_EVERYWHERE = frozenset(
    {
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "prompts/list",
        "prompts/get",
        "completion/complete",
    }
)
_HANDSHAKE_METHODS = _EVERYWHERE | {"initialize", "ping", "logging/setLevel"}
_STATELESS_METHODS = _EVERYWHERE | {"server/discover"}

CACHE = {
    "server/discover": (300_000, "public"),
    "tools/list": (300_000, "public"),
    "resources/templates/list": (300_000, "public"),
    "prompts/list": (300_000, "public"),
    "resources/list": (0, "private"),
    "resources/read": (0, "private"),
}
"""How long (milliseconds) and for whom a result keeps: what is the same for everybody changes only when another version
is installed; what is made from this user's pictures may change at once. Told where there is no handshake."""


class Revision:
    """One revision, by its name (a date), and what it has.

    ``stateless``: no handshake; each request names its revision in ``_meta``, and results say what they
    are (``resultType``), who answers (``serverInfo``) and how long they keep (``ttlMs``, ``cacheScope``).
    ``titles``: tools, prompts, resources and the server have a ``title``, resources a ``lastModified``.
    ``annotations``: tools have hints. ``structured``: tools have an ``outputSchema``, results ``structuredContent``
    and resource links. ``batches``: a line may hold an array of messages. ``progress_messages``: progress carries a
    text. ``completions``: there is a capability of that name. ``no_resource``: the code of the error for a resource
    that is not there.
    """

    __slots__ = (
        "annotations",
        "batches",
        "completions",
        "methods",
        "name",
        "no_resource",
        "progress_messages",
        "stateless",
        "structured",
        "titles",
    )

    def __init__(  # noqa: PLR0913 - what a revision has, each by its name
        self,
        name: str,
        *,
        stateless: bool = False,
        titles: bool = True,
        annotations: bool = True,
        structured: bool = True,
        batches: bool = False,
        progress_messages: bool = True,
        completions: bool = True,
    ) -> None:
        self.name = name
        self.stateless = stateless
        self.titles = titles
        self.annotations = annotations
        self.structured = structured
        self.batches = batches
        self.progress_messages = progress_messages
        self.completions = completions
        self.methods = _STATELESS_METHODS if stateless else _HANDSHAKE_METHODS
        self.no_resource = -32602 if stateless else -32002


REVISIONS = (
    Revision("2026-07-28", stateless=True),
    Revision("2025-11-25"),
    Revision("2025-06-18"),
    Revision("2025-03-26", titles=False, structured=False, batches=True),
    Revision(
        "2024-11-05", titles=False, annotations=False, structured=False, progress_messages=False, completions=False
    ),
)
"""Newest first, as ``server/discover`` and the error for an unknown revision list them."""

NAMES = tuple(revision.name for revision in REVISIONS)
HANDSHAKE = {revision.name: revision for revision in REVISIONS if not revision.stateless}
STATELESS = {revision.name: revision for revision in REVISIONS if revision.stateless}
LATEST_HANDSHAKE = next(iter(HANDSHAKE.values()))


def negotiated(requested: object) -> Revision:
    """The revision that ``initialize`` settles on: what was asked for, or else the latest with a handshake."""
    return HANDSHAKE.get(requested, LATEST_HANDSHAKE) if isinstance(requested, str) else LATEST_HANDSHAKE
