"""Which revision a request is made in, decided per request.

A request whose ``params._meta`` names a revision belongs to the stateless era; any other to the era of
the handshake. Source: MCP 2026-07-28, "Per-request protocol fields" and "Version negotiation".
"""

from __future__ import annotations

from kie_mcp.protocol.messages import INVALID_PARAMS, METHOD_NOT_FOUND, UNSUPPORTED_REVISION, RpcError
from kie_mcp.protocol.revisions import NAMES, STATELESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.revisions import Revision

_REVISION = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
_CLIENT = "io.modelcontextprotocol/clientInfo"
_LONGEST_NAME = 200


def revision_of(request: Message, negotiated: Revision) -> Revision:
    """The revision that a request is answered in; its method is known there.

    Raises ``RpcError``: -32602 for params, ``_meta`` or an envelope that cannot be used, -32022 for an
    unknown revision, -32601 for a method that the revision or this server does not have.
    """
    meta = meta_of(request)
    revision = _named(meta[_REVISION]) if _REVISION in meta else negotiated
    if request.method not in revision.methods:
        # A long one is not cut short: of a part of the key, nobody could tell that it is one.
        told = f": {request.method}" if len(request.method) <= _LONGEST_NAME else ", nor has any so long a name."
        raise RpcError(METHOD_NOT_FOUND, f"Method not found{told}")
    if revision.stateless and not isinstance(meta.get(_CAPABILITIES), dict):
        raise RpcError(INVALID_PARAMS, f"params._meta must carry {_CAPABILITIES}, an object.")
    return revision


def meta_of(request: Message) -> dict[str, Any]:
    """The request's ``_meta``, ``{}`` where it has none or null. Raises ``RpcError`` (-32602)."""
    if not isinstance(request.params, dict):
        raise RpcError(INVALID_PARAMS, "params must be an object.")
    meta = request.params.get("_meta")
    if meta is None:
        return {}
    if not isinstance(meta, dict):
        raise RpcError(INVALID_PARAMS, "params._meta must be an object.")
    return meta


def client_of(request: Message, revision: Revision, introduced: str | None) -> str | None:
    """What the client calls itself: in the request where there is no handshake, else as it was ``introduced`` in it."""
    return client_name(meta_of(request).get(_CLIENT)) if revision.stateless else introduced


def client_name(info: Any) -> str | None:
    """The name in a ``clientInfo``; ``None`` where there is none that can be used."""
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else None


def _named(name: Any) -> Revision:
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, f"params._meta: {_REVISION} must be a string.")
    if name not in STATELESS:
        requested = name if len(name) <= _LONGEST_NAME else "(a longer name than any revision has)"
        data = {"supported": list(NAMES), "requested": requested}
        raise RpcError(UNSUPPORTED_REVISION, "Unsupported protocol version", data)
    return STATELESS[name]
