"""JSON-RPC 2.0 messages: reading them strictly, and writing answers.

Sources: the JSON-RPC 2.0 specification, section 5.1 for the error codes; MCP, "Base protocol", which
narrows ids to strings and integers and lets the error for an unreadable id go without one.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeGuard

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
UNSUPPORTED_REVISION = -32022

MAX_DEPTH = 128
"""Levels of nesting in one message; real ones have about ten."""


class RpcError(Exception):
    """A protocol error: it answers a request in the place of a result."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Message:
    """A request, or a notification where ``id`` is ``None``. ``params`` is what was sent, or ``{}``."""

    __slots__ = ("id", "method", "params")

    def __init__(self, request_id: str | int | None, method: str, params: Any) -> None:
        self.id = request_id
        self.method = method
        self.params = params


def parse(line: bytes) -> Any:
    """The JSON value of one line.

    Raises ``RpcError`` (-32700) for what is not UTF-8, not JSON, nested too deeply, or has numbers that
    cannot be represented.
    """
    try:
        value = _DECODER.decode(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RpcError(PARSE_ERROR, f"Parse error: {reason[:200]}") from None
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite)
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise RpcError(PARSE_ERROR, f"Parse error: nested more than {MAX_DEPTH} levels deep")


def _children(node: Any) -> Any:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def read(value: Any) -> Message | None:
    """The request or notification in a parsed line; ``None`` for a response, which nobody asked for.

    Raises ``RpcError`` (-32600) for anything else.
    """
    if not isinstance(value, dict):
        raise RpcError(INVALID_REQUEST, "Invalid request: a message is a JSON object.")
    if value.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'Invalid request: "jsonrpc" must be "2.0".')
    if "method" not in value and ("result" in value or "error" in value):
        return None
    if not isinstance(value.get("method"), str):
        raise RpcError(INVALID_REQUEST, 'Invalid request: "method" must be a string.')
    request_id = usable_id(value)
    if request_id is None and "id" in value:
        raise RpcError(INVALID_REQUEST, 'Invalid request: "id" must be a string or an integer.')
    return Message(request_id, value["method"], value.get("params", {}))


def usable_id(value: Any) -> str | int | None:
    """The id of a parsed line, where it has one that may be echoed."""
    request_id = value.get("id") if isinstance(value, dict) else None
    return request_id if is_id(request_id) else None


def is_id(value: Any) -> TypeGuard[str | int]:
    """Whether a value is a request id or a progress token: a string or an integer, 0 and "" included."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def response(request_id: str | int, result: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def failure(request_id: str | int | None, error: RpcError) -> dict[str, Any]:
    """The error answer; ``id`` is left out where none is known, since no schema allows ``null``."""
    shown: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        shown["data"] = error.data
    known = {} if request_id is None else {"id": request_id}
    return {"jsonrpc": "2.0", **known, "error": shown}


def notification(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A message that wants no answer."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def encode(message: Any) -> str:
    """One line, without its newline. Only ASCII, so that lone surrogates cannot break the output."""
    return _ENCODER.encode(message)
