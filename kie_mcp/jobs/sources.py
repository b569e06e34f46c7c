"""Pictures to work from: checked before anything is sent, uploaded only when the request goes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.config import is_loopback_host
from kie_mcp.errors import InputError
from kie_mcp.files import local_picture
from kie_mcp.jobs.model import Source
from kie_mcp.text import host_of, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.catalogue import Catalogue
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.jobs.watching import Watcher
    from kie_mcp.kie import KieClient
    from kie_mcp.ledger import TaskLedger

_TASK = "task:"
_LONGEST_SHOWN = 100


class Sources:
    """Turns ``image_input`` into URLs that Kie can read."""

    def __init__(
        self, config: Config, catalogue: Catalogue, client: KieClient, ledger: TaskLedger, watcher: Watcher
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._client = client
        self._ledger = ledger
        self._watcher = watcher

    def check(self, texts: Sequence[str], model: str, context: CallContext) -> tuple[Source, ...]:
        """Check every entry without sending a picture anywhere; raises ``InputError`` naming the one at fault."""
        known = self._catalogue.find(model)
        most, mimes = known.image_limits() if known else (None, ())
        most = min(most or self._config.max_image_bytes, self._config.max_image_bytes)
        sources = tuple(self._source(text, most, context) for text in texts)
        for text, source in zip(texts, sources, strict=True):
            if source.local and mimes and source.local.mime_type not in mimes:
                raise InputError(
                    f"image_input {text!r} is {source.local.mime_type}; {model} accepts {', '.join(mimes)}."
                )
        return sources

    def urls(self, sources: Sequence[Source], context: CallContext) -> tuple[str, ...]:
        """The sources as URLs, local files being uploaded."""
        return tuple(self._url(source, context) for source in sources)

    def _url(self, source: Source, context: CallContext) -> str:
        if source.local is not None:
            context.progress(0, None, f"uploading {source.local.path.name}")
            return self._client.upload(source.local.path, source.local.mime_type, context)
        return source.url or ""

    def _source(self, text: str, most: int, context: CallContext) -> Source:
        if text.startswith(_TASK):
            return self._of_task(text.removeprefix(_TASK), most, context)
        scheme = _scheme(text)
        host = host_of(text)
        if host and (scheme == "https" or (self._config.on_loopback() and is_loopback_host(host))):
            return Source(url=text)
        if scheme in ("https", "http") and not host:
            raise InputError(f"image_input {shortened(text, _LONGEST_SHOWN)!r} is not a URL: it names no host.")
        if scheme not in ("", "file"):
            raise InputError(
                f"image_input {shortened(text, _LONGEST_SHOWN)!r} is a {scheme} URL; accepted are https URLs, "
                "absolute paths, file:// URLs and task:<task_id>."
            )
        return Source(local=local_picture(text, max_bytes=most))

    def _of_task(self, task_id: str, most: int, context: CallContext) -> Source:
        """The first picture of an earlier task: the saved file where there is one, since Kie's links die."""
        row = self._ledger.find(task_id)
        saved = [file.path for file in row.files if Path(file.path).is_file()] if row else []
        if saved:
            return Source(local=local_picture(saved[0], max_bytes=most))
        status = self._watcher.look(task_id, context)
        if status.state != "success" or not status.image_urls:
            raise InputError(
                f"image_input 'task:{task_id}' has no picture to work from: its status is {status.state}.",
                next_step="Wait for that task (get_visual_task) or name another picture.",
            )
        return Source(url=status.image_urls[0])


def _scheme(text: str) -> str:
    """The scheme of a URL in lower case; empty for a path. ``data:`` URLs have no ``//``."""
    if text[:5].lower() == "data:":
        return "data"
    return text.partition("://")[0].lower() if "://" in text else ""
