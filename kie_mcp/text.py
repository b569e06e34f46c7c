"""Text from outside and for callers: made safe to show, cut to what a message can bear, looked at as a URL."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Clean(str):
    """Text in which no secret is looked for any more."""

    __slots__ = ()


class Base64(Clean):
    """A picture in base64: there are no words in it, and it is long."""

    __slots__ = ()


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str, limit: int = 500) -> str:
    """Text from outside made safe to show: no control characters, single spaces, at most ``limit``."""
    kept = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    return shortened(" ".join(kept.split()), limit)


def quoted(text: str, limit: int = 500) -> str:
    """The same in double quotes, which the text itself cannot close: what is said by others, and no instruction."""
    return '"' + printable(text, limit).replace('"', "'") + '"'


def all_printable(value: Any, limit: int = 500) -> Any:
    """A JSON value whose every string, names too, is made safe to show; ``limit`` is for each."""
    if isinstance(value, str):
        return printable(value, limit)
    if isinstance(value, dict):
        return {printable(name, limit): all_printable(item, limit) for name, item in value.items()}
    if isinstance(value, list):
        return [all_printable(item, limit) for item in value]
    return value


def escaped(text: str, kept: str = "") -> str:
    r"""``text`` with what a terminal would obey, or shows in another order, as ``\u…``; ``kept`` stays as it is."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in kept else _escape(char) for char in text)


def _escape(char: str) -> str:
    """As JSON has it, so that a JSON text stays one."""
    number = ord(char)
    if number <= 0xFFFF:  # noqa: PLR2004 - the last code point that one UTF-16 unit can hold
        return f"\\u{number:04x}"
    return "".join(f"\\u{unit:04x}" for unit in memoryview(char.encode("utf-16-le")).cast("H"))


def host_of(url: str) -> str:
    """The host that an http or https URL names, in lower case; empty for anything else, however it is written."""
    from urllib.parse import urlsplit

    if not url.isprintable() or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:  # e.g. an address in brackets that is none
        return ""
    return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
