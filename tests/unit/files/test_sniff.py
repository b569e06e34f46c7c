"""Knowing pictures by their bytes."""

from __future__ import annotations

import io
import random
import struct

import pytest
from PIL import Image

from kie_mcp.files.sniff import AVIF, BMP, GIF, HEAD_BYTES, JPEG, PNG, TIFF, WEBP, dimensions, sniff

KINDS = {"PNG": PNG, "JPEG": JPEG, "WEBP": WEBP, "GIF": GIF, "BMP": BMP, "TIFF": TIFF, "AVIF": AVIF}
SIZED = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_kind_is_known_by_its_first_bytes(picture, name, kind):
    assert sniff(picture(name)[:HEAD_BYTES]) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<!doctype html>",
        b"BM is how this sentence begins, and then it goes on",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"\xff\xd8",
    ],
)
def test_other_bytes_are_no_picture(head):
    assert sniff(head) is None


def test_avif_is_known_by_a_compatible_brand_too():
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == AVIF


@pytest.mark.parametrize("name", SIZED)
@pytest.mark.parametrize("size", [(1, 1), (300, 7), (640, 1000)])
def test_the_size_is_read_from_the_header(picture, name, size):
    assert dimensions(io.BytesIO(picture(name, size))) == size


def test_the_size_of_a_lossless_webp_is_read(picture):
    assert dimensions(io.BytesIO(picture("WEBP", (300, 7), lossless=True))) == (300, 7)


def test_the_size_of_an_extended_webp_is_read():
    buffer = io.BytesIO()
    Image.new("RGBA", (300, 7), (1, 2, 3, 4)).save(buffer, "WEBP")
    assert buffer.getvalue()[12:16] == b"VP8X"
    assert dimensions(buffer) == (300, 7)


def test_the_size_of_an_old_bitmap_is_read():
    header = b"BM" + b"\0" * 12 + struct.pack("<IHH", 12, 5, 6)
    assert dimensions(io.BytesIO(header)) == (5, 6)


def test_a_bitmap_stored_from_the_top_has_a_positive_height():
    header = b"BM" + b"\0" * 12 + struct.pack("<Iii", 40, 5, -6)
    assert dimensions(io.BytesIO(header)) == (5, 6)


def test_fill_bytes_before_a_jpeg_marker_are_passed_over(picture):
    data = picture("JPEG", (30, 20))
    assert dimensions(io.BytesIO(data[:2] + b"\xff\xff\xff\x01" + data[2:])) == (30, 20)


def test_a_jpeg_of_fill_bytes_alone_is_given_up(picture):
    data = picture("JPEG", (30, 20))
    assert dimensions(io.BytesIO(data[:2] + b"\xff" * 65_536 + data[2:])) == (30, 20)
    assert dimensions(io.BytesIO(data[:2] + b"\xff" * 65_537 + data[2:])) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 8,
        b"\xff\xd8\xff\xe0\0",
        b"\xff\xd8\xff\xe0\0\x02no marker",
        b"\xff\xd8" + b"\xff\xe0\0\0" * 5000,
        b"RIFF\0\0\0\0WEBPVP8X",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WEBPVP8L",
        b"RIFF\0\0\0\0WEBPelse",
        b"GIF89a",
        b"II*\0",
    ],
)
def test_hostile_bytes_have_no_size(data):
    assert dimensions(io.BytesIO(data)) in (None, (1, 1))


def test_random_damage_never_raises(picture):
    rng = random.Random(7)
    for name in KINDS:
        whole = picture(name, (40, 30))
        for _ in range(200):
            data = bytearray(whole[: rng.randrange(len(whole))])
            for _ in range(min(4, len(data))):
                data[rng.randrange(len(data))] = rng.randrange(256)
            dimensions(io.BytesIO(bytes(data)))


def test_a_file_that_cannot_be_read_has_no_size(picture, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(picture())
    with path.open("ab") as unreadable:
        assert dimensions(unreadable) is None
