"""Logging to stderr and, where asked, as JSON lines to a file; with secrets taken out of both."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kie_mcp.text import Clean, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOGGER = "kie_mcp"
MASK = "[redacted]"
SHORTEST_SECRET = 8
"""A shorter one would be found inside of words: it counts only where it stands alone, and a mere word or number
only in its place."""

_ALONE = (r"(?<![\w-])", r"(?![\w-])")
_IN_A_HEADER = ("(?<=Bearer )", "")
_IN_A_URL = ("(?<=:)", "(?=@)")
_REPEATED, _AT_LEAST_ONE = "{0,16}", "{1,16}"
"""How often an encoding is looked through: without an end the search would take the square of a text's length."""
_PERCENT = f"%(?:25){_REPEATED}"
_HEAD_BYTES = 128
_OWN_LINE = re.compile(rb'\{"time": "[\d:.T-]+Z", "level": "\w+", "message": "')
_ALONE_HERE = threading.RLock()
"""Whoever changes the handlers of the logger, which the library has one of, holds it."""
_GROUP = 3
"""Bytes that four characters of base64 stand for (RFC 4648, 4)."""


def logger() -> logging.Logger:
    """The program's logger."""
    return logging.getLogger(LOGGER)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """``value`` with every secret replaced, in strings (but no ``Clean`` ones) at any depth of dicts and lists.

    A secret is known as it is, percent-encoded, escaped as in JSON or HTML (each in part or in whole, in either
    case of the digits), and in base64.
    """
    known = tuple(secret for secret in secrets if secret)
    return _redacted(value, _patterns(known)) if known else value


@lru_cache(maxsize=8)  # every message is redacted, and with the same few secrets
def _patterns(secrets: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, secrets)))


def _redacted(value: Any, secrets: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Clean) else secrets.sub(MASK, value)
    if isinstance(value, dict):
        return {_redacted(key, secrets): _redacted(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, secrets) for item in value]
    return value


def _pattern(secret: str) -> str:
    spelled = "".join(map(_spellings, re.findall(r"\\+|[^\\]", secret)))
    if len(secret) >= SHORTEST_SECRET:
        return "|".join((spelled, *_in_base64(secret.encode("utf-8", "surrogatepass"))))
    places = (_IN_A_HEADER, _IN_A_URL) if secret.isalpha() or secret.isdecimal() else (_ALONE,)
    return "|".join(f"{before}{spelled}{after}" for before, after in places)


def _spellings(part: str) -> str:
    """One character, or several backslashes, in the ways in which it is written.

    Encoding may be applied more than once. JSON makes more backslashes of each, so a run of them is taken as one: to
    try every way of sharing them out would take time without end.
    """
    if not part.startswith("\\"):
        return f"(?:{'|'.join(_ways(part))})"
    plain, *escapes = _ways(part[0])  # of which most begin with the plain one, and come first
    return rf"(?:(?<!\\)\\{{{len(part)},}}+|(?:{'|'.join((*escapes, plain))}){{{len(part)}}})"


def _ways(char: str) -> list[str]:
    plain, units = re.escape(char), char.encode("utf-16-be", "surrogatepass").hex()
    ways = [
        plain,
        "".join(_PERCENT + _digits(f"{byte:02x}") for byte in char.encode("utf-8", "surrogatepass")),
        "".join(rf"\\{_AT_LEAST_ONE}u{_digits(units[at : at + 4])}" for at in range(0, len(units), 4)),
        f"&#(?:0{_REPEATED}{ord(char)}|[xX]0{_REPEATED}{_digits(f'{ord(char):x}')});",
    ]
    if char in '"/':
        ways.append(rf"\\{_AT_LEAST_ONE}{plain}")
    if (name := html.escape(char)) != char:
        ways.append(name)
    return ways


def _digits(hexadecimal: str) -> str:
    """Hexadecimal digits in either case."""
    return "".join(digit if digit.isdecimal() else f"[{digit}{digit.upper()}]" for digit in hexadecimal)


def _in_base64(secret: bytes) -> Iterable[str]:
    """What base64 makes of a secret at each place in a group, without the characters that neighbours have a part in."""
    for offset in range(_GROUP):
        text = base64.b64encode(b"\0" * offset + secret).decode().rstrip("=")
        whole = text[offset and offset + 1 : len(text) - bool((offset + len(secret)) % _GROUP)]
        yield re.escape(whole).replace(r"\+", f"(?:[-+]|{_PERCENT}2[bB])").replace("/", f"(?:[/_]|{_PERCENT}2[fF])")


class _RedactingFormatter(logging.Formatter):
    """A line of text; the traceback, redacted with it, is set off below. Nothing in them moves a terminal's cursor."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("kie-mcp %(levelname)s: %(message)s")
        self._secrets = tuple(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the library's
        return escaped(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        text = str(redact(super().format(record), self._secrets))
        return escaped(text, kept="\n").replace("\n", "\n  ")


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
        text = escaped(json.dumps(redact(line, self._secrets), ensure_ascii=False))
        # What a shell would put something in the place of, should it ever be made to read this.
        return text.replace("$", "\\u0024").replace("`", "\\u0060")


class _TextHandler(logging.StreamHandler[Any]):
    """Lines of text; one that cannot be written is dropped."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Say nothing: the library would print the record as it came, secrets and all."""


class _FileHandler(logging.FileHandler):
    """The same, for a file."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as above
        """As above."""


class LastingHandler(logging.Handler):
    """One that stays when the log is configured."""


def _require_log(file: Path) -> None:
    """Whoever can name a file may not have lines put into any: it has to be new, empty, or a log already."""
    if not file.is_file():
        return
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head and not _OWN_LINE.match(head):
        raise OSError("it holds something else than a log of this program; name a new file")


def configure(level: str, file: Path | None, secrets: Iterable[str], stream: Any = None) -> None:
    """Send the program's log to ``stream`` (stderr) and to ``file``; replaces what was set before.

    Raises ``OSError`` where the file cannot be opened, or holds something else than such a log.
    """
    with _ALONE_HERE:
        _configure(level, file, tuple(secrets), stream)


def _configure(level: str, file: Path | None, secrets: tuple[str, ...], stream: Any) -> None:
    handlers: list[logging.Handler] = [_TextHandler(stream)]
    handlers[0].setFormatter(_RedactingFormatter(secrets))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        _require_log(file)
        handlers.append(_FileHandler(file, encoding="utf-8", errors="backslashreplace"))
        handlers[1].setFormatter(_JsonFormatter(secrets))
    target = logger()
    for old in list(target.handlers):
        if not isinstance(old, LastingHandler):
            target.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.setLevel(level.upper())
        attach(handler)
    target.propagate = False


def attach(handler: logging.Handler) -> None:
    """Let a handler have what is logged from its own level on; the text on stderr there is in any case."""
    with _ALONE_HERE:
        target = logger()
        if not target.handlers and isinstance(handler, LastingHandler):  # the settings have not been read yet
            configure("warning", None, ())
        target.addHandler(handler)
        target.setLevel(min(each.level for each in target.handlers))
