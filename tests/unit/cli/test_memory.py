"""Memory that is freed goes back to the system."""

from __future__ import annotations

import ctypes
import gc
from types import SimpleNamespace

import pytest

from kie_mcp.cli.memory import ARENAS, EVERY_CALLS, LARGE_BYTES, Memory


@pytest.fixture
def collected(monkeypatch):
    """What was asked of Python's collector."""
    asked = []
    monkeypatch.setattr(gc, "collect", lambda: asked.append("collect"))
    monkeypatch.setattr(gc, "freeze", lambda: asked.append("freeze"))
    return asked


def test_glibc_keeps_little_and_gives_back_the_rest_once_in_a_while(monkeypatch, collected):
    told = []
    library = SimpleNamespace(
        mallopt=lambda *said: told.append(said), malloc_trim=lambda kept: told.append(("trim", kept))
    )
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    memory = Memory()
    assert told == [(-3, LARGE_BYTES), (-8, ARENAS)]
    for _ in range(2 * EVERY_CALLS):
        memory.after_call()
    assert told[2:] == [("trim", 0), ("trim", 0)]
    assert collected == ["collect", "freeze", "collect"]


@pytest.mark.parametrize("has", [{}, {"mallopt": lambda *_: pytest.fail("these are not its numbers")}])
def test_another_c_library_is_left_alone(monkeypatch, collected, has):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(**has))
    memory = Memory()
    for _ in range(EVERY_CALLS):
        memory.after_call()
    assert collected == ["collect", "freeze"]
