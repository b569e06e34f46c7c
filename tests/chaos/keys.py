"""Looking for the key in everything that was written."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

KEY = "k/5c1f+0e9b=7a3d2468&sandbox"
"""A key with characters that are written differently in URLs and in JSON."""

_PIECE = 1024 * 1024
_LEAST = 12
"""Characters of a part of the key that would give it away."""


def forms_of(key):
    """The key as it could be written: as it is, its halves, in URLs, in JSON, in base64 at any place, in hex.

    Longest first: that is what tells most of where it comes from.
    """
    raw = key.encode()
    texts = {key, key[:_LEAST], key[-_LEAST:], quote(key), quote(key, safe=""), quote_plus(key)}
    texts |= {json.dumps(key)[1:-1], json.dumps(key)[1:-1].replace("/", "\\/"), raw.hex()}
    for before in range(3):
        # The first and the last characters also depend on what stands around the key.
        for coded in (base64.b64encode, base64.urlsafe_b64encode):
            texts.add(coded(b"\0" * before + raw)[4:-4].decode())
    texts |= {
        quote(text, safe="").lower() for text in (key, key[:_LEAST], key[-_LEAST:]) if "%" in quote(text, safe="")
    }
    return sorted((text.encode() for text in texts), key=len, reverse=True)


def places_of(key, folder):
    """The files below ``folder`` whose name or content has the key in any form."""
    forms = forms_of(key)
    return [
        f"{path.relative_to(folder)}: {found.decode()}"
        for path in sorted(folder.rglob("*"))
        for found in [_found_in(path, forms)]
        if found
    ]


def _found_in(path, forms):
    name = str(path.name).encode("utf-8", "surrogateescape")
    found = next((form for form in forms if form in name), None)
    return found or (_found_inside(path, forms) if path.is_file() else None)


def _found_inside(path, forms):
    kept = max(map(len, forms))
    last = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            piece = last + piece
            found = next((form for form in forms if form in piece), None)
            if found:
                return found
            last = piece[-kept:]
    return None
