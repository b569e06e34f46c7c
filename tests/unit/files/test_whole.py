"""Whether pictures are all there."""

from __future__ import annotations

import io
import random
import struct

import pytest
from PIL import Image

from kie_mcp.files.sniff import AVIF, BMP, GIF, JPEG, PNG, TIFF, WEBP, dimensions
from kie_mcp.files.whole import is_whole

KINDS = {"PNG": PNG, "JPEG": JPEG, "WEBP": WEBP, "GIF": GIF, "BMP": BMP, "TIFF": TIFF, "AVIF": AVIF}
SECRET = b"password=hunter2 and whatever else stands in such a file; "


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
@pytest.mark.parametrize("size", [(4, 3), (300, 200)])
def test_a_complete_picture_is_whole(picture, name, kind, size):
    assert is_whole(io.BytesIO(picture(name, size)), kind)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16"])
def test_a_picture_of_any_mode_is_whole(mode):
    for name in ("PNG", "TIFF", "GIF"):
        if (name, mode) not in (("GIF", "I;16"), ("GIF", "RGBA")):
            buffer = io.BytesIO()
            Image.new(mode, (20, 10)).save(buffer, name)
            assert is_whole(buffer, KINDS[name])


def test_a_progressive_jpeg_with_a_thumbnail_is_whole_only_with_its_own_end(picture):
    thumbnail = picture("JPEG", (8, 8))
    data = picture("JPEG", (200, 100), progressive=True)
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    assert is_whole(io.BytesIO(data), JPEG)
    assert not is_whole(io.BytesIO(data[:-2]), JPEG)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP"])
@pytest.mark.parametrize("missing", [10, 60])
def test_a_picture_without_its_end_is_not_whole(picture, name, missing):
    assert not is_whole(io.BytesIO(picture(name, (64, 64))[:-missing]), KINDS[name])


def test_what_decoders_pass_over_does_no_harm(picture):
    jpeg, png, gif = picture("JPEG", (64, 64)), picture("PNG"), picture("GIF")
    assert is_whole(io.BytesIO(jpeg[:20] + b"\0\0" + jpeg[20:]), JPEG)
    assert is_whole(io.BytesIO(jpeg[:2] + b"\xff" * 5000 + jpeg[2:]), JPEG)
    assert is_whole(io.BytesIO(png[:-4]), PNG)
    assert is_whole(io.BytesIO(gif[:-1] + b"\0;"), GIF)


def test_a_moving_gif_with_colours_of_its_own_is_whole():
    buffer = io.BytesIO()
    frames = [Image.effect_noise((30, 20), 60).convert("P") for _ in range(3)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=50, comment=b"a; b")
    assert is_whole(buffer, GIF)
    assert not is_whole(io.BytesIO(buffer.getvalue()[:-30]), GIF)


def test_a_bitmap_with_an_old_header_has_to_have_its_pixels():
    header = b"BM" + bytes(8) + struct.pack("<IIHHHH", 26, 12, 4, 4, 1, 24)
    assert not is_whole(io.BytesIO(header.ljust(26, b"\0")), BMP)
    assert is_whole(io.BytesIO(header.ljust(80, b"\0")), BMP)


@pytest.mark.parametrize(
    ("boxes", "whole"),
    [
        (b"\0\0\0\x08meta\0\0\0\x08mdat", True),
        (b"\0\0\0\x08meta\0\0\0\0mdat" + bytes(40), True),
        (b"\0\0\0\x08meta\0\0\0\x01mdat\0\0\0\0\0\0\0\x18" + bytes(8), True),
        (b"\0\0\0\x08meta\0\0\0\x01mdat\0\0\0\0\0\0\0\x18" + bytes(7), False),
        (b"\0\0\0\x08meta\0\0\0\x03junk", True),
        (b"\0\0\0\x08mdat", False),
    ],
)
def test_the_boxes_of_an_avif_tell_whether_it_is_whole(boxes, whole):
    assert is_whole(io.BytesIO(b"\0\0\0\x14ftypavif\0\0\0\0avif" + boxes), AVIF) is whole


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("more", [b"a note by some editor", bytes(200_000)])
def test_something_behind_the_end_does_no_harm(picture, name, more):
    """Telephones put a film behind a picture."""
    assert is_whole(io.BytesIO(picture(name) + more), KINDS[name])


