"""The content of one resource. Of the disk, nothing is read but pictures that tasks have saved."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kie_mcp.errors import InputError, NoResourceError
from kie_mcp.files import is_file_url, local_picture
from kie_mcp.files.paths import path_from
from kie_mcp.resources.regular import status_of
from kie_mcp.text import Base64

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.ledger import SavedFile
    from kie_mcp.services import Services

MOST_BYTES = 7_000_000
"""Of a picture: as Base64 it stays below the 10 MiB of a line at which TypeScript clients end the connection."""

_GUIDE = "kie-mcp://guide"
_MODELS = "kie-mcp://models/"
_TASKS = "kie-mcp://tasks/"


def read_resource(services: Services, params: Mapping[str, Any], context: CallContext) -> dict[str, Any]:
    """The picture, guide, model or task of a URI.

    Raises ``NoResourceError`` where there is none, ``InputError`` for a picture that is none any more or too large,
    ``ConfigError`` where the ledger cannot be used.
    """
    uri = params.get("uri")
    if not isinstance(uri, str):
        raise InputError("params.uri must be the URI of a resource, as a text.")
    context.raise_if_cancelled()
    content = _picture(services, uri) if is_file_url(uri) else _text(services, uri)
    return {"contents": [{"uri": uri, **content}]}


def _text(services: Services, uri: str) -> dict[str, Any]:
    if uri == _GUIDE:
        from kie_mcp.resources.guide import guide

        return {"mimeType": "text/markdown", "text": guide(services.catalogue)}
    shown = _described(services, uri)
    if shown is None:
        raise NoResourceError(uri)
    return {"mimeType": "application/json", "text": json.dumps(shown, ensure_ascii=False)}


def _described(services: Services, uri: str) -> dict[str, Any] | None:
    """A model or a task, if the URI is that of one."""
    from kie_mcp.shapes import task_entry, whole_model

    if uri.startswith(_MODELS):
        model = services.catalogue.find(unquote(uri.removeprefix(_MODELS)))
        return None if model is None else whole_model(model)
    if uri.startswith(_TASKS) and services.has_ledger():
        row = services.records.tasks.find(unquote(uri.removeprefix(_TASKS)))
        return None if row is None else task_entry(row)
    return None


def _picture(services: Services, uri: str) -> dict[str, Any]:
    """A saved picture by its bytes, opened by the path that the ledger has, never by the one in the URI."""
    file = _recorded(services, uri)
    status = file and status_of(file.path)
    if not file or not status:
        raise NoResourceError(uri)
    if status.st_size > MOST_BYTES:
        raise InputError(
            f"{file.path} has {status.st_size} bytes; as a resource a picture may have {MOST_BYTES} at most. "
            "Open the file itself."
        )
    picture = local_picture(file.path, argument="params.uri", max_bytes=MOST_BYTES)
    with picture.open() as opened:
        if not os.path.samestat(os.fstat(opened.fileno()), status):  # another file has taken its place meanwhile
            raise NoResourceError(uri)
        data = opened.read(MOST_BYTES)
    return {"mimeType": picture.mime_type, "blob": Base64(base64.b64encode(data).decode())}


def _recorded(services: Services, uri: str) -> SavedFile | None:
    try:
        path = path_from(uri)
    except ValueError:
        return None
    return services.records.gallery.find(str(path)) if services.has_ledger() else None
