"""From a task that has succeeded to files on disk: once, whoever asks, however often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.errors import DeadLinkError, KieMcpError, OutputError
from kie_mcp.files import Placing, finish_placing, remove_part, save_picture
from kie_mcp.jobs.claiming import Claim, TaskJournal, half_done
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.context import CallContext
    from kie_mcp.files import Outputs, SavedPicture
    from kie_mcp.jobs.model import SavePlan
    from kie_mcp.kie import Downloader, KieClient, TaskStatus
    from kie_mcp.ledger import Custody, SavedFile, TaskLedger


@dataclass(frozen=True)
class _Output:
    """One picture of a task: its link, its place among the outputs, its name and what else is wanted of it."""

    url: str
    index: int
    stem: str
    plan: SavePlan


class Saver:
    """Saves the pictures of tasks; two savers of one task, in any processes, make one set of files."""

    def __init__(
        self,
        outputs: Outputs,
        client: KieClient,
        downloader: Downloader,
        ledger: TaskLedger,
        custody: Custody,
        new_name: Callable[[], str],
    ) -> None:
        """``new_name`` gives each call a name that no other has."""
        self._outputs = outputs
        self._client = client
        self._downloader = downloader
        self._ledger = ledger
        self._custody = custody
        self._new_name = new_name

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
        claim = Claim(self._custody, status.task_id, self._new_name(), context)
        try:
            if self._ledger.find(status.task_id) is None:
                self._ledger.adopt(status.task_id)
            claim.take()
            return self._fetch_missing(status, plan, claim, context)
        except KieMcpError as error:
            error.task_id = status.task_id
            raise
        finally:
            claim.release()

    def settle(self, task_id: str, context: CallContext) -> None:
        """Finish or remove what a process that died has left of a task's pictures; Kie is not asked.

        Does nothing while somebody else saves the task. Raises ``OutputError`` where the folder cannot be written.
        """
        claim = Claim(self._custody, task_id, self._new_name(), context)
        if not claim.try_take():
            return
        try:
            self._settled(claim)
        finally:
            claim.release()

    def _settled(self, claim: Claim) -> list[SavedFile]:
        """The task's files so far, with what somebody else left half done, finished or removed."""
        row = self._ledger.find(claim.task_id)
        files = list(row.files) if row else []
        if row is None or row.saving is None:
            return files
        left = half_done(row.saving)
        if isinstance(left, Placing):
            finish_placing(left, TaskJournal(claim, files, row.saving["index"]))
        elif left is not None:
            remove_part(left)
        claim.note(None)
        return files

    def _fetch_missing(
        self, status: TaskStatus, plan: SavePlan, claim: Claim, context: CallContext
    ) -> tuple[tuple[SavedFile, ...], tuple[str, ...]]:
        files = self._settled(claim)
        warnings: list[str] = []
        total = len(status.image_urls)
        for index, url in enumerate(status.image_urls):
            if index < len(files) and Path(files[index].path).is_file():
                continue
            journal = TaskJournal(claim, files, index)
            stem = self._outputs.stem(plan.target, plan.prompt, context.clock.now(), index + 1 if total > 1 else None)
            claim.keep()
            picture = self._fetch(_Output(url, index, stem, plan), claim, journal, context)
            warnings.extend(picture.warnings)
            logger().info("a picture of task %s was saved as %s", claim.task_id, picture.path)
            context.progress(0, None, f"saved {picture.path.name}" + (f", {index + 1} of {total}" if total > 1 else ""))
        return tuple(files), tuple(warnings)

    def _fetch(self, output: _Output, claim: Claim, journal: TaskJournal, context: CallContext) -> SavedPicture:
        def receive(chunks: Iterator[bytes]) -> SavedPicture:
            self._outputs.recheck(output.plan.target)
            return save_picture(
                output.plan.target,
                _holding(claim, chunks),
                stem=output.stem,
                max_bytes=self._outputs.max_bytes,
                journal=journal,
                asked_format=output.plan.asked_format,
            )

        for link in self._links(claim.task_id, output.url, output.index, context):
            try:
                return self._downloader.fetch(link, receive, context)
            except DeadLinkError as error:
                dead = error
        raise OutputError(
            f"The picture of task {claim.task_id} can no longer be fetched: its link is dead and could not be renewed.",
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


def _holding(claim: Claim, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass chunks on, renewing the claim while a long download runs."""
    for chunk in chunks:
        claim.keep()
        yield chunk
