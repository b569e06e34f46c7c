"""Flat shapes painted row by row: each row of each shape is one span of one colour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Colour = tuple[int, int, int]
Span = tuple[int, int, bytes]


class Figure(Protocol):
    """A convex shape in pixels, from ``top`` to ``bottom``."""

    @property
    def top(self) -> float:
        """Its upper edge."""

    @property
    def bottom(self) -> float:
        """Its lower edge."""

    def span(self, y: float) -> tuple[float, float] | None:
        """Its left and right edge at a height; ``None`` where it has none."""


@dataclass(frozen=True)
class Box:
    """An upright rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def span(self, _y: float) -> tuple[float, float]:
        """The same at every height."""
        return self.left, self.right


@dataclass(frozen=True)
class Disc:
    """A disc, cut off at the edges of ``within`` where that is given."""

    x: float
    y: float
    radius: float
    within: Box | None = None

    @property
    def top(self) -> float:
        """The upper edge, after the cut."""
        edge = self.y - self.radius
        return max(edge, self.within.top) if self.within else edge

    @property
    def bottom(self) -> float:
        """The lower edge, after the cut."""
        edge = self.y + self.radius
        return min(edge, self.within.bottom) if self.within else edge

    def span(self, y: float) -> tuple[float, float] | None:
        """The chord at a height."""
        square = self.radius**2 - (y - self.y) ** 2
        if square <= 0:
            return None
        half = math.sqrt(square)
        left, right = self.x - half, self.x + half
        if self.within:
            left, right = max(left, self.within.left), min(right, self.within.right)
        return (left, right) if right > left else None


@dataclass(frozen=True)
class Polygon:
    """A convex polygon by its corners."""

    corners: tuple[tuple[float, float], ...]

    @property
    def top(self) -> float:
        """The height of the highest corner."""
        return min(y for _, y in self.corners)

    @property
    def bottom(self) -> float:
        """The height of the lowest corner."""
        return max(y for _, y in self.corners)

    def span(self, y: float) -> tuple[float, float] | None:
        """Between the two edges that the height crosses."""
        met = []
        behind = self.corners[-1]
        for corner in self.corners:
            (x0, y0), (x1, y1) = behind, corner
            if (y0 <= y) != (y1 <= y):
                met.append(x0 + (x1 - x0) * (y - y0) / (y1 - y0))
            behind = corner
        return (min(met), max(met)) if met else None


class Canvas:
    """A picture of ``width`` by ``height`` pixels; what is painted later lies above."""

    def __init__(self, width: int, height: int, ground: Sequence[Colour]) -> None:
        """``ground`` are the colours of the gradient behind everything, from the top down."""
        self.width = width
        self.height = height
        self._ground = ground
        self._spans: list[list[Span]] = [[] for _ in range(height)]

    def paint(self, figure: Figure, colour: Colour) -> None:
        """Lay a figure over what is there."""
        dot = bytes(colour)
        for row in range(max(0, math.ceil(figure.top - 0.5)), min(self.height, math.ceil(figure.bottom - 0.5))):
            span = figure.span(row + 0.5)
            if span is None:
                continue
            left, right = max(0, round(span[0])), min(self.width, round(span[1]))
            if right > left:
                self._spans[row].append((left, right, dot))

    def rows(self) -> Iterator[bytes]:
        """The rows from the top down, three bytes (red, green, blue) a pixel."""
        for number, spans in enumerate(self._spans):
            row = bytearray(bytes(self._shade(number)) * self.width)
            for left, right, dot in spans:
                row[3 * left : 3 * right] = dot * (right - left)
            yield bytes(row)

    def _shade(self, row: int) -> Colour:
        at = row / max(1, self.height - 1) * (len(self._ground) - 1)
        first = min(int(at), len(self._ground) - 2)
        return blend(self._ground[first], self._ground[first + 1], at - first)


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """A colour between two: ``share`` 0 is the first, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
