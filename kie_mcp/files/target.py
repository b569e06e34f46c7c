"""Where pictures will be written: decided, created and proved writable before anything is paid for."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.errors import ConfigError, OutputError
from kie_mcp.files.naming import picture_stem
from kie_mcp.files.paths import path_from
from kie_mcp.files.reserved import is_device_name
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.config import Config

PICTURE_EXTENSIONS = ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif")
_STATE_FILE = re.compile(r"\.(sqlite3|json)([.-]|$)", re.IGNORECASE)
_LONGEST_NAME = 255
_ROOM_FOR_SUFFIXES = 16
"""Bytes of a name kept free for another extension and for the numbers that tell files apart."""
_NEXT_STEP = "Choose another output_path, or leave it out; describe_imager_interface shows the output folder."


@dataclass(frozen=True)
class Target:
    """A writable folder and, where the caller named a file, its name in two halves.

    ``folder`` is absolute. ``stem`` and ``extension`` (as written, without the dot) are both ``None`` where
    the file is to be named after its prompt. ``warnings`` belong to the call, not to each file.
    """

    folder: Path
    stem: str | None = None
    extension: str | None = None
    warnings: tuple[str, ...] = ()


class Outputs:
    """Decides where pictures go, from the settings and the caller's ``output_path``."""

    def __init__(self, config: Config, pictures_folder: Callable[[], Path] | None = None) -> None:
        self._config = config
        self._pictures_folder = pictures_folder or _user_pictures
        self._told = threading.Event()

    def target(self, output_path: str | None, *, trial: bool = False) -> Target:
        """Choose the place for one call's pictures; its folder exists and can be written when this returns.

        A ``trial`` checks as much as can be without creating anything.

        A path whose last part ends in a picture extension names a file, unless a folder of that name
        exists; any other path names a folder. ``None`` is the configured folder or, where that cannot be
        used, the user's pictures folder. Raises ``OutputError``.
        """
        if output_path is None:
            return self._default_target(self._check if trial else self._prepare)
        try:
            wanted = _split(output_path)
        except (OSError, ValueError) as error:
            raise _refusal(repr(output_path), _reason(error)) from error
        (self._check if trial else self._prepare)(wanted.folder)
        return wanted

    @property
    def max_bytes(self) -> int:
        """The size of the largest picture that is written."""
        return self._config.max_image_bytes

    def stem(self, target: Target, prompt: str, now: float, number: int | None) -> str:
        """The name of a picture without its extension; see ``picture_stem``. It holds no secret."""
        return picture_stem(target.stem, prompt, now, number, self._config.secrets())

    def recheck(self, target: Target) -> None:
        """Once more, just before something is written: the folder may have become a link to elsewhere meanwhile.

        Raises ``OutputError`` where the folder is gone, or is not inside the roots any more.
        """
        try:
            self._require_root(target.folder)
            if not target.folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "it is no folder any more")
        except (OSError, RuntimeError) as error:
            raise _refusal(f"the folder {target.folder}", _reason(error)) from error

    def default_folder(self) -> tuple[Path, str | None]:
        """Tell the folder used without ``output_path``, and what to say about it. Leaves no trace, never raises."""
        configured = self._configured()
        try:
            self._check(configured)
        except OutputError as refused:
            try:
                fallback = self._fallback()
                self._check(fallback)
            except OutputError:
                return configured, refused.message
            return fallback, _fallback_warning(fallback, refused)
        return configured, None

    def _default_target(self, prove: Callable[[Path], None]) -> Target:
        configured = self._configured()
        try:
            prove(configured)
        except OutputError as refused:
            try:
                fallback = self._fallback()
                prove(fallback)
            except OutputError:
                raise refused from None
            warning = _fallback_warning(fallback, refused)
            self._tell_once(warning)
            return Target(fallback, warnings=(warning,))
        return Target(configured)

    def _tell_once(self, warning: str) -> None:
        if not self._told.is_set():
            self._told.set()
            logger().warning(warning)

    def _configured(self) -> Path:
        return _absolute(self._config.output_dir)

    def _fallback(self) -> Path:
        return _absolute(self._pictures_folder()) / "kie-mcp"

    def _prepare(self, folder: Path) -> None:
        """Create ``folder`` and prove that it can be written."""
        try:
            self._require_root(folder)
            folder.mkdir(parents=True, exist_ok=True)
            self._require_root(folder)  # once more: what was missing before may be a link by now
            _probe(folder)
        except (OSError, RuntimeError) as error:
            raise _refusal(f"the folder {folder}", _reason(error)) from error

    def _check(self, folder: Path) -> None:
        """As ``_prepare``, but with the nearest folder that exists, so that nothing is created."""
        try:
            self._require_root(folder)
            _probe(next(place for place in (folder, *folder.parents) if place.exists()))
        except (OSError, RuntimeError) as error:
            raise _refusal(f"the folder {folder}", _reason(error)) from error

    def _require_root(self, folder: Path) -> None:
        """Refuse a folder that is, with links followed, outside ``KIE_AI_OUTPUT_ROOTS`` or a file of the state."""
        roots = self._config.output_roots
        place = folder.resolve()
        if self._is_of_the_state(place):
            raise OutputError(f"The folder {folder} has a name that the task ledger needs.", next_step=_NEXT_STEP)
        if roots and not any(place.is_relative_to(_absolute(root).resolve()) for root in roots):
            raise OutputError(
                f"The folder {folder} is outside KIE_AI_OUTPUT_ROOTS ({os.pathsep.join(map(str, roots))}).",
                next_step="Choose an output_path inside one of those folders.",
            )

    def _is_of_the_state(self, place: Path) -> bool:
        """Whether a path goes through one of the program's own files, which a folder of its name would keep out."""
        try:
            state = self._config.state_path.resolve()
        except ConfigError:
            return False
        parts = place.relative_to(state).parts if place.is_relative_to(state) else ()
        own = bool(parts) and _STATE_FILE.search(parts[0]) is not None
        return own or (self._config.log_file is not None and place == self._config.log_file.resolve())


