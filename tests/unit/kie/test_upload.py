"""The multipart body that is read from disk while it is sent."""

from __future__ import annotations

import email.parser
import email.policy
import hashlib
import io
import os
import tracemalloc

import pytest

from kie_mcp.errors import CancelledError, InputError
from kie_mcp.kie.upload import MultipartFile

FIELDS = {"uploadPath": "kie-mcp", "fileName": "0123.png"}


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "my private name.PNG"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300)
    return path


def parsed(content_type, body):
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    return email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)


@pytest.mark.parametrize("size", [-1, 1, 7, 16384, 10**9])
def test_the_form_has_the_fields_and_the_file_however_it_is_read(picture, size):
    with MultipartFile(picture.open("rb"), "image/png", FIELDS) as form:
        body = b"".join(iter(lambda: form.read(size), b""))
        assert len(body) == len(form)
        assert form.read(size) == b""
    parts = list(parsed(form.content_type, body).iter_parts())
    assert [part.get_param("name", header="content-disposition") for part in parts] == [*FIELDS, "file"]
    assert [part.get_content().strip() for part in parts[:2]] == list(FIELDS.values())
    assert parts[2].get_content_type() == "image/png"
    assert parts[2].get_filename() == "0123.png"
    assert parts[2].get_payload(decode=True) == picture.read_bytes()


def test_the_name_of_the_file_stays_on_this_machine(picture):
    with MultipartFile(picture.open("rb"), "image/png", FIELDS) as form:
        assert b"private" not in form.read(400)


def test_every_form_has_a_boundary_of_its_own(picture):
    with (
        MultipartFile(picture.open("rb"), "image/png", FIELDS) as one,
        MultipartFile(picture.open("rb"), "image/png", FIELDS) as two,
    ):
        assert one.content_type != two.content_type


def test_who_watches_may_end_it_before_any_piece(picture):
    pieces = []

    def watch():
        if len(pieces) == 3:
            raise CancelledError("no more")

    with MultipartFile(picture.open("rb"), "image/png", FIELDS, watch) as form:
        while len(pieces) < 3:
            pieces.append(form.read(100))
        with pytest.raises(CancelledError):
            form.read(100)


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "big.png"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    try:
        with MultipartFile(path.open("rb"), "image/png", FIELDS) as form:
            read = sum(len(piece) for piece in iter(lambda: form.read(16384), b""))
            peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == len(form)
    assert peak < 2_000_000


def test_a_file_that_grows_while_it_is_sent_is_sent_as_long_as_it_was(picture):
    before = picture.read_bytes()
    with MultipartFile(picture.open("rb"), "image/png", FIELDS) as form:
        with picture.open("ab") as file:
            file.write(b"a secret behind the picture")
        body = b"".join(iter(lambda: form.read(10**9), b""))
        assert form.sha256 == hashlib.sha256(before).hexdigest()
    assert len(body) == len(form)
    assert b"secret" not in body


def test_a_file_that_shrinks_while_it_is_sent_ends_the_upload(picture):
    with MultipartFile(picture.open("rb"), "image/png", FIELDS) as form:
        os.truncate(picture, 100)
        with pytest.raises(InputError, match="has changed since it was checked: it became shorter"):
            list(iter(lambda: form.read(1000), b""))


def test_the_digest_is_that_of_the_bytes_that_were_sent(picture):
    with MultipartFile(picture.open("rb"), "image/png", FIELDS) as form:
        while form.read(1000):
            pass
        assert form.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()


def test_bytes_in_memory_are_sent_like_a_file():
    with MultipartFile(io.BytesIO(b"GIF89a;"), "image/gif", FIELDS) as form:
        body = b"".join(iter(lambda: form.read(10), b""))
    (*_, part) = parsed(form.content_type, body).iter_parts()
    assert part.get_payload(decode=True) == b"GIF89a;"


def test_the_file_is_closed_afterwards(picture):
    file = picture.open("rb")
    with MultipartFile(file, "image/png", FIELDS):
        assert not file.closed
    assert file.closed
