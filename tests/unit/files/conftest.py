"""Real pictures, made by Pillow, and a clock that stands still."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from kie_mcp.clock import Clock


class StoppedClock(Clock):
    """Half past nine in the morning, local time, for ever."""

    def now(self):
        return time.mktime((2026, 3, 5, 9, 30, 7, 0, 0, -1))


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def picture():
    """A function that makes a picture's bytes: ``picture("PNG", (4, 3))``."""

    def make(kind="PNG", size=(4, 3), **options):
        buffer = io.BytesIO()
        Image.new("RGB", size, (200, 120, 40)).save(buffer, kind, **options)
        return buffer.getvalue()

    return make
