"""Bytes inside a text (RFC 2397)."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import pytest

from kie_mcp.files import is_data_url
from kie_mcp.files.data_urls import data_of, without_data


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("data:image/png;base64,YWJj", b"abc"),
        ("data:;base64,YWI=", b"ab"),
        ("data:;base64,Y%20W%0d%0AI%09%3d\f\v\t", b"ab"),
        ("data:image/png;charset=x;BASE64 ,YWI%3D", b"ab"),
        ("data:image/png;base64,YW\nJj\r\n ", b"abc"),
        ("data:image/png;base64,YQ", b"a"),
        ("data:image/png;base64,%2B%2F%2B%2F", b"\xfb\xff\xbf"),
        ("data:,a%00%ffb,c", b"a\0\xffb,c"),
        ("data:text/plain;base6,YQ", b"YQ"),
    ],
)
def test_the_data_is_decoded(url, data):
    assert data_of(url, max_bytes=100) == data


@pytest.mark.parametrize("data", ["Y", "YWJ=j", "Y*Jj", "YW-_", "YQ===", "ä", "%41%41%41%41", "\u00a0YWJj"])
def test_what_is_no_base64_is_refused(data):
    with pytest.raises(ValueError, match="not valid base64"):
        data_of(f"data:;base64,{data}", max_bytes=100)


def test_what_is_surely_too_much_is_not_decoded():
    with pytest.raises(ValueError, match="it has about 300 bytes, at most 100 are accepted"):
        data_of("data:;base64," + "*" * 400, max_bytes=100)
    assert len(data_of("data:;base64," + "YWJj" * 34, max_bytes=100)) == 102


@pytest.mark.parametrize("head", ["data:,", "data:;base64,"])
@pytest.mark.parametrize("piece", ["%41", "A\n", "%2B", "%%", "é%41"])
def test_a_long_url_is_decoded_in_a_few_times_its_memory(head, piece):
    url = head + piece * 300_000
    tracemalloc.start()
    try:
        with suppress(ValueError):
            data_of(url, max_bytes=10**9)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 6_000_000


def test_an_escape_is_decoded_wherever_a_slice_ends():
    for before in range(8180, 8200):
        assert data_of("data:," + "a" * before + "%ff%fe%%41%4", max_bytes=10**6) == b"a" * before + b"\xff\xfe%A%4"


def test_a_url_is_shown_without_its_data():
    assert without_data("data:image/png;base64,YWJj") == "data:image/png;base64,…"
    assert without_data("data:YWJj") == "data:…"


@pytest.mark.parametrize(
    ("text", "is_one"), [("data:", True), ("DaTa:,x", True), ("data", False), ("/data:x", False), ("", False)]
)
def test_a_data_url_is_known_by_its_scheme(text, is_one):
    assert is_data_url(text) is is_one
