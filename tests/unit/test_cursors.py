"""Where a page of tasks begins."""

from __future__ import annotations

import pytest

from kie_mcp.cursors import cursor_before, number_before
from kie_mcp.errors import InputError


@pytest.mark.parametrize("number", [0, 1, 17, 10**18 - 1])
def test_a_cursor_leads_back_to_its_number(number):
    assert number_before(cursor_before(number), "cursor", "one") == number


def test_no_cursor_is_the_first_page():
    assert number_before(None, "cursor", "one") is None


@pytest.mark.parametrize(
    "cursor", ["", "7", "before-", "before--1", "before-1\n", "before-" + "9" * 19, "before-\u0661", 5, []]
)
def test_anything_else_is_named_with_what_it_should_have_been(cursor):
    with pytest.raises(InputError, match=r"^params\.cursor is .*; it must be the nextCursor of an earlier page\.$"):
        number_before(cursor, "params.cursor", "the nextCursor of an earlier page")
