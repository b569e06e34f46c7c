"""The three uploads, and the links under which uploaded files are served."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from kie_mcp.sandbox.drawing import PictureKey
from kie_mcp.sandbox.messages import CHUNK, Answer, json_answer, page
from kie_mcp.sandbox.multipart import boundary_of, parts
from kie_mcp.sandbox.store import ACCOUNT
from kie_mcp.text import host_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from kie_mcp.clock import Clock
    from kie_mcp.sandbox.drawing import Gallery
    from kie_mcp.sandbox.messages import Request
    from kie_mcp.sandbox.multipart import Part
    from kie_mcp.sandbox.state import State
    from kie_mcp.sandbox.store import Store

MAX_FIELD_BYTES = 65536


class Uploads:
    """The file upload host. Nothing is fetched from other hosts: a picture is drawn from the URL instead."""

    def __init__(self, state: State, store: Store, gallery: Gallery, clock: Clock, origin: str) -> None:
        self._state = state
        self._store = store
        self._gallery = gallery
        self._clock = clock
        self._origin = origin

    def stream(self, request: Request) -> Answer:
        """file-stream-upload: a form with ``file``, ``uploadPath`` and perhaps ``fileName``, in any order."""
        with TemporaryFile() as file:
            try:
                fields, sent_name = _form(request, file)
            except ValueError as error:
                return _refused(400, str(error))
            if sent_name is None:
                return _refused(400, "file is required")
            file.seek(0)
            name = fields.get("fileName") or sent_name
            return self._keep(fields.get("uploadPath"), name, iter(lambda: file.read(CHUNK), b""))

    def base64(self, request: Request) -> Answer:
        """file-base64-upload: ``base64Data`` is bare or a data URL."""
        body = request.json_object() or {}
        text = body.get("base64Data")
        if not isinstance(text, str) or not text:
            return _refused(400, "base64Data is required")
        found = re.match(r"data:[^,]{0,200};base64,", text)
        try:
            data = base64.b64decode(text[found.end() if found else 0 :], validate=True)
        except (binascii.Error, ValueError):
            return _refused(400, "base64Data is not valid base64")
        return self._keep(body.get("uploadPath"), str(body.get("fileName") or ""), (data,))

    def url(self, request: Request) -> Answer:
        """file-url-upload: an uploaded file is copied; for any other URL a picture is drawn."""
        body = request.json_object() or {}
        url = body.get("fileUrl")
        if not isinstance(url, str) or not host_of(url):
            return _refused(400, "fileUrl is not a valid URL")
        name = str(body.get("fileName") or "")
        if url.startswith(f"{self._origin}/{ACCOUNT}/"):
            own = self._store.find(unquote(urlsplit(url).path).lstrip("/"))
            if own is None:
                return _refused(400, "fileUrl cannot be fetched")
            return self._keep(body.get("uploadPath"), name or own.name, read_file(own.file))
        key = PictureKey(url, "file-url-upload", 0, "", 512, 512, jpeg=False)
        return self._keep(body.get("uploadPath"), name, (self._gallery.file(key),))

    def _keep(self, folder: Any, name: str, pieces: Iterable[bytes]) -> Answer:
        if not isinstance(folder, str) or not folder:
            return _refused(400, "uploadPath is required")
        stored = self._store.save(folder, name or self._state.new_id(), pieces)
        self._state.count("uploads")
        at = datetime.fromtimestamp(self._clock.now(), UTC)
        data = {
            "success": True,
            "fileName": stored.name,
            "filePath": stored.path,
            "downloadUrl": f"{self._origin}/{quote(stored.path)}",
            "fileSize": stored.size,
            "mimeType": stored.media_type,
            "uploadedAt": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        }
        return json_answer({"success": True, "code": 200, "msg": "File uploaded successfully", "data": data})

    def get(self, request: Request) -> Answer:
        """An uploaded file, while it lives."""
        stored = self._store.find(unquote(request.path).lstrip("/"))
        if stored is None:
            return page(404, "404 Not Found")
        return Answer(200, stored.media_type, read_file(stored.file), stored.size)


def read_file(file: Path) -> Iterator[bytes]:
    """A file's content in pieces."""
    with file.open("rb") as source:
        while piece := source.read(CHUNK):
            yield piece


def _form(request: Request, file: BinaryIO) -> tuple[dict[str, str], str | None]:
    """The form's fields, and the name of the file in it; its content goes into ``file``."""
    fields: dict[str, str] = {}
    name: str | None = None
    for part in parts(request.body, boundary_of(request.headers.get("content-type", ""))):
        if part.name == "file" and name is None:
            name = part.file_name or ""
            file.writelines(part.pieces)
        else:
            fields[part.name] = _field(part)
    return fields, name


def _field(part: Part) -> str:
    data = b""
    for piece in part.pieces:
        data += piece
        if len(data) > MAX_FIELD_BYTES:
            raise ValueError(f"{part.name} is longer than {MAX_FIELD_BYTES} bytes")
    return data.decode("utf-8", "replace")


def _refused(code: int, message: str) -> Answer:
    return json_answer({"success": False, "code": code, "msg": message, "data": None})
