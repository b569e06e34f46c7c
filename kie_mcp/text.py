"""Text from outside and for callers: made safe to show, cut to what a message can bear, looked at as a URL."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str, limit: int = 500) -> str:
    """Text from outside made safe to show: no control characters, single spaces, at most ``limit``."""
    kept = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    return shortened(" ".join(kept.split()), limit)


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
