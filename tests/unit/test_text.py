"""Text cut for messages."""

from __future__ import annotations

import pytest

from kie_mcp.text import host_of, printable, shortened


@pytest.mark.parametrize(("text", "shown"), [("", ""), ("fox", "fox"), ("foxes", "fox…"), ("a red fox", "a r…")])
def test_only_what_is_too_long_is_cut_and_shows_it(text, shown):
    assert shortened(text, 4) == shown


def test_text_from_outside_is_made_safe_to_show_and_cut():
    assert printable("a  b\n\tc \u00e9") == "a b c \u00e9"
    assert printable("\x1b]0;a\x07\u202eb\u2028c", 5) == "]0;a…"
    assert printable("x" * 501) == "x" * 499 + "…"
    assert printable("x" * 500) == "x" * 500


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.com/a.png", "example.com"),
        ("http://[::1]:80/", "::1"),
        ("HTTPS:///etc/passwd", ""),
        ("https://", ""),
        ("https://[", ""),
        ("https://exa mple.com", ""),
        ("https://\ud800", ""),
        ("ftp://example.com", ""),
        ("/etc/passwd", ""),
        ("", ""),
    ],
)
def test_a_url_has_a_host_or_is_none(url, host):
    assert host_of(url) == host
