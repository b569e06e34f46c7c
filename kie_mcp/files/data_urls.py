"""Pictures inside a text: ``data:`` URLs (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

_SCHEME = "data:"
_BASE64 = ";base64"
_GROUP = 4
"""Characters of base64 for three bytes (RFC 4648, 4)."""
_WRITTEN = {"%2B": "+", "%2F": "/", "%3D": "=", "%20": "", "%09": "", "%0A": "", "%0D": ""}
"""What of base64, and of the space in it, is percent-encoded; letters and digits never are (RFC 3986, 2.3)."""
_SPACE = " \t\n\r\f\v"
_SLICE = 8192


def is_data_url(text: str) -> bool:
    """Whether a text is meant as a ``data:`` URL; the case of the scheme does not matter (RFC 3986, 3.1)."""
    return text[: len(_SCHEME)].lower() == _SCHEME


def without_data(url: str) -> str:
    """The URL up to its data, which no message repeats."""
    head, comma, _ = url.partition(",")
    return f"{head},…" if comma else f"{_SCHEME}…"


def data_of(url: str, *, max_bytes: int) -> bytes:
    """The bytes in a ``data:`` URL; what it says of their type does not count.

    Line breaks in base64, and a missing end of ``=``, are forgiven. Needs a few times the memory of its text, and
    no more. Raises ``ValueError``, with the reason as its text, for what is malformed or surely over ``max_bytes``.
    """
    head, comma, data = url.partition(",")
    if not comma:
        raise ValueError("it has no comma; write data:image/png;base64, followed by the data")
    if not head.rstrip().lower().endswith(_BASE64):
        return _unquoted(data)
    data = _bare(data)
    size = len(data) // _GROUP * 3
    if size > max_bytes + _GROUP:
        raise ValueError(f"it has about {size} bytes, at most {max_bytes} are accepted")
    try:
        return base64.b64decode(data + "=" * (-len(data) % _GROUP), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("its data is not valid base64") from error


def _bare(data: str) -> str:
    """Base64 as its alphabet has it, without spaces."""
    for written, meant in _WRITTEN.items():
        data = data.replace(written, meant).replace(written.lower(), meant)
    for space in _SPACE:
        data = data.replace(space, "")
    return data


def _unquoted(data: str) -> bytes:
    """Percent-encoded bytes; slice by slice, since the library makes an object of every single one."""
    found, at = bytearray(), 0
    while at < len(data):
        end = at + _SLICE
        cut = data.rfind("%", end - 2, end)  # an escape stays in one piece
        end = end if cut < 0 else cut
        found += unquote_to_bytes(data[at:end])
        at = end
    return bytes(found)
