"""Logging to stderr and, where asked, as JSON lines to a file; with secrets taken out of both."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOGGER = "kie_mcp"
MASK = "[redacted]"


def logger() -> logging.Logger:
    """The program's logger."""
    return logging.getLogger(LOGGER)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """``value`` with every secret replaced, in strings at any depth of dicts and lists."""
    known = [secret for secret in secrets if secret]
    return _redacted(value, known) if known else value


def _redacted(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {_redacted(key, secrets): _redacted(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, secrets) for item in value]
    return value


class _RedactingFormatter(logging.Formatter):
    """A line of text; the traceback is redacted with it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("kie-mcp %(levelname)s: %(message)s")
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return str(redact(super().format(record), self._secrets))


class _JsonFormatter(_RedactingFormatter):
    """One JSON object a line: time, level, message, thread and, after an exception, its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "thread": record.threadName,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(redact(line, self._secrets), ensure_ascii=False)


class _TextHandler(logging.StreamHandler[Any]):
    """Lines of text; one that cannot be written is dropped."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Say nothing: the library would print the record as it came, secrets and all."""


class _FileHandler(logging.FileHandler):
    """The same, for a file."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as above
        """As above."""


def configure(level: str, file: Path | None, secrets: Iterable[str], stream: Any = None) -> None:
    """Send the program's log to ``stream`` (stderr) and to ``file``; replaces what was set before.

    Raises ``OSError`` where the file cannot be opened.
    """
    secrets = tuple(secrets)
    handlers: list[logging.Handler] = [_TextHandler(stream)]
    handlers[0].setFormatter(_RedactingFormatter(secrets))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_FileHandler(file, encoding="utf-8", errors="backslashreplace"))
        handlers[1].setFormatter(_JsonFormatter(secrets))
    target = logger()
    for old in list(target.handlers):
        target.removeHandler(old)
        old.close()
    for handler in handlers:
        target.addHandler(handler)
    target.setLevel(level.upper())
    target.propagate = False
