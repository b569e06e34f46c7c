"""Kie's answers: ``{"code", "msg", "data"}``, where ``code`` is the status and HTTP says 200 as a rule.

Source: docs.kie.ai, "Response status codes" of each endpoint; which codes stand for which mistakes was
seen in recorded answers, e.g. code 500 for a missing field.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import (
    AuthError,
    CreditsError,
    InputError,
    KieMcpError,
    NotAcceptedError,
    RateLimitError,
    ServerError,
    UnclearAnswerError,
)
from kie_mcp.log import redact
from kie_mcp.text import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

OK = 200
_RATE_LIMITED = 429
_MOST_DIGITS = 19
_READ_OF_PAGE = 4096
_INPUT_WORDS = re.compile(r"\b(is|are) required\b|\binvalid\b|\bnot supported\b|\bmust be\b", re.IGNORECASE)
_CREDIT_WORDS = re.compile(r"\bcredits? insufficient\b|\binsufficient (credits?|balance)\b", re.IGNORECASE)

_HTTP_NOT_ACCEPTED = frozenset({408, 425, 503})
_CODE_NOT_ACCEPTED = frozenset({455, 550})
_FEATURE_DISABLED = 505
_CODE_REFUSED_BY_SERVER = frozenset({501, _FEATURE_DISABLED})
_CODE_UNCLEAR = frozenset({408, 425})
_REFUSALS: Mapping[int, type[KieMcpError]] = {
    401: AuthError,
    403: AuthError,
    402: CreditsError,
    433: CreditsError,
}


def read_envelope(status: int, headers: Mapping[str, str], body: bytes, secrets: Collection[str] = ()) -> Any:
    """The ``data`` of a good answer.

    Raises the error of the answer's category: ``RateLimitError`` and ``NotAcceptedError`` where the
    request was certainly not taken on, ``UnclearAnswerError`` where that cannot be told, else a definite
    refusal. HTTP status is read first, then whether the body is JSON, then ``code``. Where an answer
    repeats one of ``secrets``, neither the data nor the error does. Kie's own words stand in quotes.
    """
    text = str(redact(body.decode("utf-8", "surrogateescape"), secrets))  # before anything is cut off
    envelope = _parsed(text, secrets)
    reason = _reason(envelope) if envelope else ""
    if status != OK:
        raise _http_error(status, headers, reason or _visible_text(text))
    code = envelope.get("code") if envelope else None
    if envelope is None or not isinstance(code, int) or isinstance(code, bool):
        raise UnclearAnswerError(
            f"Kie answered HTTP 200 with something that is not its JSON envelope: {_excerpt(text)}."
        )
    if code != OK:
        raise _code_error(code, headers, reason)
    return envelope.get("data")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds where it is a plain number (RFC 9110, 10.2.3; dates are not used by Kie)."""
    value = headers.get("Retry-After", "")
    return float(value) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) else None


def parsed_object(text: str, secrets: Collection[str] = ()) -> dict[str, Any] | None:
    """The JSON object in ``text``, its strings without ``secrets``; ``None`` for anything else.

    A number that JSON cannot carry on (NaN, infinity) or with more than 18 digits becomes ``None`` in it.
    """
    try:
        # A secret may be in an encoding whose characters are escaped in turn: it shows only now.
        value = redact(json.loads(text, parse_constant=_nothing, parse_float=_finite, parse_int=_whole), secrets)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _nothing(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) < _MOST_DIGITS else None


def _parsed(text: str, secrets: Collection[str]) -> dict[str, Any] | None:
    """The envelope; JSON is UTF-8 (RFC 8259, 8.1), and what is not has left half characters in the text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return parsed_object(text, secrets)


def _reason(envelope: dict[str, Any]) -> str:
    text = envelope.get("msg") or envelope.get("message")
    return text if isinstance(text, str) else ""


def _visible_text(text: str) -> str:
    """What a page shows, its title once."""
    body = re.sub(r"(?is)<(script|style).*?</\1>", " ", text[:_READ_OF_PAGE])
    title = re.search(r"(?is)<title>(.*?)</title>", body)
    if title is not None and body.count(title[1]) > 1:
        body = body.replace(title[0], " ")
    return re.sub(r"<[^>]*>", " ", body)


def _excerpt(text: str) -> str:
    return quoted(_visible_text(text), 120) if text.strip() else "an empty body"


def _said(beginning: str, text: str, nothing: str) -> str:
    return f"{beginning}: {quoted(text)}" if printable(text) else f"{beginning}{nothing}"


def _http_error(status: int, headers: Mapping[str, str], text: str) -> KieMcpError:
    message = _said(f"Kie answered HTTP {status}", text, ".")
    if status == _RATE_LIMITED:
        return RateLimitError(message, retry_after=retry_after(headers), code=status)
    if status in _HTTP_NOT_ACCEPTED:
        return NotAcceptedError(message, retry_after=retry_after(headers), code=status)
    if status in _REFUSALS:
        return _REFUSALS[status](message, code=status)
    if 400 <= status < 500:  # noqa: PLR2004 - the class of client errors, RFC 9110, 15.5
        return InputError(message, code=status)
    return UnclearAnswerError(message, code=status, retry_after=retry_after(headers))


def _code_error(code: int, headers: Mapping[str, str], text: str) -> KieMcpError:
    message = _said(f"Kie answered code {code}", text, ": no reason given")
    if code == _RATE_LIMITED:
        return RateLimitError(message, retry_after=retry_after(headers), code=code)
    if code in _CODE_NOT_ACCEPTED:
        return NotAcceptedError(message, code=code, retry_after=retry_after(headers))
    if code in _REFUSALS:
        return _REFUSALS[code](message, code=code)
    if code in _CODE_REFUSED_BY_SERVER:
        return ServerError(message, code=code, retryable=code != _FEATURE_DISABLED)
    if code in _CODE_UNCLEAR:
        return UnclearAnswerError(message, code=code)
    if 400 <= code < 500:  # noqa: PLR2004 - as in HTTP, the classes of Kie's codes
        return InputError(message, code=code)
    if code == 500:  # noqa: PLR2004 - as above
        return _code_500(message, text)
    return UnclearAnswerError(message, code=code)


def _code_500(message: str, text: str) -> KieMcpError:
    """Kie says 500 for its own failures, for missing fields and for missing credits alike: the text decides."""
    if _CREDIT_WORDS.search(text):
        return CreditsError(message, code=500)
    if _INPUT_WORDS.search(text):
        return InputError(message, code=500)
    return ServerError(message, code=500)
