"""Names that are no files on Windows: devices, streams beside a file's content, and what the system would rename.

Source: learn.microsoft.com, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath

_DIGITS = "0123456789\u00b9\u00b2\u00b3"
"""Windows takes the superscripts of Latin-1 for digits."""
_DEVICES = frozenset(("con", "prn", "aux", "nul", "conin$", "conout$")) | frozenset(
    f"{port}{digit}" for port in ("com", "lpt") for digit in _DIGITS
)


def is_device_name(name: str) -> bool:
    """Whether a name is that of a device on Windows, which extensions and spaces do not change."""
    return name.partition(".")[0].partition(":")[0].rstrip().lower() in _DEVICES


def windows_trouble(path: PurePath) -> str | None:
    """Why a path would not lead to a file of its name on Windows; ``None`` where it would."""
    for part in path.relative_to(path.anchor).parts:
        if is_device_name(part):
            return f"{part!r} is a reserved device name on Windows"
        if ":" in part:
            return f"{part!r} names a stream of a file, or another drive"
        if part != ".." and part[-1] in ". ":
            return f"{part!r} ends in what Windows leaves away"
    device = path.drive.startswith(("\\\\.\\", "\\\\?\\", "//./", "//?/"))
    return f"{path.drive!r} names a device" if device else None
