"""Giving a finished picture its name: once, never over another file, and whenever the process is killed.

Each step is noted before it is made; a successor reads the note and finishes the step or undoes it.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from kie_mcp.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class SavedPicture:
    """A picture on disk: absolute path, size in bytes, pixels where the bytes say them."""

    path: Path
    mime_type: str
    bytes: int
    width: int | None
    height: int | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placing:
    """A whole picture in ``part`` that is about to become ``picture.path``, or another name made from ``stem``."""

    part: Path
    stem: str
    picture: SavedPicture


class Journal(Protocol):
    """Where each step is noted before it is made, so that it can be finished or undone should the process die.

    Each method may raise, and nothing further is done then.
    """

    def begun(self, part: Path) -> None:
        """Note that the file ``part`` is about to be made; it is not whole yet."""

    def placing(self, placing: Placing) -> None:
        """Note that a whole file is about to get its name."""

    def placed(self, picture: SavedPicture) -> None:
        """Note that it has it, and that the part is gone."""


def place(placing: Placing, journal: Journal) -> Path:
    """Give the finished file the first name that is free, without a moment in which it is half there.

    Raises ``OutputError`` where the folder cannot be written, and what ``journal`` raises.
    """
    for path in _free_names(placing):
        picture = replace(placing.picture, path=path)
        journal.placing(replace(placing, picture=picture))
        with write_errors(path.parent), suppress(FileExistsError):
            _move_exclusively(placing.part, path)
            _sync_folder(path.parent)
            remove_part(placing.part)  # as long as the note speaks of it
            journal.placed(picture)
            return path
    raise AssertionError  # the names never end


def new_part(folder: Path) -> Path:
    """A new name for a file that is not whole yet; a link cannot cross file systems, so it is in the same folder."""
    return folder / f".kie-mcp-{secrets.token_hex(8)}.part"


def is_part(path: Path) -> bool:
    """Whether a name is one of ``new_part``, in a folder that is named in full."""
    return path.is_absolute() and re.fullmatch(r"\.kie-mcp-[0-9a-f]{16}\.part", path.name) is not None


def remove_part(part: Path) -> None:
    """Remove what a process that died has left of a picture; a part that cannot be removed stays."""
    with suppress(OSError):
        part.unlink()


def finish_placing(placing: Placing, journal: Journal) -> SavedPicture | None:
    """Finish what a process that died has begun; ``None`` where nothing is left of its picture.

    The part is the only token: whoever gives it a name has saved the picture, and nobody can do so twice.
    Raises ``OutputError`` where the folder cannot be written any more, and what ``journal`` raises.
    """
    part, picture = placing.part, placing.picture
    placed = _same_file(part, picture.path) or (_size(part) is None and _size(picture.path) == picture.bytes)
    if placed:
        remove_part(part)
        journal.placed(picture)
    elif _size(part) == picture.bytes:
        if _size(picture.path) == 0:  # the name, taken where there are no links, just before it was filled
            remove_part(picture.path)
        picture = replace(picture, path=place(placing, journal))
        placed = True
    remove_part(part)
    return picture if placed else None


@contextmanager
def write_errors(folder: Path) -> Iterator[None]:
    """Raise ``OutputError`` for what the system says. Only around our own writing: other errors are others'."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"The picture could not be written to {folder}: {(error.strerror or str(error)).lower()}.",
            next_step="Free the disk or choose another output_path, then call get_visual_task.",
        ) from error


def _free_names(placing: Placing) -> Iterator[Path]:
    """The names that are not taken as far as can be seen; another process may still be quicker."""
    wanted = placing.picture.path
    for count in itertools.count(1):
        path = wanted.with_name(f"{placing.stem}{'' if count == 1 else f'-{count}'}{wanted.suffix}")
        if not os.path.lexists(path):
            yield path


def _size(path: Path) -> int | None:
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return None


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _move_exclusively(part: Path, path: Path) -> None:
    """Move ``part`` to ``path``; raises ``FileExistsError`` where that exists, as a link of any kind too."""
    try:
        os.link(part, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # FAT, some network and FUSE file systems know no links: take the name, then fill it
        path.open("xb").close()
        try:
            part.replace(path)
        except BaseException:
            path.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where a folder can be opened for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
