"""How the text of an environment variable is read; ``ValueError`` for what cannot be used."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SECONDS = 1_000_000
"""Eleven days: sockets and waits of some platforms take no more than about twice as long."""

_REDIS_PORT = 6379
_MASK = "***"
_ON = ("on", "1", "true", "yes")
_OFF = ("off", "0", "false", "no")


def text(value: str) -> str:
    """Any text."""
    return value


def key(value: str) -> str:
    """A key: visible ASCII without spaces."""
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError
    return value


def number(value: str) -> float:
    """A finite number from 0."""
    number = float(value)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def delay(value: str) -> float:
    """Seconds from 0 to ``MOST_SECONDS``."""
    seconds = number(value)
    if seconds > MOST_SECONDS:
        raise ValueError
    return seconds


def seconds(value: str) -> float:
    """Seconds above 0, at most ``MOST_SECONDS``."""
    seconds = delay(value)
    if not seconds:
        raise ValueError
    return seconds


def whole(most: float = float("inf")) -> Callable[[str], int]:
    """A reader of whole numbers from 1 to ``most``."""

    def read(value: str) -> int:
        number = int(value)
        if not 1 <= number <= most:
            raise ValueError
        return number

    return read


def url(value: str) -> str:
    """An http or https URL without user, query and fragment; a slash at its end is left away."""
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError where it is no number
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise ValueError
    return value.rstrip("/")


def url_path(value: str) -> str:
    """A path below a base URL."""
    if not re.fullmatch(r"/[^\s?#]+", value):
        raise ValueError
    return value


def path(value: str) -> Path:
    """A path of this machine; ``~`` is the home folder."""
    if "\0" in value:
        raise ValueError
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # a home folder that is not known
        raise ValueError from error


def paths(value: str) -> tuple[Path, ...]:
    """Several paths, made absolute, between the platform's separators."""
    found = tuple(path(part).absolute() for part in value.split(os.pathsep) if part)
    if not found:
        raise ValueError
    return found


@dataclass(frozen=True)
class SecretUrl:
    """The URL of a server with a password in it, perhaps; what shows it, shows ``shown`` instead of ``full``.

    ``where`` is its host and port, or its socket. ``passwords`` are the forms of the password.
    """

    full: str = field(repr=False)
    shown: str
    where: str
    passwords: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.shown


def redis_url(value: str) -> SecretUrl:
    """A URL that the package redis takes: redis://, rediss:// (encrypted) or unix:// (a socket of this machine).

    A user or a password with one of ``/?#@`` in it has to be percent-encoded: raw, it would end the host's part.
    """
    parts = urlsplit(value)
    port = parts.port or _REDIS_PORT  # raises ValueError where it is no number
    if parts.scheme == "unix":
        where = parts.path
    elif parts.scheme in ("redis", "rediss") and parts.hostname:
        where = f"{parts.hostname}:{port}"
    else:
        raise ValueError
    if not where or parts.fragment or "@" in parts.path + parts.query:
        raise ValueError
    options = [option.partition("=") for option in parts.query.split("&")]
    secret = {option for option, _, _ in options if unquote(option).lower().endswith("password")}
    written = [parts.password or "", *(word for option, _, word in options if option in secret)]
    passwords = {form for word in written if word for form in _forms(word)}
    user, _, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}:{_MASK}@{host}" if parts.password else parts.netloc
    query = "&".join(f"{option}{equals}{_MASK if option in secret else word}" for option, equals, word in options)
    shown = value.partition("?")[0].replace(parts.netloc, netloc, 1) + (f"?{query}" if query else "")
    return SecretUrl(value, shown, where, tuple(sorted(passwords)))


def _forms(word: str) -> tuple[str, ...]:
    """A word of a URL as it is written, as it is meant, and as others may write it."""
    return word, unquote(word), unquote_plus(word), quote(unquote(word), safe="")


def switch(value: str) -> bool:
    """On or off, in the words that are usual for it."""
    if value.lower() in _OFF:
        return False
    if value.lower() not in _ON:
        raise ValueError
    return True
