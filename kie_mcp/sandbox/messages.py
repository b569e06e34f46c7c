"""Requests and answers, without sockets: what the server reads and writes, and the logic decides."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import BufferedIOBase

CHUNK = 65536
MAX_JSON_BYTES = 64 * 1024 * 1024
"""A JSON body larger than this is refused: base64 uploads are meant for files up to 10 MB."""

UNAUTHORIZED = (
    "Unauthorized – Authentication failed. "  # noqa: RUF001 - the dash of Kie's own message
    "Please check that your Authorization and Content-Type headers are correctly set."
)
UNKNOWN_MODEL = (
    "The model name you specified is not supported. "
    "Please verify your input and use one of the supported models provided by KIE."
)
TOO_FREQUENT = "Your call frequency is too high. Please try again later."


class Body:
    """A request's body, read in pieces; ``length`` in bytes, or ``chunked`` transfer coding (RFC 9112, 7.1)."""

    def __init__(self, stream: BufferedIOBase, length: int = 0, *, chunked: bool = False) -> None:
        self._stream = stream
        self._left = 0 if chunked else length
        self._chunked = chunked
        self._ended = not chunked

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes; empty at the end. Raises ``ConnectionError`` where the body breaks off."""
        if not self._left and not self._ended:
            self._begin_chunk()
        if not self._left:
            return b""
        data = self._stream.read(min(size, self._left))
        if not data:
            raise ConnectionError("the request's body broke off")
        self._left -= len(data)
        if self._chunked and not self._left:
            self._stream.readline()
        return data

    def _begin_chunk(self) -> None:
        try:
            self._left = int(self._stream.readline().split(b";")[0], 16)
        except ValueError as error:
            raise ConnectionError("the request's body is not chunked as announced") from error
        if self._left == 0:
            self._ended = True
            while self._stream.readline().strip():
                pass

    def read_all(self, limit: int = MAX_JSON_BYTES) -> bytes:
        """The whole rest. Raises ``ValueError`` where it is longer than ``limit`` bytes."""
        pieces = []
        total = 0
        while piece := self.read():
            total += len(piece)
            if total > limit:
                raise ValueError(f"the body is longer than {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    def drain(self) -> None:
        """Read and forget the rest, so that the connection can carry the next request."""
        while self.read():
            pass


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``path`` is as sent, without the query; header names are lower-case."""

    method: str
    path: str
    body: Body
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Path and query as one text, for faults that match on it."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.path}?{query}" if query else self.path

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object; ``None`` where it is anything else."""
        try:
            value = json.loads(self.body.read_all())
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. ``length`` is the announced Content-Length; ``None`` means until the connection closes.

    ``delay`` seconds pass before it is sent, ``pause`` seconds after each piece of its body. ``dropped`` means
    that the connection is closed instead.
    """

    status: int = 200
    media_type: str = "application/json"
    body: Iterable[bytes] = ()
    length: int | None = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    pause: float = 0.0
    dropped: bool = False


def content(data: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that carries ``data`` and says how long it is."""
    return Answer(status, media_type, (data,), len(data), headers or {})


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON; Kie sends text beyond ASCII as it is."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return content(data, "application/json", status, headers)


def success(data: Any) -> Answer:
    """Kie's envelope around an answer (code 200)."""
    return json_answer({"code": 200, "msg": "success", "data": data})


def failure(code: int, message: str, *, data: bool = True) -> Answer:
    """Kie's envelope around an error, on HTTP 200; some have no ``data`` key at all."""
    return json_answer({"code": code, "msg": message, **({"data": None} if data else {})})


def page(status: int, title: str) -> Answer:
    """A page of HTML, as gateways in front of the API send it."""
    html = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return content(html.encode(), "text/html; charset=utf-8", status)
