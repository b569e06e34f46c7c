"""From a task that has succeeded to files on disk: once, whoever asks, however often."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.errors import DeadLinkError, KieMcpError, OutputError
from kie_mcp.files import save_picture
from kie_mcp.ledger import SavedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.files import SavedPicture
    from kie_mcp.jobs.model import SavePlan
    from kie_mcp.kie import Downloader, KieClient, TaskStatus
    from kie_mcp.ledger import TaskLedger

_CLAIM_SECONDS = 120.0
_RENEW_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2


class _Claim:
    """The right to save one task, kept while a long download runs."""

    def __init__(self, ledger: TaskLedger, task_id: str, owner: str, context: CallContext) -> None:
        self._ledger = ledger
        self._task_id = task_id
        self._owner = owner
        self._context = context
        self._taken = 0.0

    def take(self) -> None:
        """Wait until nobody else saves this task; raises ``OutputError`` at the call's deadline."""
        while not self._claimed():
            if not self._context.remaining():
                raise OutputError(f"Another call is saving the pictures of task {self._task_id}.", retryable=True)
            self._context.progress(0, None, "another call is saving the pictures")
            self._context.sleep(_LOOK_AGAIN_SECONDS)

    def keep(self) -> None:
        """Renew the claim if it is time to."""
        if self._context.clock.monotonic() - self._taken > _RENEW_SECONDS:
            self._claimed()

    def release(self) -> None:
        """Let others go on."""
        self._ledger.release(self._task_id, self._owner)

    def _claimed(self) -> bool:
        self._taken = self._context.clock.monotonic()
        return self._ledger.claim(self._task_id, self._owner, _CLAIM_SECONDS)


class Saver:
    """Saves the pictures of tasks; two savers of one task, in any processes, make one set of files."""

    def __init__(
        self,
        config: Config,
        client: KieClient,
        downloader: Downloader,
        ledger: TaskLedger,
        new_owner: Callable[[], str],
    ) -> None:
        self._config = config
        self._client = client
        self._downloader = downloader
        self._ledger = ledger
        self._new_owner = new_owner

    def saved(self, task_id: str) -> tuple[SavedFile, ...]:
        """The files of a task as far as they are recorded and still there; empty unless all of them are."""
        row = self._ledger.find(task_id)
        if row is None or not row.files or len(row.files) < len(row.image_urls):
            return ()
        return row.files if all(Path(file.path).is_file() for file in row.files) else ()

    def save(
        self, status: TaskStatus, plan: SavePlan, context: CallContext
    ) -> tuple[tuple[SavedFile, ...], tuple[str, ...]]:
        """Fetch what is not on disk yet; returns all files of the task and warnings about them.

        Raises ``OutputError`` or the error of the download, with the task id; files saved before it
        are recorded, and the next attempt goes on behind them.
        """
        claim = _Claim(self._ledger, status.task_id, self._new_owner(), context)
        try:
            claim.take()
            return self._fetch_missing(status, plan, claim, context)
        except KieMcpError as error:
            error.task_id = status.task_id
            raise
        finally:
            claim.release()

    def _fetch_missing(
        self, status: TaskStatus, plan: SavePlan, claim: _Claim, context: CallContext
    ) -> tuple[tuple[SavedFile, ...], tuple[str, ...]]:
        row = self._ledger.find(status.task_id)
        files = list(row.files) if row else []
        warnings: list[str] = []
        several = len(status.image_urls) > 1
        for index, url in enumerate(status.image_urls):
            if index < len(files) and Path(files[index].path).is_file():
                continue
            picture = self._fetch(status.task_id, url, plan, index + 1 if several else None, claim, context)
            files[index : index + 1] = [_recorded(picture)]
            warnings.extend(picture.warnings)
            self._ledger.saved(status.task_id, files)
        return tuple(files), tuple(warnings)

    def _fetch(
        self, task_id: str, url: str, plan: SavePlan, number: int | None, claim: _Claim, context: CallContext
    ) -> SavedPicture:
        def receive(chunks: Iterator[bytes]) -> SavedPicture:
            return save_picture(
                plan.target,
                _holding(claim, chunks),
                prompt=plan.prompt,
                number=number,
                max_bytes=self._config.max_image_bytes,
                clock=context.clock,
                asked_format=plan.asked_format,
            )

        claim.keep()
        position = number - 1 if number else 0
        for link in self._links(task_id, url, position, context):
            try:
                return self._downloader.fetch(link, receive, context)
            except DeadLinkError as error:
                dead = error
        raise OutputError(
            f"The picture of task {task_id} can no longer be fetched: its link is dead and could not be renewed.",
            next_step="Look for the picture at kie.ai/logs; if it is gone there too, it has to be made again.",
            code=dead.code,
        )

    def _links(self, task_id: str, url: str, position: int, context: CallContext) -> Iterator[str]:
        """The link as seen, then as a new poll gives it, then a renewed one (docs.kie.ai, download-url)."""
        yield url
        urls = self._client.get_task(task_id, context).image_urls
        fresh = urls[position] if position < len(urls) else url
        if fresh != url:
            yield fresh
        try:
            yield self._client.renewed_link(fresh, context)
        except KieMcpError as error:
            context.raise_if_cancelled()
            if error.retryable:
                raise


def _holding(claim: _Claim, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass chunks on, renewing the claim while a long download runs."""
    for chunk in chunks:
        claim.keep()
        yield chunk


def _recorded(picture: SavedPicture) -> SavedFile:
    return SavedFile(
        path=str(picture.path),
        mime_type=picture.mime_type,
        bytes=picture.bytes,
        width=picture.width,
        height=picture.height,
    )
