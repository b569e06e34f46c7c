"""Text from callers and for them: cut to a length that a message can bear; looked at as a URL."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"


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
