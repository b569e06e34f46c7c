"""The models as Kie's own catalogue had them last: one file in the state folder, laid over the bundled ones.

The file is as untrusted as what it was made from: what is wrong with it is logged, and the bundled models stand.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp import schemas
from kie_mcp.catalogue.conventions import takes_pictures
from kie_mcp.catalogue.deriving import OWN_KEYWORDS
from kie_mcp.catalogue.live import MOST_MODELS, is_model_id
from kie_mcp.catalogue.sanitising import UnusableSchemaError, clean_fields
from kie_mcp.errors import BundleError, ConfigError, UnclearAnswerError
from kie_mcp.log import logger
from kie_mcp.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kie_mcp.catalogue.checking import ModelFileCheck

FORMAT = 1
LARGEST_BYTES = 20 * 1024 * 1024

_LATEST = 1e12

_ODD = (BundleError, RecursionError, TypeError, ValueError, AttributeError, KeyError)
"""What a content of quite another form makes code stumble over that was written for the right one."""


def bundled_files(folder: str | None = None) -> dict[str, dict[str, Any]]:
    """The content of every bundled model file by its id. Raises ``BundleError``."""
    return {data["id"]: data for data in (schemas.load(name, folder) for name in schemas.names("models", folder))}


def write(path: Path, models: Iterable[Mapping[str, Any]], fetched_at: float) -> None:
    """Put the models into the file, whole or not at all; ``fetched_at`` is wall-clock time in seconds.

    Raises ``ConfigError`` where the state folder cannot be written, ``UnclearAnswerError`` for too much of it.
    """
    content = {"format": FORMAT, "fetched_at": fetched_at, "models": list(models)}
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


def read(path: Path, folder: str | None = None) -> dict[str, dict[str, Any]]:
    """The refreshed models by their ids: those of the file that are right in themselves.

    None where there is no file, where it cannot be used, or where the bundled models below ``folder`` are newer.
    Raises ``BundleError`` for those only.
    """
    content = _content(path)
    if content is None:
        return {}
    if content["fetched_at"] <= _bundled_at(folder):
        logger().info("%s is older than the bundled models and was not used.", path)
        return {}
    found, wrong = _sound(content["models"], bundled_files(folder))
    if wrong:
        first, reason = next(iter(wrong.items()))
        logger().warning("%s: %d models in it were not used, e.g. %s: %s.", path, len(wrong), first, reason)
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


def _bundled_at(folder: str | None) -> float:
    """When the bundled models were last compared with Kie's own, in seconds since the epoch."""
    try:
        day = dt.date.fromisoformat(schemas.load("catalogue.json", folder)["as_of"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"The bundled catalogue.json has no date: {error!r}") from error
    return dt.datetime.combine(day, dt.time.min, dt.UTC).timestamp()


def _sound(models: list[Any], bundled: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The models of a file that can be used, and what is wrong with the others."""
    from kie_mcp.catalogue.checking import ModelFileCheck

    check = ModelFileCheck()
    lower = {model_id.lower(): model_id for model_id in bundled}
    found: dict[str, dict[str, Any]] = {}
    wrong: dict[str, str] = {}
    for data in models[:MOST_MODELS]:
        model_id = str(data.get("id")) if isinstance(data, dict) else ""
        if not is_model_id(model_id) or lower.setdefault(model_id.lower(), model_id) != model_id:
            wrong["an entry"] = "it has no id, or one that is taken"
            continue
        fault = fault_of(data, bundled.get(model_id), check)
        if fault:
            wrong[model_id] = fault
        else:
            found[model_id] = data
    return found, wrong


def fault_of(data: Mapping[str, Any], base: Mapping[str, Any] | None, check: ModelFileCheck) -> str | None:
    """Why the content of a model file from outside cannot be used, in half a sentence; ``None`` where it can.

    Beyond what makes a model file right, its input has to be clean, and its rules those of the bundled ``base``.
    """
    try:
        unclean = _unclean(data["input"], base) or _with_pictures(data)
        return unclean or next((printable(fault) for fault in check.faults(data)), None)
    except _ODD as error:
        return f"it describes no model ({type(error).__name__})"


def _unclean(schema: Mapping[str, Any], base: Mapping[str, Any] | None) -> str | None:
    fields = {name: _without_limits(field) for name, field in schema["properties"].items()}
    try:
        clean = clean_fields(fields, schema["required"])
    except UnusableSchemaError as error:
        return str(error)
    if clean != {"properties": fields, "required": schema["required"]}:
        return "its input schema has what none from outside may have"
    rules = {name: value for name, value in schema.items() if name not in OWN_KEYWORDS}
    known = base["input"] if base else {}
    if any(not _is_part(value, known.get(name)) for name, value in rules.items()):
        return "it has rules that no bundled model has"
    return None


def _with_pictures(data: Mapping[str, Any]) -> str | None:
    """Which pictures are sent, perhaps from this machine, is only for callers to say."""
    fields = {name: field for name, field in data["input"]["properties"].items() if takes_pictures(field)}
    if set(fields) & set(data["defaults"]) or any(field.get("default", []) != [] for field in fields.values()):
        return "it brings pictures of its own"
    return None


def _is_part(rule: Any, known: Any) -> bool:
    return rule == known or (isinstance(rule, list) and isinstance(known, list) and all(part in known for part in rule))


def _without_limits(field: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if name not in ("x-max-mb", "x-mime")}
