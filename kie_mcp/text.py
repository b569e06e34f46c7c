"""Text for people: cut to a length that a message can bear."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"
