"""Pictures to work from: checked before anything is sent, uploaded only when the request goes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kie_mcp.config import is_loopback_host
from kie_mcp.errors import InputError, TaskNotFoundError
from kie_mcp.files import is_data_url, is_file_url, local_picture
from kie_mcp.jobs.model import Source
from kie_mcp.kie import is_task_id
from kie_mcp.text import host_of, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.catalogue import InputPicture
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.files import LocalPicture
    from kie_mcp.jobs.uploads import Uploads
    from kie_mcp.jobs.watching import Watcher
    from kie_mcp.kie import Downloader, KieClient
    from kie_mcp.ledger import SavedFile, TaskLedger

_TASK = "task:"
_LONGEST_SHOWN = 100
_LONGEST_SCHEME = 20


class Sources:
    """Turns the input pictures of a request into URLs that Kie can read."""

    def __init__(
        self,
        config: Config,
        client: KieClient,
        downloader: Downloader,
        ledger: TaskLedger,
        watcher: Watcher,
        uploads: Uploads,
    ) -> None:
        self._config = config
        self._client = client
        self._downloader = downloader
        self._ledger = ledger
        self._watcher = watcher
        self._uploads = uploads

    def check(
        self, pictures: Sequence[InputPicture], context: CallContext, *, offline: bool = False
    ) -> tuple[Source, ...]:
        """Check every picture without sending it anywhere; raises ``InputError`` naming the one at fault.

        Kie may be asked about an earlier task; with ``offline`` it is not, and a task whose picture is not known
        here is left unchecked: such sources are of no use for ``urls``.
        """
        return tuple(self._source(picture, context, offline=offline) for picture in pictures)

    def urls(self, sources: Sequence[Source], context: CallContext) -> tuple[str, ...]:
        """The sources as URLs that work now, local pictures being uploaded."""
        return tuple(self._url(source, context) for source in sources)

    def _source(self, picture: InputPicture, context: CallContext, *, offline: bool) -> Source:
        text = picture.text.strip()
        if text.startswith(_TASK):
            return self._of_task(picture, context, offline=offline)
        if is_data_url(text) or is_file_url(text):
            return Source(local=self._local(picture, text))
        if "://" not in text:
            return Source(local=self._local(picture, picture.text))
        scheme, host = text.partition("://")[0].lower(), host_of(text)
        if host and "@" in urlsplit(text).netloc:
            raise InputError(
                f"{picture.argument} has a URL of {host} with a user name or password in it, which Kie would be told.",
                next_step="Give a link that works without them, or download the picture and give its path.",
            )
        if host and (scheme == "https" or (self._config.on_loopback() and is_loopback_host(host))):
            return Source(url=text)
        if scheme in ("https", "http") and not host:
            raise InputError(f"{_label(picture)} is not a URL: it names no host.")
        raise InputError(
            f"{_label(picture)} is a {shortened(scheme, _LONGEST_SCHEME)} URL; accepted are https URLs, absolute "
            "paths, file:// and data: URLs and task:<task_id>."
        )

    def _local(self, picture: InputPicture, text: str, argument: str | None = None) -> LocalPicture:
        return local_picture(
            text,
            argument=argument or picture.argument,
            max_bytes=self._max_bytes(picture),
            mime_types=picture.mime_types,
        )

    def _max_bytes(self, picture: InputPicture) -> int:
        own = self._config.max_image_bytes
        return own if picture.max_bytes is None else min(own, picture.max_bytes)

    def _of_task(self, picture: InputPicture, context: CallContext, *, offline: bool) -> Source:
        """The first picture of an earlier task. What the ledger knows of it is not asked again."""
        task_id = picture.text.strip().removeprefix(_TASK).strip()
        if not is_task_id(task_id):
            raise InputError(
                f"{_label(picture)} names no task: write task: and the task_id of an earlier result.",
                next_step="list_visual_tasks shows the tasks made from this machine.",
            )
        row = self._ledger.find(task_id)
        if row is not None and (row.state == "fail" or row.without_pictures):
            raise _no_picture(picture, "it failed" if row.state == "fail" else "its result is data", ended=True)
        saved = row.files[0] if row and row.files else None
        link = row.image_urls[0] if row and row.image_urls else None
        if link is None and (saved is None or not Path(saved.path).is_file()):
            if offline:
                return Source()
            link = self._link_at_kie(picture, task_id, context)
        return Source(url=link, earlier=_label(picture)) if saved is None else self._saved(picture, link, saved)

    def _link_at_kie(self, picture: InputPicture, task_id: str, context: CallContext) -> str:
        try:
            status = self._watcher.look(task_id, context)
        except (InputError, TaskNotFoundError) as error:
            raise InputError(
                f"{_label(picture)} cannot be used: {error.message}", next_step=error.next_step, code=error.code
            ) from error
        if status.state != "success" or not status.image_urls:
            raise _no_picture(picture, f"its status is {status.state}", ended=status.finished)
        return status.image_urls[0]

    def _saved(self, picture: InputPicture, link: str | None, saved: SavedFile) -> Source:
        """The link leads to what was saved; what stands in its place on disk by now may be something else."""
        label = _label(picture)
        misfit = self._misfit(picture, saved)
        link = None if misfit else link
        local = None
        if Path(saved.path).is_file():
            try:
                local = self._local(picture, saved.path, f"{label}, saved as")
            except InputError:
                if link is None:
                    raise
        elif misfit:
            raise InputError(f"{label} cannot be used: {misfit}.")
        return Source(url=link, local=local, earlier=label)

    def _misfit(self, picture: InputPicture, saved: SavedFile) -> str | None:
        """Why a picture is not for this input, going by what the ledger says of it."""
        most = self._max_bytes(picture)
        if picture.mime_types and saved.mime_type not in picture.mime_types:
            return f"it is {saved.mime_type}; accepted are {', '.join(picture.mime_types)}"
        return f"it has {saved.bytes} bytes, at most {most} are accepted" if saved.bytes > most else None

    def _url(self, source: Source, context: CallContext) -> str:
        if source.url is not None and (source.earlier is None or self._downloader.alive(source.url, context)):
            return source.url
        if source.local is not None:
            return self._uploads.url(source.local, context)
        return self._renewed(source, context)

    def _renewed(self, source: Source, context: CallContext) -> str:
        """A fresh link to a result of which there is no file; Kie also gives links to what is gone."""
        try:
            link = self._client.renewed_link(source.url or "", context)
        except InputError:  # Kie's answer to a link that is none of its own
            link = None
        if link is None or not self._downloader.alive(link, context):
            raise InputError(
                f"{source.earlier} cannot be used: the link to its picture has died, and there is no saved file of it.",
                next_step="Try get_visual_task with that task id, which saves the picture if Kie still has it, or "
                "name another picture.",
            )
        return link


def _label(picture: InputPicture) -> str:
    """How messages name a picture: after the argument that it came in."""
    return f"{picture.argument} {shortened(picture.text, _LONGEST_SHOWN)!r}"


def _no_picture(picture: InputPicture, reason: str, *, ended: bool) -> InputError:
    return InputError(
        f"{_label(picture)} has no picture to work from: {reason}.",
        next_step="Name another picture." if ended else "Wait for that task (get_visual_task) or name another picture.",
    )
