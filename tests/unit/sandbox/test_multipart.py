"""Forms with files, piece by piece."""

from __future__ import annotations

import io

import pytest

from kie_mcp.sandbox.messages import Body
from kie_mcp.sandbox.multipart import boundary_of, parts


def read(data: bytes) -> list[tuple[str, str | None, bytes]]:
    found = parts(Body(io.BytesIO(data), len(data)), b"B")
    return [(part.name, part.file_name, b"".join(part.pieces)) for part in found]


def part(head: str, content: bytes) -> bytes:
    return b"--B\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def test_parts_come_in_their_order():
    data = (
        part('name="uploadPath"', b"a/b") + part('filename="x \xe9.png"; name="file"', b"1\r\n--\r\n2") + b"--B--\r\n"
    )
    assert read(b"a preamble\r\n" + data) == [("uploadPath", None, b"a/b"), ("file", "x é.png", b"1\r\n--\r\n2")]


def test_a_large_part_comes_in_pieces():
    content = bytes(range(256)) * 2000
    data = part('name="file"; filename=""', content) + part("nothing", b"") + b"--B--"
    assert read(data) == [("file", "", content), ("", None, b"")]


def test_a_form_may_arrive_byte_by_byte():
    data = part('name="a"', b"1") + part('name="b"', b"2") + b"--B--"
    stream = b"".join(b"1\r\n%c\r\n" % byte for byte in data) + b"0\r\n\r\n"
    found = parts(Body(io.BytesIO(stream), chunked=True), b"B")
    assert [(part.name, b"".join(part.pieces)) for part in found] == [("a", b"1"), ("b", b"2")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no end"),
        (part('name="a"', b"1"), "no end"),
        (b"--Bxx", "broken boundary"),
        (b"--B\r\n" + b"h" * 100_000, "no end of its head"),
    ],
)
def test_a_broken_form_is_an_error(data: bytes, message: str):
    with pytest.raises(ValueError, match=message):
        read(data)


def test_the_boundary_is_read_with_and_without_quotes():
    assert boundary_of("multipart/form-data; boundary=abc") == b"abc"
    assert boundary_of('Multipart/Form-Data; boundary="a b"; x=y') == b"a b"
    for wrong in ("", "multipart/form-data", "text/plain; boundary=abc"):
        with pytest.raises(ValueError, match="not multipart"):
            boundary_of(wrong)
