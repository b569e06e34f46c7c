"""Where the answers to one line go: out at once, or together where the line was a batch.

Source of the batch rules: JSON-RPC 2.0, section 6; MCP 2025-03-26, "Batching".
"""

from __future__ import annotations

import threading

from kie_mcp.protocol.messages import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    """The answers to a batch: an array, sent when the work that was begun is over; none if it is empty."""

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
        """Send the array if this was the last work; several where one would make too long a line."""
        with self._lock:
            self._open -= 1
            whole = self._open == 0
        if whole:
            for part in _parts(self._answers):
                self._send(part)


def _parts(answers: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The answers in lists of which none is longer than ``MOST_CHARACTERS``, unless it holds a single one."""
    part: list[dict[str, Any]] = []
    room = MOST_CHARACTERS
    for answer in answers:
        length = len(encode(answer))
        if part and length > room:
            yield part
            part, room = [], MOST_CHARACTERS
        part.append(answer)
        room -= length
    if part:
        yield part
