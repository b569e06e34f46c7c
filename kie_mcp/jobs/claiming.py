"""The right to save one task's pictures, among all calls and processes, and the notes on what is half done."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import OutputError
from kie_mcp.files import Placing, SavedPicture, is_part
from kie_mcp.jobs.tolerating import failure_logged
from kie_mcp.ledger import SavedFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.ledger import Custody

_RENEW_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2


class Claim:
    """The right to save one task, kept while a long download runs. ``call`` is a name that no other call has."""

    def __init__(self, custody: Custody, task_id: str, call: str, context: CallContext) -> None:
        self.task_id = task_id
        self._custody = custody
        self._claimant = custody.claimant_name(call)
        self._context = context
        self._taken = 0.0

    def take(self) -> None:
        """Wait until nobody else saves this task; raises ``OutputError`` at the call's deadline."""
        while not self.try_take():
            if not self._context.remaining():
                raise self._taken_by_another()
            self._context.progress(0, None, "another call is saving the pictures")
            self._context.sleep(_LOOK_AGAIN_SECONDS)

    def try_take(self) -> bool:
        """Take it if nobody else has it."""
        self._taken = self._context.clock.monotonic()
        return self._custody.claim(self.task_id, self._claimant)

    def keep(self) -> None:
        """Renew the claim if it is time to; raises ``OutputError`` where it was lost."""
        now = self._context.clock.monotonic()
        if now - self._taken > _RENEW_SECONDS:
            self._taken = now
            if not self._custody.renew(self.task_id, self._claimant):
                raise self._taken_by_another()

    def note(self, entry: Mapping[str, Any] | None) -> None:
        """Write down what is about to be done, if anything; raises ``OutputError`` where the claim was lost."""
        self._taken = self._context.clock.monotonic()
        if not self._custody.journal(self.task_id, self._claimant, entry):
            raise self._taken_by_another()

    def saved(self, files: list[SavedFile]) -> None:
        """Write down the files of the task; raises ``OutputError`` where the claim was lost."""
        if not self._custody.saved(self.task_id, self._claimant, files):
            raise self._taken_by_another()

    def release(self) -> None:
        """Let others go on. A claim that cannot be given back ends by itself, and is no reason to fail."""
        with failure_logged(logging.WARNING, "the claim on task %s was not given back", self.task_id):
            self._custody.release(self.task_id, self._claimant)

    def _taken_by_another(self) -> OutputError:
        return OutputError(f"Another call is saving the pictures of task {self.task_id}.", retryable=True)


class TaskJournal:
    """The notes on one output of a task: ``files`` are those of the task so far, ``index`` is the output's place."""

    def __init__(self, claim: Claim, files: list[SavedFile], index: int) -> None:
        self._claim = claim
        self._files = files
        self._index = index

    def begun(self, part: Path) -> None:
        """As ``Journal`` has it."""
        self._claim.note({"index": self._index, "part": str(part)})

    def placing(self, placing: Placing) -> None:
        """As ``Journal`` has it."""
        picture = placing.picture
        self._claim.note(
            {
                "index": self._index,
                "part": str(placing.part),
                "stem": placing.stem,
                "path": str(picture.path),
                "mime_type": picture.mime_type,
                "bytes": picture.bytes,
                "width": picture.width,
                "height": picture.height,
            }
        )

    def placed(self, picture: SavedPicture) -> None:
        """As ``Journal`` has it."""
        self._files[self._index : self._index + 1] = [
            SavedFile(str(picture.path), picture.mime_type, picture.bytes, picture.width, picture.height)
        ]
        self._claim.saved(self._files)


def half_done(entry: Mapping[str, Any]) -> Placing | Path | None:
    """What a note says: a file about to get its name, or merely a part.

    ``None`` where it names anything but a part of this program: whoever can write into the ledger cannot have other
    files moved or removed.
    """
    part = Path(entry["part"])
    if not is_part(part) or part.parent != Path(entry.get("path", part)).parent:
        return None
    if "path" not in entry:
        return part
    picture = SavedPicture(Path(entry["path"]), entry["mime_type"], entry["bytes"], entry["width"], entry["height"])
    return Placing(part, entry["stem"], picture)
