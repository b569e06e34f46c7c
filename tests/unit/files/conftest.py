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


class NotedSteps:
    """A journal that keeps what it is told; ``on`` has functions to be called with a step, e.g. to end there."""

    def __init__(self):
        self.steps = []
        self.on = {}

    def begun(self, part):
        self._note("begun", part)

    def placing(self, placing):
        self._note("placing", placing)

    def placed(self, picture):
        self._note("placed", picture)

    def _note(self, step, what):
        self.steps.append((step, what))
        if step in self.on:
            self.on[step](what)

    @property
    def names(self):
        return [step for step, _ in self.steps]


@pytest.fixture
def journal():
    return NotedSteps()
