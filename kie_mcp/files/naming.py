"""Names of picture files: after the time and the prompt."""

from __future__ import annotations

import time
import unicodedata
from typing import TYPE_CHECKING, TypeGuard

from kie_mcp.log import SHORTEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST_SLUG = 48
_READ_OF_PROMPT = 500
_ALIASES = {"jpeg": "jpg", "tif": "tiff"}


def default_stem(prompt: str, now: float, secrets: Collection[str] = ()) -> str:
    """``YYYYmmdd-HHMMSS-<slug>`` in local time; ``now`` in seconds since the epoch."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{slug(prompt, secrets)}"


def picture_stem(asked: str | None, prompt: str, now: float, number: int | None, secrets: Collection[str] = ()) -> str:
    """The name of a picture without its extension: the one asked for, or the default.

    ``number`` tells several outputs of one task apart, from 1; ``None`` for the only one.
    """
    stem = asked or default_stem(prompt, now, secrets)
    return stem if number is None else f"{stem}-{number}"


def slug(prompt: str, secrets: Collection[str] = ()) -> str:
    """Turn the prompt's first words, at most 48 characters, into one lower-case word for a file name.

    Latin letters lose their accents, letters of other scripts stay; ``picture`` where nothing is left, or where one
    of ``secrets`` would come out, in whatever letters it was written.
    """
    told = "".join(_words(prompt[: 2 * _READ_OF_PROMPT]))
    if any(name in told for name in map("".join, map(_words, secrets)) if len(name) >= SHORTEST_SECRET):
        return "picture"
    words = _words(prompt[:_READ_OF_PROMPT])
    chosen = ""
    for word in words:
        longer = f"{chosen}-{word}" if chosen else word
        if len(longer) > _LONGEST_SLUG:
            break
        chosen = longer
    return chosen or "".join(words[:1])[:_LONGEST_SLUG] or "picture"


def _words(text: str) -> list[str]:
    return "".join(map(_plain, unicodedata.normalize("NFC", text))).lower().split()


def _plain(character: str) -> str:
    """ASCII where there is a counterpart, the character itself where it is part of a word, else a space."""
    if not character.isalnum():
        # vowel signs and the like are part of their word in many scripts
        return character if unicodedata.category(character) in ("Mn", "Mc") else " "
    folded = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, folded)) or character


def same_format(name: str | None, extension: str) -> TypeGuard[str]:
    """Whether two format names mean one format: ``jpeg`` is ``jpg``, ``tif`` is ``tiff``, in any case."""
    if name is None:
        return False
    one, other = name.lower(), extension.lower()
    return _ALIASES.get(one, one) == _ALIASES.get(other, other)
