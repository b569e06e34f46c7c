"""Result files, the links to them, and how links die."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kie_mcp.sandbox.drawing import PictureKey
from kie_mcp.sandbox.drawing.png import padded
from kie_mcp.sandbox.messages import Answer, content, failure, page, success

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kie_mcp.clock import Clock
    from kie_mcp.sandbox.drawing import Gallery
    from kie_mcp.sandbox.faults import Fault
    from kie_mcp.sandbox.messages import Request
    from kie_mcp.sandbox.options import SandboxOptions
    from kie_mcp.sandbox.state import State
    from kie_mcp.sandbox.tasks import Task

PREFIX = "/files/"
_GZIP = 16 + zlib.MAX_WBITS
"""Of zlib: a header of gzip."""


@dataclass(frozen=True)
class _Picture:
    """One result file: its task and which of the task's pictures it is."""

    task: Task
    index: int

    @property
    def media_type(self) -> str:
        return self.task.shape.media_type(self.index)


class Downloads:
    """Serves result files. ``secret`` signs renewed links; ``origin`` is where everything is served."""

    def __init__(
        self, options: SandboxOptions, state: State, gallery: Gallery, clock: Clock, origin: str, secret: bytes
    ) -> None:
        self._options = options
        self._state = state
        self._gallery = gallery
        self._clock = clock
        self._origin = origin
        self._secret = secret

    def renew(self, url: object) -> Answer:
        """common/download-url: a signed link to any URL of this place, whether there is a file or not."""
        text = url if isinstance(url, str) else ""
        if not text.startswith((f"{self._origin}{PREFIX}", f"{self._origin}/kieai/")):
            return failure(422, "url is wrong")
        path = urlsplit(text).path
        until = int((self._clock.now() + self._options.link_seconds) * 1000)
        return success(f"{self._origin}{path}?until={until}&sign={self._sign(path, until)}")

    def _sign(self, path: str, until: int) -> str:
        return hmac.new(self._secret, f"{path} {until}".encode(), hashlib.sha256).hexdigest()[:32]

    def task_text(self, path: str) -> str:
        """What a fault's ``match`` looks at besides the URL."""
        picture = self._find(path)
        return picture.task.text() if picture else ""

    def _find(self, path: str) -> _Picture | None:
        """The picture of a path, once its task has succeeded."""
        name = path.removeprefix(PREFIX)
        found = re.match(r"([0-9a-f]{32})-\d+\.", name)
        task = self._state.task(found[1]) if found else None
        if task is None or name not in task.file_names or task.state(self._clock.monotonic()) != "success":
            return None
        return _Picture(task, task.file_names.index(name))

    def get(self, request: Request, fault: Fault | None = None) -> Answer:
        """A result file; ``fault`` is one of those that only downloads have."""
        picture = self._find(request.path)
        if picture is None:
            return page(404, "404 Not Found")
        if not self._alive(picture.task, request.path, request.query):
            return _dead()
        if fault is not None and fault.kind in _NO_PICTURE:
            return _NO_PICTURE[fault.kind](fault)
        if request.method == "GET":
            self._state.count("downloads")
        if fault is not None:
            return self._disturbed(picture, fault)
        return content(self._gallery.file(self._key(picture)), picture.media_type)

    def media_type_at(self, path: str, query: Mapping[str, str]) -> str | None:
        """The media type of the result file under a link; ``None`` where there is none, or the link is dead."""
        picture = self._find(path)
        return picture.media_type if picture and self._alive(picture.task, path, query) else None

    def _alive(self, task: Task, path: str, query: Mapping[str, str]) -> bool:
        if "sign" not in query:
            return self._clock.monotonic() - task.ended < self._options.link_seconds
        until = query.get("until", "")
        if not re.fullmatch(r"[0-9]{1,16}", until):
            return False
        right = self._sign(path, int(until))
        return hmac.compare_digest(right, query["sign"]) and self._clock.now() * 1000 < int(until)

    def _key(self, picture: _Picture, *, jpeg: bool | None = None) -> PictureKey:
        task = picture.task
        shape = task.shape
        return PictureKey(
            prompt=task.prompt,
            model=task.model,
            index=picture.index,
            seed=f"{self._options.seed}/{task.input.get('seed', '')}",
            width=shape.width,
            height=shape.height,
            jpeg=shape.is_jpeg(picture.index) if jpeg is None else jpeg,
        )

    def _disturbed(self, picture: _Picture, fault: Fault) -> Answer:
        media_type = picture.media_type
        if fault.kind == "jpeg":
            return content(self._gallery.file(self._key(picture, jpeg=True)), media_type)
        if fault.kind == "truncate":
            data = self._gallery.file(self._key(picture))
            return Answer(200, media_type, (data[: len(data) // 2],), len(data))
        if fault.kind in _MISSENT:
            return _MISSENT[fault.kind](self._gallery.file(self._key(picture)), media_type, fault)
        png = self._gallery.file(self._key(picture, jpeg=False))
        if fault.kind == "gzip_bomb":
            packed = _packed(padded(png, max(fault.detail["bytes"], len(png) + 12)))
            return Answer(200, "image/png", packed, None, {"Content-Encoding": "gzip"})
        size = max(fault.detail["bytes"], len(png) + 12)
        return Answer(200, "image/png", padded(png, size), size if fault.detail["declared"] else None)


def _dead() -> Answer:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
    )
    return content(text.encode(), "application/xml", 403)


def _not_picture() -> Answer:
    body = b"<!DOCTYPE html>\n<html><head><title>Expired</title></head><body>This file has expired.</body></html>\n"
    return content(body, "image/png")


_NO_PICTURE: Mapping[str, Callable[[Fault], Answer]] = {
    "dead": lambda _: _dead(),
    "not_picture": lambda _: _not_picture(),
    "redirect": lambda fault: Answer(302, headers={"Location": fault.detail["location"]}),
}


def _dripping(data: bytes, media_type: str, fault: Fault) -> Answer:
    pieces = (data[at : at + 1] for at in range(len(data)))
    return Answer(200, media_type, pieces, len(data), pause=fault.detail["seconds"])


def _wrong_length(data: bytes, media_type: str, fault: Fault) -> Answer:
    says = {"half": str(len(data) // 2), "double": str(2 * len(data))}
    length = says.get(fault.detail["says"], fault.detail["says"])
    return Answer(200, media_type, (data,), None, {"Content-Length": length})


def _with_trailers(data: bytes, media_type: str, fault: Fault) -> Answer:
    """In chunks, of which the last has no end (RFC 9112, 7.1.2)."""
    pieces = itertools.chain((b"%x\r\n%b\r\n0\r\n" % (len(data), data),), itertools.repeat(b"X-More: yes\r\n"))
    return Answer(200, media_type, pieces, None, {"Transfer-Encoding": "chunked"}, pause=fault.detail["seconds"])


_MISSENT: Mapping[str, Callable[[bytes, str, Fault], Answer]] = {
    "drip": _dripping,
    "wrong_length": _wrong_length,
    "trailers": _with_trailers,
}


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces in one gzip stream, made while it is read."""
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
