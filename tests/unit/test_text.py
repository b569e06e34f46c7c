"""Text cut for messages."""

from __future__ import annotations

import pytest

from kie_mcp.text import host_of, shortened


@pytest.mark.parametrize(("text", "shown"), [("", ""), ("fox", "fox"), ("foxes", "fox…"), ("a red fox", "a r…")])
def test_only_what_is_too_long_is_cut_and_shows_it(text, shown):
    assert shortened(text, 4) == shown


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
