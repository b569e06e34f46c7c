"""Paths as callers write them: plain, from the home folder (``~``), or as a ``file://`` URL."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kie_mcp.files.reserved import windows_trouble


def is_file_url(text: str) -> bool:
    """Whether a text is a ``file`` URL, with a host, an empty one or none (RFC 8089, 2)."""
    return text[:6].lower() == "file:/"


def path_from(text: str) -> Path:
    """Read the path that ``text`` means; relative ones stay relative.

    Raises ``ValueError``, with the reason as its text, where it cannot be one.
    """
    if not text.strip():
        raise ValueError("it is empty")
    if is_file_url(text):
        text = _from_url(text)
    if "\0" in text:
        raise ValueError("it contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it contains half of a character (a lone surrogate)") from error
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError("its home folder (~) is not known") from error
    if os.name == "nt" and (trouble := windows_trouble(path)):
        raise ValueError(trouble)
    return path


def _from_url(url: str) -> str:
    """Read the path of a ``file`` URL of this machine (RFC 8089)."""
    parts = urlsplit(url)
    if parts.netloc.lower() not in ("", "localhost"):
        raise ValueError(f"it names another machine, {parts.netloc!r}; write file:/// followed by the path")
    if parts.query or parts.fragment:
        raise ValueError("it has a ? or # in it; write them as %3F and %23 in a file URL")
    if os.name == "nt":
        from urllib.request import url2pathname

        return url2pathname(parts.path)  # the slash before a drive letter is no part of the path
    return unquote(parts.path, errors="surrogateescape")
