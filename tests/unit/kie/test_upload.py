"""The multipart body that is read from disk while it is sent."""

from __future__ import annotations

import email.parser
import email.policy
import tracemalloc

import pytest

from kie_mcp.errors import InputError
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
    with MultipartFile(picture, "image/png", FIELDS) as form:
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
    with MultipartFile(picture, "image/png", FIELDS) as form:
        assert b"private" not in form.read(400)


def test_every_form_has_a_boundary_of_its_own(picture):
    with MultipartFile(picture, "image/png", FIELDS) as one, MultipartFile(picture, "image/png", FIELDS) as two:
        assert one.content_type != two.content_type


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "big.png"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    try:
        with MultipartFile(path, "image/png", FIELDS) as form:
            read = sum(len(piece) for piece in iter(lambda: form.read(16384), b""))
            peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == len(form)
    assert peak < 2_000_000


def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png' cannot be read: No such file"):
        MultipartFile(tmp_path / "gone.png", "image/png", FIELDS)


def test_the_file_is_closed_afterwards(picture):
    with MultipartFile(picture, "image/png", FIELDS) as form:
        file = form._file
    assert file.closed
