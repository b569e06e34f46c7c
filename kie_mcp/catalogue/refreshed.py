"""What Kie's own catalogue said last: one file in the state folder, laid over the bundled models.

It holds what Kie said, cleaned, and nothing that follows from it: model files are made of it whenever it is read, so
that the prices, notes and rules of the bundled models are always those of this release. The file is as untrusted as
what it was made from: what is wrong with it is logged, and the bundled models stand.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp import schemas
from kie_mcp.catalogue.checking import faults_within
from kie_mcp.catalogue.deriving import model_file
from kie_mcp.catalogue.live import MOST_MODELS, Entry, UnusableError
from kie_mcp.catalogue.sanitising import clean_fields
from kie_mcp.errors import BundleError, ConfigError, UnclearAnswerError
from kie_mcp.log import logger, redact
from kie_mcp.text import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

FORMAT = 1
LARGEST_BYTES = 4 * 1024 * 1024

_LATEST = 1e12


def bundled_files(folder: str | None = None) -> dict[str, dict[str, Any]]:
    """The content of every bundled model file by its id. Raises ``BundleError``."""
    return {data["id"]: data for data in (schemas.load(name, folder) for name in schemas.names("models", folder))}


@dataclass(frozen=True)
class Saying:
    """What Kie says of one model: its entry in the list, and the cleaned ``properties`` and ``required``."""

    entry: Entry
    live: Mapping[str, Any]

    @classmethod
    def from_json(cls, data: Any) -> Saying:
        """Read it as the file holds it, or whatever that is. Raises ``UnusableError``."""
        given = data if isinstance(data, dict) else {}
        entry = Entry.of(*(given.get(name) for name in ("id", "title", "tasks", "price")))
        return cls(entry, clean_fields(given.get("properties"), given.get("required")))

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {**asdict(self.entry), "properties": self.live["properties"], "required": self.live["required"]}

    def model(self, bundled: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """The content of a model file, made of this and checked. Raises ``UnusableError`` where none can be made."""
        made = model_file(self.entry, self.live, bundled.get(self.entry.id))
        faults = faults_within(made)
        if faults:
            raise UnusableError(printable(faults[0]))
        return made


def write(path: Path, sayings: Iterable[Saying], fetched_at: float, secrets: Collection[str] = ()) -> None:
    """Put what Kie said into the file, whole or not at all; ``fetched_at`` is wall-clock time in seconds.

    Raises ``ConfigError`` where the state folder cannot be written, ``UnclearAnswerError`` for too much of it.
    """
    models = redact([saying.to_json() for saying in sayings], secrets)
    content = {"format": FORMAT, "fetched_at": fetched_at, "models": models}
    data = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    if len(data) > LARGEST_BYTES:
        raise UnclearAnswerError(f"Kie's catalogue is larger than {LARGEST_BYTES} bytes; nothing was changed.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        raise ConfigError(
            f"The refreshed models cannot be written to {path}: {error}.",
            next_step="Make its folder writable and free some disk, or set KIE_AI_STATE_DIR to another folder.",
        ) from error


def _replace(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # readable by its owner only
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - no path, a descriptor
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def read(path: Path, folder: str | None = None) -> dict[str, tuple[Saying, dict[str, Any]]]:
    """What the file says of each model, and the model file that is made of it, by id.

    Nothing where there is no file, where it cannot be used, or where the bundled models below ``folder`` are newer.
    Raises ``BundleError`` for those only.
    """
    content = _content(path)
    if content is None:
        return {}
    if content["fetched_at"] <= bundled_at(folder):
        logger().info("%s is older than the bundled models and was not used.", path)
        return {}
    bundled = bundled_files(folder)
    lower = {model_id.lower(): model_id for model_id in bundled}
    found: dict[str, tuple[Saying, dict[str, Any]]] = {}
    wrong: list[str] = []
    for data in content["models"][:MOST_MODELS]:
        try:
            saying = Saying.from_json(data)
            model_id = saying.entry.id
            if lower.setdefault(model_id.lower(), model_id) != model_id:
                raise UnusableError(f"{model_id} differs from another id in case only")
            found[model_id] = (saying, saying.model(bundled))
        except UnusableError as error:
            wrong.append(str(error))
    if wrong:
        logger().warning("%s: %d models in it were not used, e.g. because %s.", path, len(wrong), wrong[0])
    return found


def _content(path: Path) -> dict[str, Any] | None:
    """What is in the file, if it has the outer form; a warning says what is wrong, and the file is left alone."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        content = json.loads(data) if len(data) <= LARGEST_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        logger().warning("The refreshed models in %s cannot be read and were not used: %s.", path, error)
        return None
    if not isinstance(content, dict) or not _has_right_form(content):
        logger().warning("%s is too large, or not of this version's form; it was not used.", path)
        return None
    return content


def _has_right_form(content: Mapping[str, Any]) -> bool:
    time = content.get("fetched_at")
    is_time = isinstance(time, int | float) and not isinstance(time, bool) and 0 <= time < _LATEST
    return content.get("format") == FORMAT and is_time and isinstance(content.get("models"), list)


def bundled_at(folder: str | None = None) -> float:
    """When the bundled models were last compared with Kie's own, in seconds since the epoch."""
    try:
        day = dt.date.fromisoformat(schemas.load("catalogue.json", folder)["as_of"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The bundled catalogue.json has no date: {error!r}") from error
    return dt.datetime.combine(day, dt.time.min, dt.UTC).timestamp()
