"""Thumbnails and contact sheets: what they show, how small they are, and what is left out of them."""

from __future__ import annotations

import io
import os
import struct
import sys
import warnings
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFont, PngImagePlugin

from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.files import preview
from kie_mcp.files.preview import LONG_SIDE, MOST_BYTES, MOST_PICTURES, MOST_SCANS, MOST_SECONDS, Previews

RED, WHITE = (254, 0, 0), (255, 255, 255)


class StillClock(Clock):
    """Time that tests move, and nothing else."""

    time = 0.0

    def monotonic(self):
        return self.time


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def context(clock):
    return CallContext(clock)


@pytest.fixture
def saved(tmp_path):
    """Write a file, of a picture or of bytes; its path."""

    def save(content, name="picture.png", **options):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.save(path, **options)
        return str(path)

    return save


@pytest.fixture
def make(context):
    """The preview of these paths, opened; each is labelled with its number."""

    def open_preview(*paths):
        data = Previews().make([(path, str(number)) for number, path in enumerate(paths)], context)
        if data is None:
            return None
        assert len(data) <= MOST_BYTES <= 100_000
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert (picture.format, picture.mode, picture.info.keys() & {"exif", "icc_profile"}) == ("JPEG", "RGB", set())
        assert max(picture.size) <= LONG_SIDE
        return picture

    return open_preview


