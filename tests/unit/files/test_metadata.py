"""What a picture says beside its pixels: pictures of everyday pass, what would keep Pillow busy does not."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from kie_mcp.files.metadata import MOST_CHUNKS, MOST_METADATA, require_little

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"


def saved(kind, **options):
    buffer = io.BytesIO()
    Image.effect_noise((60, 60), 60).convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


def told(size):
    """EXIF with a comment of so many bytes."""
    exif = Image.Exif()
    exif[0x0112], exif[0x9286] = 6, b"c" * size
    return exif


def segment(marker, size=0):
    return bytes((0xFF, marker)) + struct.pack(">H", size + 2) + b"x" * size


def jpeg_with(*parts):
    """A JPEG with these bytes before its scan."""
    data = saved("JPEG")
    at = data.index(b"\xff\xda")
    return data[:at] + b"".join(parts) + data[at:]


def chunk(name, size=0):
    data = b"x" * size
    return struct.pack(">I", size) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(*chunks):
    data = saved("PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def webp_with(*chunks):
    body = saved("WEBP", lossless=True)[12:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_chunk(name, size):
    return name + struct.pack("<I", size) + b"x" * (size + size % 2)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (saved("PNG"), PNG),
        (saved("PNG", exif=told(30_000), icc_profile=b"p" * 600), PNG),
        (png_with(*[chunk(b"tEXt", 1_000)] * 200), PNG),
        (png_with(*[chunk(b"IDAT")] * 4_096), PNG),
        (saved("JPEG"), JPEG),
        (saved("JPEG", progressive=True, exif=told(50_000), comment="c" * 60_000, icc_profile=b"p" * 200_000), JPEG),
        (jpeg_with(*[segment(0xEB, 60_000)] * 100), JPEG),
        (jpeg_with(b"\xff" * 60_000), JPEG),
        (saved("JPEG", restart_marker_blocks=1), JPEG),
        (saved("WEBP"), WEBP),
        (saved("WEBP", exif=told(50_001), icc_profile=b"p" * 200_000), WEBP),
        (webp_with(webp_chunk(b"none", 101), webp_chunk(b"none", 100_000)), WEBP),
    ],
    ids=range(12),
)
def test_what_pictures_of_everyday_say_is_little(data, mime_type):
    require_little(io.BytesIO(data), mime_type)


@pytest.mark.parametrize(
    ("data", "mime_type", "why"),
    [
        (saved("PNG", exif=told(MOST_METADATA)), PNG, "more than 65536 bytes"),
        (png_with(*[chunk(b"zTXt", 30_000), chunk(b"iTXt", 30_000), chunk(b"iCCP", 6_000)]), PNG, "more than 65536 b"),
        (png_with(*[chunk(b"teSt")] * MOST_CHUNKS), PNG, "more than 8192 chunks"),
        (png_with(*[chunk(b"IDAT")] * MOST_CHUNKS), PNG, "more than 8192 chunks"),
        (jpeg_with(*[segment(0xE1, 40_000)] * 2), JPEG, "more than 65536 bytes"),
        (jpeg_with(segment(0xE1, 30_000), segment(0xED, 30_000), segment(0xDB, 6_000)), JPEG, "more than 65536 bytes"),
        (jpeg_with(*[segment(0xE5)] * 1_000), JPEG, "no end"),
        (jpeg_with(*[segment(0xFE)] * 1_000), JPEG, "no end"),
        (jpeg_with(b"\xff" * 70_000), JPEG, "no end"),
        (jpeg_with(b"junk"), JPEG, "no end"),
        (jpeg_with(segment(0xD9, 60_000)), JPEG, "marker 0xd9"),
        (jpeg_with(segment(0xF0, 60_000)), JPEG, "marker 0xf0"),
        (saved("WEBP", exif=told(MOST_METADATA)), WEBP, "more than 65536 bytes"),
        (webp_with(*[webp_chunk(b"none", 0)] * MOST_CHUNKS), WEBP, "more than 8192 chunks"),
        (webp_with(webp_chunk(b"none", 101), webp_chunk(b"EXIF", MOST_METADATA + 1)), WEBP, "more than 65536 bytes"),
        (saved("GIF"), "image/gif", "it is image/gif"),
    ],
    ids=range(16),
)
def test_what_would_keep_a_reader_busy_is_refused(data, mime_type, why):
    with pytest.raises(ValueError, match=why):
        require_little(io.BytesIO(data), mime_type)


@pytest.mark.parametrize(
    ("kind", "mime_type", "length"),
    [("PNG", PNG, 13), ("PNG", PNG, 40), ("JPEG", JPEG, 13), ("JPEG", JPEG, 40), ("WEBP", WEBP, 13)],
)
def test_what_ends_too_early_is_refused(kind, mime_type, length):
    with pytest.raises((ValueError, struct.error)):
        require_little(io.BytesIO(saved(kind)[:length]), mime_type)


def test_text_behind_the_pixels_counts_as_well():
    data = saved("PNG")
    with pytest.raises(ValueError, match="beside its pixels"):
        require_little(io.BytesIO(data[:-12] + chunk(b"zTXt", MOST_METADATA + 1) + data[-12:]), PNG)
