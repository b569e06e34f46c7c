"""Where the answers to one line go: out at once, or together where the line was a batch.

Source of the batch rules: JSON-RPC 2.0, section 6; MCP 2025-03-26, "Batching".
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Single:
    """The answer to a line with one message."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        self._send = send

    def begin(self) -> None:
        """Work begins that will answer later."""

    def add(self, answer: dict[str, Any]) -> None:
        """Send the answer."""
        self._send(answer)

    def end(self) -> None:
        """Work that was begun is over, whether it answered or not."""


class Batch(Single):
    """The answers to a batch: one array, sent when the work that was begun is over; none if it is empty."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        super().__init__(send)
        self._lock = threading.Lock()
        self._open = 0
        self._answers: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Hold the array back until ``end``."""
        with self._lock:
            self._open += 1

    def add(self, answer: dict[str, Any]) -> None:
        """Put the answer into the array; an error without an id goes out alone, since no array may hold one."""
        if "id" not in answer:
            self._send(answer)
            return
        with self._lock:
            self._answers.append(answer)

    def end(self) -> None:
        """Send the array if this was the last work."""
        with self._lock:
            self._open -= 1
            whole = self._open == 0 and bool(self._answers)
        if whole:
            self._send(self._answers)
