"""Pictures from prompts: whole files of the right size, the same each time, readable."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from kie_mcp.sandbox.drawing import Gallery, PictureKey, font
from kie_mcp.sandbox.drawing.canvas import Box, Canvas, Disc, Polygon
from kie_mcp.sandbox.drawing.gallery import draw
from kie_mcp.sandbox.drawing.jpeg import encode as encode_jpeg
from kie_mcp.sandbox.drawing.png import encode, padded

KEY = PictureKey("A lighthouse at dusk", "nano-banana-pro", 0, "0/", 256, 128, jpeg=False)
RED, BLUE, WHITE = (200, 30, 40), (20, 60, 180), (255, 255, 255)


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("jpeg", [False, True])
@pytest.mark.parametrize("size", [(1024, 1024), (1408, 792), (360, 2880), (2880, 360), (8, 8)])
def test_every_kind_of_poster_is_a_whole_file_of_its_size(size: tuple[int, int], jpeg: bool):
    for index in range(6):
        key = replace(KEY, index=index, width=size[0], height=size[1], jpeg=jpeg)
        picture = opened(draw(key))
        assert (picture.format, picture.size, picture.mode) == ("JPEG" if jpeg else "PNG", size, "RGB")


def test_a_picture_depends_on_its_key_and_nothing_else():
    others = [replace(KEY, **change) for change in ({"prompt": "x"}, {"model": "x"}, {"index": 1}, {"seed": "1/"})]
    assert draw(KEY) == draw(KEY)
    assert len({draw(key) for key in [KEY, *others]}) == 5


def test_a_prompt_of_any_text_can_be_drawn():
    for prompt in ("", "   ", "東京 \ud800 \x00\n" * 500, "x" * 20_000, "{}~ Zürich"):
        for jpeg in (False, True):
            assert opened(draw(replace(KEY, prompt=prompt, jpeg=jpeg))).size == (256, 128)


def test_a_large_picture_is_drawn_in_time():
    key = replace(KEY, width=4096, height=4096)
    started = time.process_time()
    assert opened(draw(key)).size == (4096, 4096)
    assert time.process_time() - started < 20  # half a second on an idle machine; here others may be busy


def test_the_prompt_stands_in_the_file_and_on_the_picture():
    with_text, without = (opened(draw(replace(KEY, prompt=prompt))) for prompt in ("Zürich", ""))
    assert with_text.info["Description"] == "Zürich"
    assert ImageChops.difference(with_text, without).getbbox() is not None


def test_a_letter_is_readable():
    canvas = Canvas(5, 7, (BLUE, BLUE))
    for row, left, right in font.runs("E"):
        canvas.paint(Box(left, row, right, row + 1), WHITE)
    shown = ["".join("#" if row[3 * x : 3 * x + 3] == bytes(WHITE) else "." for x in range(5)) for row in canvas.rows()]
    assert shown == ["#####", "#....", "#....", "####.", "#....", "#....", "#####"]


def test_text_is_broken_into_lines_and_cut_with_dots():
    assert font.lines("one two three four five", 9, 2) == ["one two", "three..."]
    assert font.lines("Café\n 東", 20, 2) == ["Cafe 東"]
    assert font.lines(" ", 9, 2) == []


def test_a_character_beyond_the_font_is_a_box():
    assert list(font.runs("東")) == list(font.runs("京"))
    assert list(font.runs("~")) != list(font.runs("京"))


def test_shapes_cover_what_they_should():
    canvas = Canvas(40, 40, (BLUE, RED))
    canvas.paint(Disc(20, 20, 10, Box(20, 10, 30, 20)), WHITE)
    canvas.paint(Disc(5, 5, 3, Box(20, 2, 30, 8)), WHITE)
    canvas.paint(Polygon(((-5, 30), (5, 30), (0, 40))), WHITE)
    canvas.paint(Box(-9, -9, -1, 99), WHITE)
    picture = opened(encode(40, 40, canvas.rows()))
    assert picture.getpixel((22, 15)) == WHITE
    assert picture.getpixel((1, 31)) == WHITE
    assert picture.getpixel((15, 15)) not in (WHITE, BLUE)
    assert (picture.getpixel((39, 0)), picture.getpixel((39, 39))) == (BLUE, RED)


def test_shapes_are_nowhere_beside_their_edges():
    assert Disc(0, 0, 1).span(2) is None
    assert Polygon(((0, 0), (1, 0), (0, 1))).span(5) is None


def test_a_jpeg_has_the_colours_that_went_in():
    colours = [RED, BLUE, WHITE, (0, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0), (90, 91, 92)]
    row = b"".join(bytes(colour) for colour in colours)
    picture = opened(encode_jpeg(8, [row, row[::-1]]))
    assert picture.size == (64, 16)
    for number, colour in enumerate(colours):
        shown = picture.getpixel((number * 8 + 4, 4))
        assert isinstance(shown, tuple)
        assert all(abs(a - b) <= 3 for a, b in zip(shown, colour, strict=True))


def test_a_padded_png_has_at_least_the_size_and_is_the_same_picture():
    png = draw(KEY)
    for size in (0, len(png) + 12, 200_000):
        data = b"".join(padded(png, size))
        assert len(data) == max(size, len(png) + 12)
        assert ImageChops.difference(opened(data), opened(png)).getbbox() is None


def test_a_gallery_remembers_the_last_pictures_only():
    size = len(draw(KEY))
    gallery = Gallery(kept_bytes=size)
    assert gallery.file(KEY) is gallery.file(KEY)
    first = gallery.file(KEY)
    gallery.file(replace(KEY, prompt="another one", index=3))
    assert gallery.file(KEY) == first
    assert sum(map(len, gallery._kept.values())) <= size
