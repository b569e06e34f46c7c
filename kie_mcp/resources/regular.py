"""Whether a saved picture is still there."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os


def status_of(path: str) -> os.stat_result | None:
    """The status of a regular file; ``None`` for anything else, also for a link: it leads to what nobody saved.

    ``None``, too, where a name is no text (not UTF-8): no URI is read as such a path.
    """
    try:
        path.encode()
        status = Path(path).lstat()
    except (OSError, UnicodeEncodeError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None
