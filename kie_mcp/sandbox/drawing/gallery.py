"""Pictures drawn when they are first asked for; the last few are kept."""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from dataclasses import dataclass

from kie_mcp.sandbox.drawing import jpeg, png
from kie_mcp.sandbox.drawing.scenes import poster

KEPT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class PictureKey:
    """What a picture depends on, and nothing else does; edges in pixels, multiples of 8."""

    prompt: str
    model: str
    index: int
    seed: str
    width: int
    height: int
    jpeg: bool


class Gallery:
    """Draws pictures, and remembers at most ``kept_bytes`` of them. Safe to use from any thread."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._lock = threading.Lock()
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[PictureKey, bytes] = OrderedDict()

    def file(self, key: PictureKey) -> bytes:
        """The picture's file: PNG, or JPEG in blocks of 8 pixels."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        drawn = draw(key)
        with self._lock:
            self._kept[key] = drawn
            while sum(map(len, self._kept.values())) > self._kept_bytes:
                self._kept.popitem(last=False)
        return drawn


def draw(key: PictureKey) -> bytes:
    """The picture's file, drawn anew; the same key always gives the same bytes."""
    seed = f"{key.seed}\n{key.model}\n{key.index}\n{key.prompt}".encode("utf-8", "replace")
    chance = random.Random(seed)  # noqa: S311 - art, not secrets
    if key.jpeg:
        columns, rows = key.width // jpeg.BLOCK, key.height // jpeg.BLOCK
        return jpeg.encode(columns, poster(columns, rows, "", chance).rows())
    canvas = poster(key.width, key.height, key.prompt, chance)
    return png.encode(key.width, key.height, canvas.rows(), key.prompt)
