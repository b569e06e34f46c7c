"""Bodies of answers: whole, or refused; never more memory or time than they may have."""

from __future__ import annotations

import gzip
import zlib

import pytest

from kie_mcp.errors import NetworkError, UnclearAnswerError
from kie_mcp.kie.bodies import SLOWEST, Pace, arriving, read_body
from kie_mcp.kie.transport import new_session, translated


@pytest.fixture
def opened(make_config, host):
    """A function that opens an answer of the host without reading it."""
    session = new_session(make_config(base_url=host.url))

    def get():
        return session.get(host.url, stream=True, timeout=5)

    return get


def chunked(*pieces, end=b"0\r\n\r\n"):
    def write(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(end)
        handler.close_connection = not end

    return write


def test_a_whole_body_is_read_and_the_connection_kept(opened, host, clock, answer):
    host.says(answer.page(body=b"a" * 200_000), chunked(b"b" * 70_000, b"c"))
    with opened() as response:
        assert read_body(response, clock, 10) == b"a" * 200_000
    with opened() as response:
        assert read_body(response, clock, 10) == b"b" * 70_000 + b"c"


def test_a_compressed_body_is_unpacked(opened, host, clock, answer):
    host.says(answer.page(body=gzip.compress(b"plain " * 1000), Content_Encoding="gzip"))
    with opened() as response:
        assert read_body(response, clock, 10) == b"plain " * 1000


def test_a_small_body_that_unpacks_to_a_huge_one_is_bounded(opened, host, clock, answer):
    host.says(answer.page(body=gzip.compress(b"\0" * 60_000_000), Content_Encoding="gzip"))
    with opened() as response, pytest.raises(UnclearAnswerError, match="larger than"):
        read_body(response, clock, 10)


def test_a_huge_body_is_not_read_to_its_end(opened, host, clock, answer):
    def huge(handler):
        answer.page(Content_Length=str(10**12))(handler)
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)

    host.says(huge)
    with opened() as response, pytest.raises(UnclearAnswerError, match="larger than 8388608 bytes"):
        read_body(response, clock, 10)


def test_a_body_that_drips_ends_with_the_time_out(opened, host, clock, answer):
    def drip(handler):
        answer.page(Content_Length="100000")(handler)
        handler.wfile.write(b"x")
        host.over.wait(30)

    host.says(drip)
    clock.step = 6
    with opened() as response, pytest.raises(NetworkError, match="KIE_AI_TIMEOUT_SECONDS"):
        read_body(response, clock, 5)


def truncated(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"x" * 10)
    handler.close_connection = True


@pytest.mark.parametrize("ending", [truncated, chunked(b"abc", end=b"")], ids=["length", "chunks"])
def test_a_body_that_ends_too_early_is_a_broken_connection(opened, host, clock, ending):
    host.says(ending)
    with opened() as response, pytest.raises(NetworkError) as caught, translated("host"):
        read_body(response, clock, 10)
    assert type(caught.value) is NetworkError


def test_a_body_arrives_in_bounded_pieces(opened, host, answer):
    host.says(answer.page(body=b"x" * 5000))
    with opened() as response:
        pieces = list(arriving(response, 1000))
    assert b"".join(pieces) == b"x" * 5000
    assert max(map(len, pieces)) <= 1000


# packed bodies


def packed(answer, body, encoding="gzip"):
    return answer.page(body=body, Content_Encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("GZIP ", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)],
)
def test_what_was_packed_is_unpacked_in_bounded_pieces(opened, host, answer, encoding, pack):
    host.says(packed(answer, pack(b"\0" * 3_000_000), encoding))
    with opened() as response:
        sizes = [len(piece) for piece in arriving(response, 1000)]
    assert (sum(sizes), max(sizes)) == (3_000_000, 1000)


@pytest.mark.parametrize("encoding", ["identity", "aws-chunked", "utf-8", "none", "", "br"])
def test_a_packing_that_was_not_asked_for_is_left_as_it_is(opened, host, answer, encoding):
    host.says(packed(answer, b"plain", encoding))
    with opened() as response:
        assert b"".join(arriving(response, 1000)) == b"plain"


def test_a_body_that_is_not_packed_as_it_says_is_a_broken_connection(opened, host, answer):
    host.says(packed(answer, b"plain"))
    with opened() as response, pytest.raises(NetworkError, match="broke"), translated("host"):
        list(arriving(response, 1000))


def test_what_stands_behind_the_end_of_a_packed_body_is_dropped(opened, host, answer):
    host.says(packed(answer, gzip.compress(b"good") + b"x" * 500_000))
    with opened() as response:
        pieces = list(arriving(response, 1000))
    assert b"".join(pieces) == b"good"
    assert pieces.count(b"") > 100


def test_a_packed_body_of_nothing_keeps_nobody_from_looking_at_the_clock(opened, host, clock, answer):
    def endless(handler):
        answer.page(Content_Encoding="gzip", Content_Length=None, Connection="close")(handler)
        handler.wfile.write(gzip.compress(b"")[:10])
        while True:
            handler.wfile.write(b"\0\0\0\xff\xff" * 1000)  # blocks that hold no bytes (RFC 1951, 3.2.4)

    host.says(endless)
    clock.step = 0.1
    with opened() as response, pytest.raises(NetworkError, match="KIE_AI_TIMEOUT_SECONDS"):
        read_body(response, clock, 5)


# how long a download may take


def test_a_download_has_its_time_out_and_a_second_for_every_4_kib(clock):
    pace = Pace(clock, 10, float("inf"))
    clock.time += 9
    pace.check(b"")
    clock.time += 3
    pace.check(b"x" * 2 * SLOWEST)
    clock.time += 0.5
    with pytest.raises(NetworkError, match=r"too slow: 8193 bytes in 12 s") as caught:
        pace.check(b"x")
    assert caught.value.retryable


def test_a_download_ends_with_its_call_however_fast_it_is(clock):
    pace = Pace(clock, 10, 5)
    clock.time += 5
    pace.check(b"x" * 10_000_000)
    clock.time += 1
    with pytest.raises(
        NetworkError, match="call's time ended before the picture was fetched: 10000001 bytes"
    ) as caught:
        pace.check(b"x")
    assert caught.value.retryable
    assert "get_visual_task" in caught.value.next_step
