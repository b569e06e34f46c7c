"""Requests and answers without sockets."""

from __future__ import annotations

import io

import pytest

from kie_mcp.sandbox.messages import Body, Request, failure, json_answer


def chunked(data: bytes) -> Body:
    return Body(io.BytesIO(data), chunked=True)


def test_a_sized_body_ends_where_it_says():
    body = Body(io.BytesIO(b"0123456789"), 4)
    assert (body.read(3), body.read(3), body.read(3)) == (b"012", b"3", b"")


def test_a_chunked_body_is_put_together_and_its_trailer_skipped():
    body = chunked(b"4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: 1\r\n\r\nNEXT")
    assert body.read_all() == b"Wikipedia"
    assert body.read() == b""


def test_a_body_that_breaks_off_is_a_connection_error():
    with pytest.raises(ConnectionError):
        Body(io.BytesIO(b"ab"), 3).read_all()
    with pytest.raises(ConnectionError):
        chunked(b"zz\r\n").read()


def test_a_body_over_the_limit_is_refused_and_can_be_drained():
    body = Body(io.BytesIO(b"x" * 100_000), 100_000)
    with pytest.raises(ValueError, match="longer than 10 bytes"):
        body.read_all(10)
    body.drain()
    assert body.read() == b""


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b"[" * 200_000])
def test_what_is_no_json_object_is_none(data: bytes):
    assert Request("POST", "/", Body(io.BytesIO(data), len(data))).json_object() is None


def test_the_url_has_the_query():
    body = Body(io.BytesIO())
    assert Request("GET", "/a", body, {"b": "1", "c": "2"}).url == "/a?b=1&c=2"
    assert Request("GET", "/a", body).url == "/a"


def test_an_error_may_lack_data_and_text_that_is_no_unicode_is_replaced():
    assert b"".join(failure(401, "no", data=False).body) == b'{"code":401,"msg":"no"}'
    assert b"".join(json_answer("\ud800é").body) == '"?é"'.encode()