def test_an_end_mark_across_two_pieces_is_found(picture):
    data = picture("JPEG", (64, 64))
    for gap in (65533, 65534, 65535, 65536):
        scan = data.rindex(b"\xff\xda")
        head = data[: scan + 14]
        assert is_whole(io.BytesIO(head + bytes(gap) + b"\xff\xd9"), JPEG)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (PNG, b"\x89PNG\r\n\x1a\n" + b"AAAAIHDR" + SECRET + b"\0\0\0\0IEND\xaeB`\x82"),
        (PNG, b"\x89PNG\r\n\x1a\n" + SECRET),
        (JPEG, b"\xff\xd8\xff" + SECRET + b"\xff\xd9"),
        (GIF, b"GIF89a" + SECRET + b";"),
        (TIFF, b"II*\0" + SECRET),
        (TIFF, b"MM\0*\0\0\0\x08\0\0"),
        (TIFF, b"II+\0" + SECRET),
        (AVIF, b"\0\0\0\x14ftypavif\0\0\0\0avif" + SECRET),
        (BMP, b"BM" + b"\xff" * 60),
    ],
)
def test_a_text_that_begins_like_a_picture_is_none(kind, data):
    assert not is_whole(io.BytesIO(data), kind)


def test_a_picture_of_countless_chunks_is_given_up(monkeypatch, picture):
    monkeypatch.setattr("kie_mcp.files.whole._PNG_CHUNKS", 2)
    assert not is_whole(io.BytesIO(picture("PNG")), PNG)


@pytest.mark.parametrize(
    "blocks",
    [b"!\xfe\0" * 21, b"!\xfe" + b"\x01a" * 21 + b"\0", (b"!\xfe" + b"\x01a" * 10 + b"\0") * 2, b"\0" * 17],
    ids=["extensions", "sub-blocks", "both", "nothing"],
)
def test_a_gif_of_countless_blocks_is_given_up(monkeypatch, blocks):
    monkeypatch.setattr("kie_mcp.files.whole._GIF_BLOCKS", 20)
    head = b"GIF89a\x01\0\x01\0\0\0\0"
    assert is_whole(io.BytesIO(head + blocks[:8] + b"\0;"), GIF)
    assert not is_whole(io.BytesIO(head + blocks + b";"), GIF)


def test_a_gif_block_of_countless_parts_is_not_walked_to_its_end(monkeypatch):
    monkeypatch.setattr("kie_mcp.files.whole._GIF_BLOCKS", 20)
    file = io.BytesIO(b"GIF89a\x01\0\x01\0\0\0\0!\xfe" + b"\x01a" * 10_000 + b"\0;")
    assert not is_whole(file, GIF)
    assert file.tell() < 100


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (GIF, b"GIF89a\x01\0\x01\0\0\0\0!\xfe" + b"\x01a" * 50_000 + b"\0;"),
        (JPEG, b"\xff\xd8" + b"\xff" * 100_000 + b"\xff\xd9"),
        (PNG, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17) + b"\0\0\0\0tEXt1234" * 8000 + b"\0\0\0\0IEND1234"),
    ],
    ids=["GIF", "JPEG", "PNG"],
)
def test_a_file_in_small_parts_is_read_in_large_ones_and_stays_open(tmp_path, kind, data):
    class Counting(io.FileIO):
        reads = 0

        def read(self, size=-1):
            self.reads += 1
            return super().read(size)

        def readinto(self, buffer):
            self.reads += 1
            return super().readinto(buffer)

    (tmp_path / "a").write_bytes(data)
    with Counting(tmp_path / "a") as file:
        assert is_whole(file, kind)
        dimensions(file)
        assert file.reads < 60
        assert file.seek(0) == 0


def test_random_damage_never_raises(picture):
    rng = random.Random(7)
    for name, kind in KINDS.items():
        whole = picture(name, (40, 30))
        for _ in range(200):
            data = bytearray(whole[: rng.randrange(len(whole))])
            for _ in range(min(4, len(data))):
                data[rng.randrange(len(data))] = rng.randrange(256)
            is_whole(io.BytesIO(bytes(data)), kind)
