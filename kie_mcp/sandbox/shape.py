"""What a task's pictures look like from outside: how many, how large, in which format."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kie_mcp.catalogue import Model

RATIO_FIELDS = ("aspect_ratio", "image_size", "size")
RESOLUTION_FIELDS = ("resolution", "image_resolution", "size", "quality")
FORMAT_FIELDS = ("output_format",)
LAYERED = "layer-decomposition"
"""The kind of model that gives layers."""

MAX_COUNT = 12
MAX_EDGE = 8192
GRID = 8
"""Edges are multiples of this many pixels."""


@dataclass(frozen=True)
class Shape:
    """``count`` pictures of ``width`` by ``height`` pixels, ``jpeg`` or PNG.

    ``layered`` are a base picture and the layers taken out of it: those are always PNG, whatever the
    base is (layer decomposition page).
    """

    count: int
    width: int
    height: int
    jpeg: bool
    layered: bool = False

    def is_jpeg(self, index: int) -> bool:
        """Whether one of the pictures is a JPEG."""
        return self.jpeg and not (self.layered and index > 0)

    def extension(self, index: int) -> str:
        """Of one result file. A format that cannot be written here (webp, gif) becomes PNG, and says so."""
        return "jpg" if self.is_jpeg(index) else "png"

    def media_type(self, index: int) -> str:
        """Of one result file."""
        return "image/jpeg" if self.is_jpeg(index) else "image/png"


def shape_of(model: Model, given: Mapping[str, Any]) -> Shape:
    """The shape that a model's pictures have for an ``input``, its schema's defaults included."""
    across, down = _first(_ratio(value) for value in _values(model, given, "aspect_ratio", RATIO_FIELDS)) or (1, 1)
    kilo = _first(_kilo(value) for value in _values(model, given, "resolution", RESOLUTION_FIELDS)) or 1.0
    width, height = dimensions(across, down, kilo)
    wanted = _first(_values(model, given, "output_format", FORMAT_FIELDS))
    return Shape(image_count(model, given), width, height, wanted in ("jpg", "jpeg"), model.kind == LAYERED)


def image_count(model: Model, given: Mapping[str, Any]) -> int:
    """How many pictures a task makes: what ``input`` asks for, where the model lets it choose."""
    returns = model.returns
    text = str(given.get(returns.count_field, "")) if returns.count_field else ""  # some take the number as text
    if re.fullmatch(r"\d{1,4}(\.0)?", text):
        return min(MAX_COUNT, max(1, int(float(text))))
    return returns.pictures


def dimensions(across: int, down: int, kilo: float) -> tuple[int, int]:
    """Width and height in pixels: the exact ratio, about ``(1024 * kilo) ** 2`` pixels, on a grid of 8."""
    common = math.gcd(across, down)
    across, down = across // common, down // common
    pixels = (1024 * kilo) ** 2
    times = max(1, round(math.sqrt(pixels / (across * down)) / GRID))
    return min(MAX_EDGE, across * GRID * times), min(MAX_EDGE, down * GRID * times)


def _values(model: Model, given: Mapping[str, Any], argument: str, fields: tuple[str, ...]) -> Iterator[Any]:
    """What ``input`` says about a common argument, then what the schema's defaults say, best first."""
    route = model.mapping.get(argument)
    names = dict.fromkeys((route.field, *fields) if route else fields)
    back = {str(value): word for word, value in (route.values or {}).items()} if route else {}
    defaults = {name: schema["default"] for name, schema in model.fields.items() if "default" in schema}
    for source in (given, defaults):
        for name in names:
            if name in source:
                value = source[name]
                yield back.get(str(value), value) if route and name == route.field else value


def _first(values: Iterator[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _ratio(value: Any) -> tuple[int, int] | None:
    """``16:9``, or a name such as ``landscape_16_9`` (``portrait_16_9`` stands upright)."""
    text = str(value)
    if text.startswith("square"):
        return 1, 1
    found = re.fullmatch(r"(?:(landscape|portrait)_)?([1-9]\d{0,2})[:_]([1-9]\d{0,2})", text)
    if found is None:
        return None
    first, second = int(found[2]), int(found[3])
    return (second, first) if found[1] == "portrait" and first > second else (first, second)


def _kilo(value: Any) -> float | None:
    found = re.fullmatch(r"([1-8](?:\.\d)?)[kK]", str(value))
    return float(found[1]) if found else None
