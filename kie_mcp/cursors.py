"""Where a page of tasks begins, as clients carry it from one page to the next. Loads nothing slow."""

from __future__ import annotations

import re

_CURSOR = re.compile(r"before-([0-9]{1,18})")
"""A number that SQLite can hold."""


def cursor_before(number: int) -> str:
    """The cursor of the page of tasks whose numbers are below that one."""
    return f"before-{number}"


def number_before(cursor: object, named: str, given_as: str) -> int | None:
    """The number in such a cursor; ``None`` for that of the first page, which is none.

    Raises ``InputError`` for any other value: ``named`` is what it came as, ``given_as`` what it should have been.
    """
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor) if isinstance(cursor, str) else None
    if found is None:
        from kie_mcp.catalogue.problems import shown
        from kie_mcp.errors import InputError

        raise InputError(f"{named} is {shown(cursor)}; it must be {given_as}.")
    return int(found[1])
