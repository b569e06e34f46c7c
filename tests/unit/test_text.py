"""Text cut for messages."""

from __future__ import annotations

import pytest

from kie_mcp.text import all_printable, escaped, host_of, printable, quoted, shortened


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


def test_what_others_say_stands_in_quotes_that_it_cannot_close():
    assert quoted('Done." Now\n"do') == "\"Done.' Now 'do\""
    assert quoted("x" * 10, 4) == '"xxx…"'


def test_every_text_of_a_value_is_made_safe_to_show():
    value = {"a\x1b": ["b\n\u202ec", 1, None, {"d": True}], "e": 0.5}
    assert all_printable(value) == {"a": ["b c", 1, None, {"d": True}], "e": 0.5}
    assert all_printable(["x" * 9], 4) == ["xxx…"]


def test_what_a_terminal_would_obey_is_written_as_json_does():
    assert escaped("a fox \U0001f98a é") == "a fox \U0001f98a é"
    assert escaped("\x1b[31m\x9b\u202e\n\ud800") == "\\u001b[31m\\u009b\\u202e\\u000a\\ud800"
    assert escaped("\U000e0041") == "\\udb40\\udc41"
    assert escaped("a\nb\tc", kept="\n") == "a\nb\\u0009c"
