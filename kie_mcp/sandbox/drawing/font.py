"""A bitmap font of 5 by 7 dots for printable ASCII, and text broken into lines."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 5
HEIGHT = 7
ADVANCE = 6
"""Dots from one glyph to the next."""

LINE = 10
"""Dots from one line to the next."""

_COLUMNS = bytes.fromhex(
    "0000000000" "00005F0000" "0007000700" "147F147F14" "242A7F2A12" "2313086462" "3649552250" "0005030000"
    "001C224100" "0041221C00" "14083E0814" "08083E0808" "0050300000" "0808080808" "0060600000" "2010080402"
    "3E5149453E" "00427F4000" "4261514946" "2141454B31" "1814127F10" "2745454539" "3C4A494930" "0171090503"
    "3649494936" "064949291E" "0036360000" "0056360000" "0814224100" "1414141414" "0041221408" "0201510906"
    "324979413E" "7E1111117E" "7F49494936" "3E41414122" "7F4141221C" "7F49494941" "7F09090901" "3E4149497A"
    "7F0808087F" "00417F4100" "2040413F01" "7F08142241" "7F40404040" "7F020C027F" "7F0408107F" "3E4141413E"
    "7F09090906" "3E4151215E" "7F09192946" "4649494931" "01017F0101" "3F4040403F" "1F2040201F" "3F4038403F"
    "6314081463" "0708700807" "6151494543" "007F414100" "0204081020" "0041417F00" "0402010204" "4040404040"
    "0001020400" "2054545478" "7F48444438" "3844444420" "384444487F" "3854545418" "087E090102" "0C5252523E"
    "7F08040478" "00447D4000" "2040443D00" "7F10284400" "00417F4000" "7C04180478" "7C08040478" "3844444438"
    "7C14141408" "081414187C" "7C08040408" "4854545420" "043F444020" "3C4040207C" "1C2040201C" "3C4030403C"
    "4428102844" "0C5050503C" "4464544C44" "0008364100" "00007F0000" "0041360800" "0804081008"
)  # fmt: skip
"""Five columns a glyph, from the space on; the lowest bit is the topmost dot."""

_BOX = bytes.fromhex("7F4141417F")
"""What stands for a character that the font does not have."""


def plain(text: str) -> str:
    """``text`` in one line, accents taken off, other characters beyond ASCII as they are."""
    bare = "".join(part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))
    return " ".join(bare.split())


def lines(text: str, columns: int, count: int) -> list[str]:
    """The beginning of ``text`` in at most ``count`` lines of ``columns`` characters."""
    if not (text := plain(text)):
        return []
    return textwrap.wrap(text, max(4, columns), max_lines=count, placeholder="...")


def runs(line: str) -> Iterator[tuple[int, int, int]]:
    """The lit dots of a line, as ``(row, first column, column behind the last)``."""
    for row in range(HEIGHT):
        start: int | None = None
        dots = [*_row(line, row), False]
        for column, lit in enumerate(dots):
            if lit and start is None:
                start = column
            elif not lit and start is not None:
                yield row, start, column
                start = None


def _row(line: str, row: int) -> Iterator[bool]:
    for character in line:
        for column in _glyph(character):
            yield bool(column >> row & 1)
        yield False


def _glyph(character: str) -> bytes:
    at = (ord(character) - 32) * WIDTH
    return _COLUMNS[at : at + WIDTH] if 0 <= at < len(_COLUMNS) else _BOX
