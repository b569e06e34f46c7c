"""Hearing what the log says, level by level: everything, or what is logged for one request."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.log import LastingHandler, attach
from kie_mcp.text import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[str, str], None]

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO + 5,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "alert": logging.CRITICAL + 5,
    "emergency": logging.CRITICAL + 10,
}
"""The levels of RFC 5424 among those of Python."""


@dataclass
class _Ear:
    """Somebody who listens: from which level on, how it is told, and whether it is over."""

    level: int
    tell: Tell
    closed: bool = False

    def hear(self, record: logging.LogRecord) -> None:
        """Tell it, if the record is grave enough."""
        if record.levelno >= self.level:
            self.tell(_name(record.levelno), escaped(record.getMessage()))


def _name(level: int) -> str:
    return next((name for name, least in reversed(_LEVELS.items()) if level >= least), "debug")


_OF_REQUEST: ContextVar[_Ear | None] = ContextVar("ear of the request", default=None)
"""Set for the thread of a request, and for those that run with a copy of its context."""


class Listeners(LastingHandler):
    """Hands on what is logged, a level's name and a text without traceback; nothing that a listener raises comes back.

    Levels are debug, info, notice, warning, error, critical, alert and emergency; one hears of the graver ones, too.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._everything: _Ear | None = None
        attach(self)

    def hear(self, level: str, tell: Tell) -> None:
        """Tell of everything from now on; in the place of whom was told before."""
        self._everything = _Ear(_LEVELS[level], tell)

    @contextmanager
    def during(self, level: str, tell: Tell) -> Iterator[None]:
        """Tell of what is logged until the block ends, by this thread or with a copy of its context."""
        ear = _Ear(_LEVELS[level], tell)
        token = _OF_REQUEST.set(ear)
        try:
            yield
        finally:
            ear.closed = True
            _OF_REQUEST.reset(token)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Tell nobody of what is logged until the block ends, by this thread or with a copy of its context."""
        token = _OF_REQUEST.set(_Ear(logging.NOTSET, lambda *_: None))
        try:
            yield
        finally:
            _OF_REQUEST.reset(token)

    def handle(self, record: logging.LogRecord) -> bool:
        """Hand a record on, without a lock: whoever is told may have to wait, and for another who logs."""
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on to one who listens: what is logged for a request is told to its client alone."""
        ear = _OF_REQUEST.get()
        if ear is None or ear.closed:
            ear = self._everything
        if ear is not None:
            with suppress(Exception):
                ear.hear(record)