def _user_pictures() -> Path:
    from platformdirs import user_pictures_path

    try:
        return user_pictures_path()
    except RuntimeError as error:
        raise OutputError("The home folder is not known, so there is no pictures folder.") from error


def _absolute(path: Path) -> Path:
    """Start ``path`` at the working directory and take ``..`` out of it as a shell's ``cd`` does."""
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would show where links end instead
    except OSError:
        return path  # the working directory is gone, and writing will say so


def _split(text: str) -> Target:
    """``text`` as a folder or a file in one. Raises ``ValueError`` or ``OSError`` with the reason."""
    path = _absolute(path_from(text))
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise ValueError(f"a part of it is longer than {_LONGEST_NAME} bytes")
    stem, dot, extension = path.name.rpartition(".")
    if not dot or extension.lower() not in PICTURE_EXTENSIONS or text.endswith(("/", os.sep)) or path.is_dir():
        return Target(path)
    if not stem.strip(". "):
        raise ValueError("the file has no name before its extension")
    if is_device_name(stem):  # anywhere: pictures travel
        raise ValueError(f"{stem!r} is a reserved device name on Windows")
    if len(os.fsencode(path.name)) > _LONGEST_NAME - _ROOM_FOR_SUFFIXES:
        raise ValueError(f"the file name is longer than {_LONGEST_NAME - _ROOM_FOR_SUFFIXES} bytes")
    return replace(Target(path.parent), stem=stem, extension=extension)


def _probe(folder: Path) -> None:
    """Make a file in ``folder``; raises ``OSError`` where that cannot be done.

    It has no name where the system can do without (Linux, O_TMPFILE), else it loses it at once: nothing is left
    behind, even by a process that is killed here.
    """
    with tempfile.TemporaryFile(dir=folder, prefix=".kie-mcp-", suffix=".part"):
        pass


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)


def _refusal(what: str, reason: str) -> OutputError:
    return OutputError(f"Pictures cannot be written to {what}: {reason}.", next_step=_NEXT_STEP)


def _fallback_warning(folder: Path, refused: OutputError) -> str:
    return f"{refused.message} {folder} is used instead; set KIE_AI_OUTPUT_DIR to choose another."
