"""Settings in ``.env`` files, behind those of the environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def settings_folders() -> tuple[Path, ...]:
    """Where ``.env`` files are looked for. Raises ``ConfigError``."""
    try:
        return Path.cwd(), Path(sys.argv[0]).absolute().parent
    except OSError as error:
        raise ConfigError(
            f"The working directory cannot be used: {error.strerror}.",
            next_step="Start the program in a folder that exists.",
        ) from error


def gathered(environment: Mapping[str, str], folders: Iterable[Path]) -> tuple[dict[str, str], dict[str, Path]]:
    """The variables of ``environment``, then of ``.env`` in each folder; and the files of those that are from one.

    What is set is never overridden. Raises ``ConfigError`` for a file that cannot be read or is not UTF-8.
    """
    merged = dict(environment)
    origins: dict[str, Path] = {}
    for folder in folders:
        file = folder / ".env"
        if not _is_there(file):
            continue
        for name, value in _variables_in(file).items():
            if name.startswith("KIE_AI_") and value is not None and name not in merged:
                merged[name] = value
                origins[name] = file
    return merged, origins


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except PermissionError:  # a folder that may not be searched has no settings for this user
        return False


def _variables_in(file: Path) -> dict[str, str | None]:
    from dotenv import dotenv_values

    try:
        return dotenv_values(file, encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except OSError as error:
        raise ConfigError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        # Without its cause, which has the whole file in it.
        raise ConfigError(f"The settings file {file} cannot be read: it is not UTF-8 text.") from None
