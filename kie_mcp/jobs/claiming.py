"""The right to save one task's pictures, among all calls and processes, and the notes on what is half done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import OutputError
from kie_mcp.files import Placing, SavedPicture
from kie_mcp.ledger import SavedFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.ledger import Custody, TaskLedger

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
        """Take it if nobody else has it; the one who has it renews it."""
        self._taken = self._context.clock.monotonic()
        return self._custody.claim(self.task_id, self._claimant)

    def keep(self) -> None:
        """Renew the claim if it is time to."""
        if self._context.clock.monotonic() - self._taken > _RENEW_SECONDS:
            self.try_take()

    def note(self, entry: Mapping[str, Any] | None) -> None:
        """Write down what is about to be done, if anything; raises ``OutputError`` where the claim was lost."""
        self._taken = self._context.clock.monotonic()
        if not self._custody.journal(self.task_id, self._claimant, entry):
            raise self._taken_by_another()

    def release(self) -> None:
        """Let others go on."""
        self._custody.release(self.task_id, self._claimant)

    def _taken_by_another(self) -> OutputError:
        return OutputError(f"Another call is saving the pictures of task {self.task_id}.", retryable=True)


class TaskJournal:
    """The notes on one output of a task: ``files`` are those of the task so far, ``index`` is the output's place."""

    def __init__(self, claim: Claim, ledger: TaskLedger, files: list[SavedFile], index: int) -> None:
        self._claim = claim
        self._ledger = ledger
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
        self._ledger.saved(self._claim.task_id, self._files)


def half_done(entry: Mapping[str, Any]) -> Placing | Path:
    """What a note says: a file about to get its name, or merely a part."""
    part = Path(entry["part"])
    if "path" not in entry:
        return part
    picture = SavedPicture(Path(entry["path"]), entry["mime_type"], entry["bytes"], entry["width"], entry["height"])
    return Placing(part, entry["stem"], picture)
