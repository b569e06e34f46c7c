"""Paths as callers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kie_mcp.files.paths import path_from


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fox.png", Path("fox.png")),
        ("/a/b", Path("/a/b")),
        ("file:///a/b%20c.png", Path("/a/b c.png")),
        ("file:/a/b%20c.png", Path("/a/b c.png")),
        ("file://localhost/a", Path("/a")),
        ("FILE:///a", Path("/a")),
        ("~/a", Path.home() / "a"),
    ],
)
def test_a_path_may_be_plain_or_from_home_or_a_url(text, expected):
    assert path_from(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("a\0b", "NUL"),
        ("file:///a%00b", "NUL"),
        ("file://example.com/a", "another machine"),
        ("file:///a?b", "%3F"),
        ("file:///a%ff", "half of a character"),
        ("\ud800", "half of a character"),
        ("~no-such-user-here/a", "home folder"),
    ],
)
def test_what_cannot_be_a_path_says_why(text, reason):
    with pytest.raises(ValueError, match=reason):
        path_from(text)
