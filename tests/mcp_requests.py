"""What a client has sent, as far as the answers depend on it."""

from __future__ import annotations

import json

from mcp_definitions import HANDSHAKE, LATEST, LEVELS, STATELESS

MOST_LINE_BYTES = 16 * 1024 * 1024
MOST_DEPTH = 128
_REVISION = "io.modelcontextprotocol/protocolVersion"
_LEVEL = "io.modelcontextprotocol/logLevel"


class Handshake:
    """An ``initialize``: the revision that it settles on; if it is refused, that of the handshake before it."""

    def __init__(self, requested=LATEST, previous=None):
        self.refused = False
        self._requested = requested if requested in HANDSHAKE else LATEST
        self._previous = previous

    @property
    def revision(self):
        return self._previous.revision if self.refused else self._requested


class Request:
    """A request, or what has an id and is none; ``handshake``: the last one, which it ``begins`` itself or not.

    ``batch`` has all requests of the array that it came in.
    """

    def __init__(self, value, handshake, batch, *, begins):
        params = _object(value.get("params"))
        meta = _object(params.get("_meta"))
        token, level = meta.get("progressToken"), meta.get(_LEVEL)
        self.id = value["id"]
        self.is_valid = is_message(value)
        self.method = value.get("method")
        self.tool = params["name"] if isinstance(params.get("name"), str) else None
        self.handshake = handshake
        self.begins = begins
        self.stateless = _REVISION in meta
        self.token = key(token) if is_id(token) else None
        self.level = level if self.stateless and level in LEVELS else None
        self.batch = batch
        self.progress = float("-inf")
        self.answered = False
        self.cancelled = False

    @property
    def revision(self):
        return STATELESS if self.stateless else self.handshake.revision

    @property
    def may_be_answered(self):
        """A request of an array may have been answered before it was cancelled, and the array not be sent yet."""
        return not self.cancelled or self.batch is not None

    @property
    def waits(self):
        return not self.answered and not self.cancelled


def is_message(value):
    """A request or a notification."""
    return isinstance(value, dict) and value.get("jsonrpc") == "2.0" and isinstance(value.get("method"), str)


def is_response(value):
    has = isinstance(value, dict) and value.get("jsonrpc") == "2.0" and "method" not in value
    return has and ("result" in value or "error" in value)


def with_handshake(value):
    """The params of a request that belongs to the era of the handshake; ``None`` for any other."""
    params = value.get("params", {})
    meta = params.get("_meta", {}) if isinstance(params, dict) else None
    return params if is_message(value) and isinstance(meta, dict) and _REVISION not in meta else None


def is_id(value):
    return isinstance(value, str | int) and not isinstance(value, bool)


def key(request_id):
    """An id or a token as it is told apart: 1 and "1" are two."""
    return json.dumps(request_id)


def read(line):
    """The value of a line; ``None``, which is no message either, for one that the server need not read."""
    try:
        value = json.loads(line.decode("utf-8-sig"), parse_constant=refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if len(line.rstrip(b"\n")) <= MOST_LINE_BYTES and _fits(value) else None


def refuse(name):
    raise ValueError(f"{name} is no JSON")


def _finite(text):
    number = float(text)
    return refuse(text) if abs(number) == float("inf") else number


def _fits(value):
    """Whether a value is not nested too deeply."""
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [child for node in level for child in _children(node)]
    return not level


def _children(node):
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _object(value):
    return value if isinstance(value, dict) else {}
