"""The pictures of an input, as Kie reads them: by their URLs, once the task is taken up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue import Model
    from kie_mcp.sandbox.downloads import Downloads
    from kie_mcp.sandbox.store import Store

NOT_FETCHED = "451"
UNUSABLE = "400"
"""Codes of failed tasks: the input picture cannot be fetched; it is too large, or no picture that the model reads."""


@dataclass(frozen=True)
class _File:
    """What a URL leads to; ``size`` in bytes, ``None`` for results, which are far below every limit."""

    media_type: str
    size: int | None


class Reading:
    """Looks at pictures that were uploaded to, or made at, ``origin``. Others count as fine: nothing is fetched."""

    def __init__(self, store: Store, downloads: Downloads, origin: str) -> None:
        self._store = store
        self._downloads = downloads
        self.origin = origin

    def trouble(self, model: Model, given: Mapping[str, Any]) -> tuple[str, str] | None:
        """The code and the text with which a task fails for its pictures; ``None`` where they are all right."""
        for field, _, url in model.pictures_in(given):
            if not url.startswith(f"{self.origin}/"):
                continue
            file = self._file(url)
            if file is None:
                return NOT_FETCHED, f"image fetch failed: {url}"
            most, media_types = model.picture_limits(field)
            if most is not None and file.size is not None and file.size > most:
                return UNUSABLE, f"{field}: the picture has {file.size} bytes; the limit is {most}"
            if not file.media_type.startswith("image/") or file.media_type not in (media_types or (file.media_type,)):
                return UNUSABLE, f"{field}: {file.media_type} is not supported"
        return None

    def _file(self, url: str) -> _File | None:
        parts = urlsplit(url)
        stored = self._store.find(unquote(parts.path).lstrip("/"))
        if stored is not None:
            return _File(stored.media_type, stored.size)
        media_type = self._downloads.media_type_at(parts.path, dict(parse_qsl(parts.query)))
        return _File(media_type, None) if media_type else None
