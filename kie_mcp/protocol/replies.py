"""Where the answers to one line go: out at once, or together where the line was a batch.

Source of the batch rules: JSON-RPC 2.0, section 6; MCP 2025-03-26, "Batching".
"""

from __future__ import annotations

import threading

from kie_mcp.protocol.messages import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_CHARACTERS = 9_500_000
"""Of one line: TypeScript clients end the connection over a longer one than 10 MiB."""


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
    """The answers to a batch: an array, sent when the work that was begun is over; none if it is empty.

    Where one line would be too long there are several arrays; each is sent as soon as it is full, so that no more is
    kept than fits into one.
    """

    def __init__(self, send: Callable[[Any], None]) -> None:
        super().__init__(send)
        self._lock = threading.Lock()
        self._open = 0
        self._answers: list[dict[str, Any]] = []
        self._room = MOST_CHARACTERS

    def begin(self) -> None:
        """Hold the array back until ``end``."""
        with self._lock:
            self._open += 1

    def add(self, answer: dict[str, Any]) -> None:
        """Put the answer into the array; an error without an id goes out alone, since no array may hold one."""
        if "id" not in answer:
            self._send(answer)
            return
        length = len(encode(answer))
        with self._lock:
            full = self._taken() if length > self._room else []
            self._answers.append(answer)
            self._room -= length
        if full:
            self._send(full)

    def end(self) -> None:
        """Send the array if this was the last work."""
        with self._lock:
            self._open -= 1
            last = self._taken() if self._open == 0 else []
        if last:
            self._send(last)

    def _taken(self) -> list[dict[str, Any]]:
        taken, self._answers, self._room = self._answers, [], MOST_CHARACTERS
        return taken
