"""``notifications/message``: what the log says, for clients that have asked for it. Source: MCP, "Logging"."""

from __future__ import annotations

from kie_mcp.protocol.eras import meta_of
from kie_mcp.protocol.messages import INVALID_PARAMS, RpcError, notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.revisions import Revision

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""From the least to the gravest (RFC 5424, 6.2.1)."""

_LEVEL = "io.modelcontextprotocol/logLevel"
_LOGGER = "kie-mcp"


def level_of(value: Any, name: str) -> str:
    """A level by its name; raises ``RpcError`` (-32602) for anything else in ``name``."""
    if value not in LEVELS:
        raise RpcError(INVALID_PARAMS, f"{name} must be one of {', '.join(LEVELS)}.")
    return str(value)


def requested_level(request: Message, revision: Revision) -> str | None:
    """The level that a request without a handshake asks for itself. Raises ``RpcError`` (-32602)."""
    meta = meta_of(request)
    if not revision.stateless or _LEVEL not in meta:
        return None
    return level_of(meta[_LEVEL], f"params._meta: {_LEVEL}")


def teller(send: Callable[[dict[str, Any]], None]) -> Callable[[str, str], None]:
    """What sends a notification for a level and a text."""

    def tell(level: str, text: str) -> None:
        send(notification("notifications/message", {"level": level, "logger": _LOGGER, "data": text}))

    return tell
