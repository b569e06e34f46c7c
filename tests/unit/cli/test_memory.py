"""Memory that is freed goes back to the system."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

from kie_mcp.cli.memory import ARENAS, EVERY_CALLS, LARGE_BYTES, Memory


def test_glibc_is_told_from_which_size_on_memory_goes_back_and_to_give_back_the_rest(monkeypatch):
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


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    memory = Memory()
    for _ in range(EVERY_CALLS):
        memory.after_call()