def alike(one, other, most=24):
    """Whether two colours are the same but for what JPEG makes of them."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= most


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width, height):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def png_of(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def noise(width, height, strength=200):
    return Image.merge("RGB", [Image.effect_noise((width, height), strength) for _ in range(3)])


# thumbnails


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1024, 1024), (512, 512)),
        ((1600, 900), (512, 288)),
        ((30, 40), (30, 40)),
        ((2000, 1), (512, 1)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
def test_one_picture_becomes_a_thumbnail_of_its_shape(make, saved, size, expected, extension):
    shown = make(saved(Image.new("RGB", size, RED), f"a.{extension}"))
    assert shown.size == expected
    assert alike(shown.getpixel((0, 0)), RED)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 0, (0, 0, 0)),
        ("L", 100, (100, 100, 100)),
        ("P", 0, (0, 0, 0)),
        ("LA", (100, 0), WHITE),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("I;16", 32768, (128, 128, 128)),
    ],
)
def test_every_kind_of_png_is_shown_on_white(make, saved, mode, colour, expected):
    shown = make(saved(Image.new(mode, (600, 600), colour)))
    assert alike(shown.getpixel((300, 300)), expected)


@pytest.mark.parametrize(("mode", "colour"), [("P", 0), ("L", 0), ("RGB", (0, 0, 0))])
def test_a_transparent_colour_is_shown_as_white(make, saved, mode, colour):
    shown = make(saved(Image.new(mode, (600, 600), colour), transparency=colour))
    assert alike(shown.getpixel((300, 300)), WHITE)


def test_a_jpeg_of_printing_colours_is_shown(make, saved):
    shown = make(saved(Image.new("CMYK", (600, 600), (0, 255, 255, 0)), "a.jpg"))
    assert alike(shown.getpixel((300, 300)), (255, 0, 0), most=40)


@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_a_picture_is_shown_upright(make, saved, extension):
    lying = Image.new("RGB", (800, 400), WHITE)
    lying.paste(RED, (0, 0, 400, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # its first row is the right side (EXIF 2.32, 4.6.4)
    shown = make(saved(lying, f"a.{extension}", exif=exif))
    assert shown.size == (256, 512)
    assert alike(shown.getpixel((128, 20)), RED)
    assert alike(shown.getpixel((128, 490)), WHITE)


@pytest.mark.parametrize("extension", ["png", "webp"])
def test_of_an_animation_the_first_frame_is_shown(make, saved, extension):
    first, second = Image.new("RGB", (100, 100), RED), Image.new("RGB", (100, 100), WHITE)
    path = saved(first, f"a.{extension}", save_all=True, append_images=[second])
    assert alike(make(path).getpixel((50, 50)), RED)


def test_what_came_with_a_picture_stays_behind(make, saved):
    exif = Image.Exif()
    exif[0x010E] = "the street where it was taken"
    comment = PngImagePlugin.PngInfo()
    comment.add_text("prompt", "words of the user")
    path = saved(Image.new("RGB", (100, 100), RED), exif=exif, pnginfo=comment, icc_profile=b"profile")
    assert make(path).getexif() == {}


def test_a_picture_that_resists_compression_still_fits(make, saved):
    assert max(make(saved(noise(600, 600))).size) > LONG_SIDE / 2


def test_where_less_quality_is_not_enough_the_preview_is_smaller(make, saved, monkeypatch):
    monkeypatch.setattr(preview, "MOST_BYTES", 4_000)
    assert max(make(saved(noise(600, 600))).size) < LONG_SIDE / 2


def test_a_picture_is_found_by_its_url_whatever_its_name(make, saved):
    path = saved(Image.new("RGB", (30, 30), RED), "a #1 ü%41?.png")
    assert make(Path(path).as_uri()) is not None


# sheets


@pytest.mark.parametrize(
    ("count", "size"), [(2, (512, 256)), (3, (512, 512)), (4, (512, 512)), (5, (510, 340)), (25, (510, 510))]
)
def test_several_pictures_become_a_sheet(make, saved, count, size):
    assert make(*[saved(Image.new("RGB", (300, 300), RED))] * count).size == size


def test_a_sheet_shows_its_pictures_in_order_and_in_their_shapes(make, saved):
    wide, high = saved(Image.new("RGB", (600, 300), RED), "wide.png"), saved(Image.new("RGB", (300, 600), RED), "h.png")
    shown = make(wide, high)
    assert alike(shown.getpixel((128, 128)), RED)
    assert alike(shown.getpixel((128, 20)), WHITE)
    assert alike(shown.getpixel((384, 20)), RED)
    assert alike(shown.getpixel((500, 128)), WHITE)


def test_every_cell_has_its_own_label(make, saved):
    path = saved(Image.new("RGB", (300, 300), RED))
    shown = make(path, path, path)
    corners = [shown.crop((left, top, left + 60, top + 40)) for left, top in ((0, 0), (256, 0), (0, 256))]
    assert all(alike(corner.getpixel((1, 1)), (0, 0, 0), most=60) for corner in corners)
    assert all(
        max(high for _, high in ImageChops.difference(corners[one], corners[other]).getextrema()) > 200
        for one, other in ((0, 1), (1, 2), (0, 2))
    )


def test_a_sheet_has_no_more_than_its_most_pictures(make, saved):
    path = saved(Image.new("RGB", (30, 30), RED))
    assert make(*[path] * (MOST_PICTURES + 15)).size == make(*[path] * MOST_PICTURES).size


def test_without_a_font_a_sheet_has_no_labels(make, saved, monkeypatch):
    def missing(**_):
        raise ImportError("The _imagingft C module is not installed")

    monkeypatch.setattr(ImageFont, "load_default", missing)
    shown = make(*[saved(Image.new("RGB", (300, 300), RED))] * 4)
    assert alike(shown.getpixel((10, 10)), RED)


def test_what_cannot_be_shown_leaves_its_cell_to_the_others(make, saved, tmp_path):
    sound = saved(Image.new("RGB", (300, 300), RED))
    assert make(sound, str(tmp_path / "gone.png"), saved(b"no picture", "text.png"), sound).size == (512, 256)
    assert make(str(tmp_path / "gone.png"), sound).size == (256, 256)


# what is left out


@pytest.fixture
def broken(saved, tmp_path):
    """Paths of what cannot be shown, by what it is."""
    picture = io.BytesIO()
    noise(300, 300).save(picture, "PNG")
    png = picture.getvalue()
    photo = io.BytesIO()
    noise(300, 300).save(photo, "JPEG")
    at = png.index(b"IDAT") + 100
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    return {
        "missing": str(tmp_path / "nowhere.png"),
        "relative": "picture.png",
        "folder": str(tmp_path / "folder.png"),
        "pipe": str(tmp_path / "pipe.png"),
        "empty": saved(b"", "empty.png"),
        "text": saved(b"<html>no picture</html>", "text.png"),
        "cut short": saved(png[:-500], "short.png"),
        "cut short, with an end": saved(png[:2000] + png[-12:], "joined.png"),
        "cut short jpeg": saved(photo.getvalue()[:-500], "short.jpg"),
        "damaged": saved(png[:at] + b"damage" + png[at + 6 :], "damaged.png"),
        "without pixels": saved(png_of(header(30, 30)), "hollow.png"),
        "another kind": saved(Image.new("RGB", (30, 30), RED), "a.gif"),
        "too large": saved(png_of(header(6400, 6400), chunk(b"IDAT", zlib.compress(b"\0" * 1000))), "large.png"),
        "a bomb": saved(png_of(header(60_000, 60_000), chunk(b"IDAT", zlib.compress(b"\0" * 1000))), "bomb.png"),
        "a second size": saved(
            png_of(header(30, 30), header(9_000, 9_000), chunk(b"IDAT", zlib.compress(b"\0" * 1000))), "second.png"
        ),
        "a second size, a bomb": saved(
            png_of(header(30, 30), header(60_000, 60_000), chunk(b"IDAT", zlib.compress(b"\0" * 1000))), "two.png"
        ),
        "too many scans": saved(many_scans(), "scans.jpg"),
        "filled up between its scans": saved(filled_up(), "filled.jpg"),
        "a long head": saved(long_head(), "head.jpg"),
        "tags that share their bytes": saved(png_of(header(30, 30), chunk(b"eXIf", tags(400, 100_000))), "tags.png"),
    }


def many_scans():
    """A progressive JPEG that refines the same bits again and again."""
    buffer = io.BytesIO()
    Image.new("L", (300, 300), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * MOST_SCANS + b"\xff\xd9"


def filled_up():
    """A progressive JPEG with nothing but fill bytes before its last scan."""
    buffer = io.BytesIO()
    Image.new("L", (300, 300), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + b"\xff" * 200_000 + data[last:]


def long_head():
    """A JPEG with empty segments, one by one, before its scan."""
    buffer = io.BytesIO()
    Image.new("L", (300, 300), 128).save(buffer, "JPEG")
    data = buffer.getvalue()
    scan = data.index(b"\xff\xda")
    return data[:scan] + b"\xff\xe5\x00\x02" * 10_000 + data[scan:]


def tags(count, size):
    """EXIF that has a picture turned, with so many tags, which all have the same bytes."""
    entries = b"".join(struct.pack("<HHII", 40_000 + number, 7, size - 16, 8) for number in range(count))
    turned = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    return (b"II*\0" + struct.pack("<IH", 8, count + 1) + turned + entries + bytes(4)).ljust(size, b"\0")


@pytest.mark.parametrize(
    "what",
    [
        "missing",
        "relative",
        "folder",
        "pipe",
        "empty",
        "text",
        "cut short",
        "cut short, with an end",
        "cut short jpeg",
        "damaged",
        "without pixels",
        "another kind",
        "too large",
        "a bomb",
        "a second size",
        "a second size, a bomb",
        "too many scans",
        "filled up between its scans",
        "a long head",
        "tags that share their bytes",
    ],
)
def test_what_is_no_sound_picture_is_left_out(make, broken, what):
    assert make(broken[what]) is None


@pytest.mark.parametrize(
    "what", ["a bomb", "too many scans", "filled up between its scans", "a long head", "tags that share their bytes"]
)
def test_what_would_keep_pillow_busy_is_known_before_pillow_sees_it(make, broken, monkeypatch, what):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("Pillow was to see nothing of it"))
    assert make(broken[what]) is None


@pytest.mark.parametrize("what", ["a second size", "a second size, a bomb"])
def test_the_size_that_counts_is_the_one_that_is_decoded(make, broken, monkeypatch, what):
    monkeypatch.setattr(preview, "_shrunk", lambda *_: pytest.fail("it was to be left out before"))
    assert make(broken[what]) is None


@pytest.mark.parametrize(
    "text",
    [
        b"exif\0Exif\0\0" + tags(40, 100_000),
        b"Raw profile type exif\0\nexif\n  100006\n" + (b"Exif\0\0" + tags(40, 100_000)).hex().encode(),
    ],
)
def test_exif_in_a_text_of_a_png_is_looked_at_only_where_it_is_short(make, saved, monkeypatch, text):
    monkeypatch.setattr(Image.Exif, "tobytes", lambda *_: pytest.fail("all of it was written anew"))
    pixels = zlib.compress((b"\0" + bytes(RED) * 30) * 30)
    assert make(saved(png_of(header(30, 30), chunk(b"tEXt", text), chunk(b"IDAT", pixels)))) is not None


def test_scans_are_counted_where_pieces_of_the_file_meet_too():
    piece = preview._PIECE
    data = (b"\0" * (piece - 1) + b"\xff\xda").ljust(2 * piece - 1, b"\0") * (MOST_SCANS + 1)
    apart = b"\0" * (piece - 1) + (b"\xff\xda" + b"\0" * (piece - 2)) * (MOST_SCANS + 1)
    for counted in (data, apart):
        with pytest.raises(ValueError, match=f"it has {MOST_SCANS + 1} scans"):
            preview._require_quick_scans(io.BytesIO(counted))


def test_what_looks_like_scans_is_nothing_in_other_pictures(make, saved):
    pixels = zlib.compress((b"\0" + bytes(RED) * 30) * 30)
    text = chunk(b"teSt", b"\xff\xda" * 100)
    assert make(saved(png_of(header(30, 30), text, chunk(b"IDAT", pixels)))) is not None


def test_what_pillow_warns_of_is_no_matter_for_the_log(make, saved):
    picture = io.BytesIO()
    Image.new("RGB", (30, 30), RED).save(picture, "PNG")
    data = picture.getvalue()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        odd = tags(400, 60_000)[:20_000]  # the bytes that its tags are said to have are not there
        shown = make(saved(data[:33] + chunk(b"eXIf", odd) + data[33:]))
        warnings.warn("of others", stacklevel=1)
    assert shown is not None
    assert [str(warning.message) for warning in seen] == ["of others"]


def test_an_ordinary_progressive_jpeg_is_shown(make, saved):
    assert make(saved(noise(600, 600, 20), "a.jpg", progressive=True)).size == (512, 512)


def test_a_webp_may_have_fewer_pixels_than_others(make, saved, monkeypatch):
    monkeypatch.setattr(preview, "MOST_PIXELS", {"image/png": 100, "image/webp": 99})
    picture = Image.new("RGB", (10, 10), RED)
    assert make(saved(picture, "a.webp")) is None
    assert make(saved(picture, "a.png")) is not None
    assert make(saved(picture, "a.jpg")) is None


def test_without_pillow_there_is_no_preview(make, saved, monkeypatch):
    path = saved(Image.new("RGB", (30, 30), RED))
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert make(path) is None


def test_whatever_goes_wrong_there_is_none(make, saved, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(preview, "_jpeg", fail)
    assert make(saved(Image.new("RGB", (30, 30), RED))) is None


def test_of_no_pictures_there_is_none(make):
    assert make() is None


# time


def test_when_the_time_is_up_no_further_picture_is_added(make, saved, clock, monkeypatch):
    small = preview._small

    def slow(*asked):
        clock.time += MOST_SECONDS / 2
        return small(*asked)

    monkeypatch.setattr(preview, "_small", slow)
    assert make(*[saved(Image.new("RGB", (300, 300), RED))] * 9).size == (512, 256)


def test_a_call_that_has_to_end_has_no_preview(make, saved, context, clock):
    context.deadline = clock.monotonic()
    assert make(saved(Image.new("RGB", (30, 30), RED))) is None


def test_a_cancelled_call_opens_nothing_more(make, saved, context, monkeypatch):
    asked = []
    monkeypatch.setattr(preview, "_small", lambda *place: asked.append(place) or context.cancel())
    assert make(*[saved(Image.new("RGB", (30, 30), RED))] * 3) is None
    assert len(asked) == 1


def test_one_preview_is_made_at_a_time(context, clock, monkeypatch):
    previews, meanwhile, hurried = Previews(), [], CallContext(clock)
    hurried.deadline = 0.01

    def made(*_):
        meanwhile.append(previews.make([("b", "2")], hurried))
        return b"made"

    monkeypatch.setattr(preview, "_made", made)
    assert previews.make([("a", "1")], context) == b"made"
    assert meanwhile == [None]


def test_whoever_would_wait_too_long_for_the_turn_has_none(saved, context, monkeypatch):
    monkeypatch.setattr(preview, "MOST_SECONDS", 0.01)
    previews, path = Previews(), saved(Image.new("RGB", (30, 30), RED))
    with previews._turn:
        assert previews.make([(path, "1")], context) is None
    monkeypatch.undo()
    assert previews.make([(path, "1")], context) is not None
