"""Local pictures at Kie: each uploaded once as long as its link lives, whoever asks, however often."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from kie_mcp.errors import CancelledError, ConfigError, InputError, KieMcpError, NetworkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.files import LocalPicture
    from kie_mcp.kie import Downloader, KieClient
    from kie_mcp.ledger import UploadLedger

_LOOK_AGAIN_SECONDS = 0.1
_NO_SUCH_PLACE = (404, 405)
"""What a host answers that is none for uploads."""
_ADVICE: Mapping[type[KieMcpError], str] = {
    ConfigError: "Check KIE_AI_UPLOAD_BASE_URL.",
    InputError: "Give a smaller picture or one of another kind.",
}


class _UnderWay:
    """One upload, from its claim to its end; ``url`` is there if it went well.

    ``error`` is there if it failed in a way that would meet everybody else too.
    """

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.url: str | None = None
        self.error: KieMcpError | None = None


class Uploads:
    """Uploads pictures, unless one of the same bytes is there already. Safe for many threads."""

    def __init__(self, config: Config, client: KieClient, downloader: Downloader, ledger: UploadLedger) -> None:
        self._host = config.upload_base_url
        self._client = client
        self._downloader = downloader
        self._ledger = ledger
        self._lock = threading.Lock()
        self._under_way: dict[str, _UnderWay] = {}

    def url(self, picture: LocalPicture, context: CallContext) -> str:
        """A URL under which Kie can read the picture.

        While another thread uploads the same bytes, this one waits for its link, and shares its failure; where
        the other's call came to its end, or its file had changed, the next one tries. Raises ``InputError``
        where the picture has changed since it was checked, ``CancelledError``, and the error of the upload.
        """
        sha256 = _sha256(picture)
        while True:
            mine = _UnderWay()
            with self._lock:
                current = self._under_way.setdefault(sha256, mine)
            if current is mine:
                return self._provided(sha256, mine, picture, context)
            _wait(current, context)
            if current.error is not None:
                raise self._told(current.error, picture)
            if current.url is not None:
                return current.url

    def _provided(self, sha256: str, mine: _UnderWay, picture: LocalPicture, context: CallContext) -> str:
        """The link, for those who wait for it too."""
        try:
            mine.url = self._remembered(sha256, context)
            return mine.url or self._uploaded(sha256, mine, picture, context)
        finally:
            with self._lock:
                del self._under_way[sha256]
            mine.ended.set()

    def _remembered(self, sha256: str, context: CallContext) -> str | None:
        url = self._ledger.find(sha256, self._host)
        if url is None or self._downloader.alive(url, context):
            return url
        self._ledger.forget(sha256, self._host, url)
        return None

    def _uploaded(self, sha256: str, mine: _UnderWay, picture: LocalPicture, context: CallContext) -> str:
        context.progress(0, None, f"uploading {picture.name}")
        try:
            sent = self._client.upload(picture.open, picture.mime_type, context)
        except KieMcpError as error:
            if isinstance(error, CancelledError) or _is_of_the_file(error):
                raise
            mine.error = error if context.remaining() else None
            raise self._told(error, picture) from error
        self._ledger.remember(sent.sha256, self._host, sent.url)
        if sent.sha256 == sha256:  # a file that changed on its way is not what the others wait for
            mine.url = sent.url
        return sent.url

    def _told(self, error: KieMcpError, picture: LocalPicture) -> KieMcpError:
        """The same failure, saying that it was an upload, and of what: nothing else of the call has happened yet."""
        what = f"{picture.label} could not be uploaded to {self._host}: {error.message}"
        kind, advice = type(error), error.next_step
        if isinstance(error, InputError):
            kind = ConfigError if error.code in _NO_SUCH_PLACE else InputError
            advice = f"{_ADVICE[kind]} Nothing was made or billed."
        elif error.retryable:
            advice = "Call again later: nothing was made or billed."
        return kind(what, next_step=advice, retryable=error.retryable, code=error.code, retry_after=error.retry_after)


def _is_of_the_file(error: KieMcpError) -> bool:
    """Whether the picture itself was the reason; what Kie refuses has a code."""
    return isinstance(error, InputError) and error.code is None


def _sha256(picture: LocalPicture) -> str:
    with picture.open() as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wait(current: _UnderWay, context: CallContext) -> None:
    """Wait for the upload of another thread to end; raises ``NetworkError`` at the call's deadline."""
    while not current.ended.is_set():
        if not context.remaining():
            raise NetworkError(
                "The same picture is being uploaded by another call, which took longer than this one may.",
                next_step="Call again; nothing was made or billed.",
            )
        context.sleep(_LOOK_AGAIN_SECONDS)
