"""Three kinds of poster, chosen and coloured by a seed: a landscape, a rosette, a mosaic of tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.sandbox.drawing import font
from kie_mcp.sandbox.drawing.canvas import Box, Canvas, Disc, Polygon, blend

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from kie_mcp.sandbox.drawing.canvas import Colour

Palette = tuple[str, str, str, str, str]

PALETTES: tuple[Palette, ...] = (
    ("#13213c", "#2f4b7c", "#d1656a", "#f4a259", "#fbe8c8"),
    ("#12343b", "#2d6a6a", "#8fb996", "#e9c46a", "#fdf3d7"),
    ("#2b1b3d", "#5c3a7d", "#b85c9e", "#f29e8e", "#fde9dc"),
    ("#1d2a1f", "#3f6b4b", "#9bb45f", "#e6d36b", "#f8f4dc"),
    ("#1b1f3b", "#3d4f8f", "#6fa3c8", "#f6c177", "#f7f1e5"),
    ("#33191c", "#7c2f37", "#c8553d", "#f2a65a", "#fcead2"),
    ("#0f2f47", "#1f6f8b", "#62b6a8", "#f3d28b", "#f4f7ee"),
    ("#2a2438", "#4f4a6d", "#8a84b0", "#e8a0a8", "#f9ebe6"),
)
"""From dark to light, four hues that go together and a paper tone."""

PANEL_LINES = 3


def poster(width: int, height: int, prompt: str, chance: random.Random) -> Canvas:
    """A picture for ``prompt``; the same size and seed give the same picture."""
    tones = [_colour(text) for text in chance.choice(PALETTES)]
    scene = chance.choice((_landscape, _rosette, _mosaic))
    canvas = scene(width, height, tones, chance)
    _caption(canvas, prompt, tones[0], tones[4])
    return canvas


def _colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def _landscape(width: int, height: int, tones: Sequence[Colour], chance: random.Random) -> Canvas:
    """A low sun in rings of haze over ridges that are mirrored at the middle."""
    dark, deep, warm, gold, paper = tones
    canvas = Canvas(width, height, (deep, warm, gold, paper))
    unit = math.sqrt(width * height)
    x, y, radius = width / 2, height * chance.uniform(0.36, 0.44), unit * chance.uniform(0.13, 0.17)
    for ring in range(4, 0, -1):
        sky = blend(warm, gold, 0.75 - 0.1 * ring)
        canvas.paint(Disc(x, y, radius * (1 + 0.38 * ring)), blend(sky, paper, 0.42 - 0.08 * ring))
    canvas.paint(Disc(x, y, radius), paper)
    for layer in range(5):
        colour = blend(blend(warm, deep, 0.45), dark, layer / 4)
        base = height * (0.56 + 0.085 * layer)
        _ridge(canvas, base, height * (0.15 - 0.012 * layer), colour, chance)
    return canvas


def _ridge(canvas: Canvas, base: float, rise: float, colour: Colour, chance: random.Random) -> None:
    middle, floor = canvas.width / 2, canvas.height
    canvas.paint(Box(0, base, canvas.width, floor), colour)
    half = rise * chance.uniform(1.1, 1.6)
    away = chance.uniform(0, 0.6) * half
    while away - half < middle:
        high = base - rise * chance.uniform(0.45, 1.0)
        for x in (middle - away, middle + away):
            canvas.paint(Polygon(((x - half, base + 1), (x, high), (x + half, base + 1))), colour)
        away += half * chance.uniform(0.7, 1.25)


def _rosette(width: int, height: int, tones: Sequence[Colour], chance: random.Random) -> Canvas:
    """Wreaths of petals around one centre, on a quiet gradient."""
    dark, deep, _, _, paper = tones
    canvas = Canvas(width, height, (dark, deep, dark))
    x, y, reach = width / 2, height * 0.43, min(width, height) * 0.39
    petals = chance.choice((8, 10, 12, 16))
    hues = [tones[2], tones[3], paper, tones[1], tones[3], tones[2]]
    canvas.paint(Disc(x, y, reach * 1.06), blend(deep, paper, 0.12))
    for wreath in range(5):
        distance = reach * (0.84 - 0.17 * wreath)
        size = distance * math.sin(math.pi / petals) * chance.uniform(0.9, 1.12)
        _wreath(canvas, (x, y, distance, size), (petals, wreath / 2), (hues[wreath], hues[wreath + 1]))
    for ring, colour in enumerate((dark, tones[3], paper)):
        canvas.paint(Disc(x, y, reach * (0.15 - 0.045 * ring)), colour)
    return canvas


def _wreath(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    turn: tuple[int, float],
    colours: tuple[Colour, Colour],
) -> None:
    """Discs with an eye at even angles; ``turn`` is their number and the shift in steps."""
    x, y, distance, size = place
    count, shift = turn
    for part, colour in ((1.0, colours[0]), (0.52, colours[1])):
        for step in range(count):
            angle = 2 * math.pi * (step + shift) / count
            canvas.paint(Disc(x + distance * math.cos(angle), y + distance * math.sin(angle), size * part), colour)


def _mosaic(width: int, height: int, tones: Sequence[Colour], chance: random.Random) -> Canvas:
    """Square tiles with quarter discs, corners and dots, mirrored left to right and top to bottom."""
    canvas = Canvas(width, height, (tones[4], tones[4]))
    edge = math.sqrt(width * height) / chance.choice((6, 7, 8))
    across, down = math.ceil(width / edge / 2), math.ceil(height / edge / 2)
    for row in range(down):
        for column in range(across):
            back, front = chance.sample(list(tones), 2)
            pattern = chance.choice(_PATTERNS)
            for left in (width / 2 + column * edge, width / 2 - (column + 1) * edge):
                for top in (height / 2 + row * edge, height / 2 - (row + 1) * edge):
                    tile = Box(left, top, left + edge, top + edge)
                    canvas.paint(tile, back)
                    pattern(_Tile(canvas, tile, front, back))
    return canvas


@dataclass(frozen=True)
class _Tile:
    """One tile; ``corner`` is the one nearest to the middle of the picture."""

    canvas: Canvas
    box: Box
    front: Colour
    back: Colour

    @property
    def edge(self) -> float:
        return self.box.right - self.box.left

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box.left + self.box.right) / 2, (self.box.top + self.box.bottom) / 2

    @property
    def corner(self) -> tuple[float, float]:
        x, y = self.middle
        box = self.box
        return (
            box.left if x > self.canvas.width / 2 else box.right,
            box.top if y > self.canvas.height / 2 else box.bottom,
        )

    @property
    def far(self) -> tuple[float, float]:
        """The corner across."""
        (x, y), (middle_x, middle_y) = self.corner, self.middle
        return 2 * middle_x - x, 2 * middle_y - y

    def disc(self, centre: tuple[float, float], part: float, colour: Colour) -> None:
        self.canvas.paint(Disc(*centre, self.edge * part, self.box), colour)


def _arches(tile: _Tile) -> None:
    for part, colour in ((1.0, tile.front), (0.66, tile.back), (0.33, tile.front)):
        tile.disc(tile.corner, part, colour)


def _corner(tile: _Tile) -> None:
    (x, y), (far_x, far_y) = tile.corner, tile.far
    tile.canvas.paint(Polygon(((x, y), (far_x, y), (x, far_y))), tile.front)


def _ring(tile: _Tile) -> None:
    tile.disc(tile.middle, 0.36, tile.front)
    tile.disc(tile.middle, 0.16, tile.back)


def _diamond(tile: _Tile) -> None:
    (x, y), box = tile.middle, tile.box
    tile.canvas.paint(Polygon(((box.left, y), (x, box.top), (box.right, y), (x, box.bottom))), tile.front)


def _leaf(tile: _Tile) -> None:
    tile.disc(tile.corner, 1.0, tile.front)
    tile.disc(tile.far, 0.3, tile.front)


_PATTERNS = (_arches, _corner, _ring, _diamond, _leaf)


def _caption(canvas: Canvas, prompt: str, ink: Colour, paper: Colour) -> None:
    """The beginning of the prompt on a panel near the lower edge."""
    dot = max(1, round(math.sqrt(canvas.width * canvas.height) / 300))
    columns = (canvas.width - 12 * dot) // (font.ADVANCE * dot) - 2
    count = PANEL_LINES if canvas.width >= canvas.height else 2 * PANEL_LINES
    texts = font.lines(prompt, columns, count)
    if not texts:
        return
    wide = max(len(text) for text in texts) * font.ADVANCE * dot
    left, top = (canvas.width - wide) // 2, canvas.height - (len(texts) * font.LINE + 14) * dot
    bottom = top + (len(texts) * font.LINE - 3) * dot
    for rim, colour in ((8, ink), (7, paper), (6, ink)):
        canvas.paint(Box(left - rim * dot, top - rim * dot, left + wide + (rim - 1) * dot, bottom + rim * dot), colour)
    for number, text in enumerate(texts):
        start = left + (wide - len(text) * font.ADVANCE * dot) // 2
        _write(canvas, text, (start, top + number * font.LINE * dot), dot, paper)


def _write(canvas: Canvas, text: str, at: tuple[int, int], dot: int, colour: Colour) -> None:
    left, top = at
    for row, first, behind in font.runs(text):
        y = top + row * dot
        canvas.paint(Box(left + first * dot, y, left + behind * dot, y + dot), colour)
