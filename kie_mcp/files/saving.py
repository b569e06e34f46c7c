"""Writing a picture: streamed, checked by its bytes, whole or not at all, never over another file."""

from __future__ import annotations

import codecs
import itertools
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from kie_mcp.errors import OutputError
from kie_mcp.files.naming import same_format
from kie_mcp.files.placing import Placing, SavedPicture, new_part, place, remove_part, write_errors
from kie_mcp.files.sniff import HEAD_BYTES, PictureType, dimensions, sniff
from kie_mcp.files.whole import is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import FileIO
    from pathlib import Path

    from kie_mcp.files.placing import Journal
    from kie_mcp.files.target import Target

_HTML_BEGINNINGS = (b"<!doctype html", b"<html", b"<head", b"<body")


def save_picture(
    target: Target,
    chunks: Iterable[bytes],
    *,
    stem: str,
    max_bytes: int,
    journal: Journal,
    asked_format: str | None = None,
) -> SavedPicture:
    """Write the picture that ``chunks`` make up into ``target`` and say where it is.

    The file gets its name, ``stem`` and an extension that comes from the bytes, when it is complete; a taken name
    gets ``-2``, ``-3``, …
    Raises ``OutputError`` for what is no picture, is cut short, is over ``max_bytes`` or cannot be written,
    and lets through what ``chunks`` and ``journal`` raise; either way no file is left.
    """
    stream = iter(chunks)
    head = _head(stream)
    kind = sniff(head)
    if kind is None:
        raise OutputError(f"What was received is not a picture: it is {_looks_like(head)}.")
    with _part_file(target.folder, journal) as (part, file):
        size = _write(file, itertools.chain((head,), stream), target.folder, max_bytes)
        with write_errors(target.folder):
            if not is_whole(file, kind):
                raise OutputError(f"The picture was cut short: its end is missing after {size} bytes.")
            width, height = dimensions(file) or (None, None)
            os.fsync(file.fileno())
        wanted = target.folder / f"{stem}.{_extension(target, kind)}"
        whole = SavedPicture(wanted, kind.mime_type, size, width, height)
        path = place(Placing(part, stem, whole), journal)
    return replace(whole, path=path, warnings=_warnings(target, kind, path, asked_format))


def _head(stream: Iterator[bytes]) -> bytes:
    """Read the first ``HEAD_BYTES`` or a little more; less only where there is no more."""
    head = b""
    for chunk in stream:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head


def _looks_like(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "empty"
    if start.startswith(_HTML_BEGINNINGS):
        return "an HTML page"
    if start.startswith((b"<?xml", b"<svg")):
        return "an XML document"
    if start.startswith((b"{", b"[")):
        return "JSON text"
    return "text" if _is_text(head) else "in no known picture format"


def _is_text(head: bytes) -> bool:
    """Tell text by its being UTF-8 without control characters; a character cut off at the end is no matter."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


@contextmanager
def _part_file(folder: Path, journal: Journal) -> Iterator[tuple[Path, FileIO]]:
    """Open a new file beside the final one; it is removed in the end."""
    part = new_part(folder)
    journal.begun(part)
    with write_errors(folder):
        file = part.open("x+b", buffering=0)
    try:
        with file:
            yield part, file
    finally:
        remove_part(part)


def _write(file: FileIO, chunks: Iterable[bytes], folder: Path, max_bytes: int) -> int:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise OutputError(
                f"The picture is larger than the limit of {max_bytes} bytes (KIE_AI_MAX_IMAGE_BYTES).",
                next_step="Raise KIE_AI_MAX_IMAGE_BYTES, then call get_visual_task with the task id.",
            )
        rest = memoryview(chunk)
        with write_errors(folder):
            while rest:
                rest = rest[file.write(rest) :]
    return size


def _extension(target: Target, kind: PictureType) -> str:
    """Choose the kind's own extension, or the caller's spelling of it."""
    return target.extension if same_format(target.extension, kind.extension) else kind.extension


def _warnings(target: Target, kind: PictureType, path: Path, asked_format: str | None) -> tuple[str, ...]:
    warnings = []
    if target.extension and not same_format(target.extension, kind.extension):
        warnings.append(
            f"The file was to end in .{target.extension}, but it is {kind.mime_type}: saved as {path.name}."
        )
    if asked_format and not same_format(asked_format, kind.extension):
        warnings.append(f"output_format {asked_format!r} was asked for; the model sent {kind.mime_type}.")
    return tuple(warnings)
