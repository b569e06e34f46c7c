"""How Kie names its inputs: from a field's name and values to what it means.

Source: docs.kie.ai/market, the pages of the image models side by side. Used for what no model file describes yet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

COUNTS = ("n", "num_images", "max_images", "number_of_images", "num_outputs")
"""Inputs that hold the number of pictures to make."""

_RATIO = re.compile(r"[1-9]\d{0,2}:[1-9]\d{0,2}")
_NAMED_SIZE = re.compile(r"(square|portrait|landscape)(?:_(hd)|_(\d{1,2})_(\d{1,2}))?")
_SIZE = re.compile(r"\d{1,2}(\.\d)?k", re.IGNORECASE)
_FORMATS = {"png": ("png",), "jpg": ("jpg", "jpeg"), "jpeg": ("jpeg", "jpg"), "webp": ("webp",)}
_PICTURE = re.compile(r"(\w+_)?(image|mask|picture|photo)s?(_input)?(_urls?)?|(input|files?)_urls?")
_NO_PICTURE = re.compile(r"(^|_)(video|audio|voice|music|lyrics|callback|webhook)", re.IGNORECASE)
_NOT_STILL = re.compile(r"(^|_)(video|audio|voice|music|lyrics|fps)|^duration|^(first|last)_frame", re.IGNORECASE)


def is_of_a_film(name: str) -> bool:
    """Whether an input of this name is one of video or audio models."""
    return _NOT_STILL.search(name) is not None


def with_picture_format(name: str, field: Mapping[str, Any], *, known: bool = False) -> dict[str, Any]:
    """A field with ``format`` uri exactly where it takes the URL of a picture, or a list of them.

    ``known``: it did so far, whatever its name is. Which picture is sent is never for a schema to say, so it keeps no
    ``default``.
    """
    entry = field.get("items", {}) if field.get("type") == "array" else field
    told = entry.get("format") == "uri"
    takes = entry.get("type", "string") == "string" and "enum" not in entry
    takes = takes and name not in COUNTS and not _NO_PICTURE.search(name)
    wanted = takes and (told or known or _PICTURE.fullmatch(name) is not None)
    if not (wanted or told):
        return dict(field)
    changed = {key: value for key, value in entry.items() if key not in ("format", "default")}
    if wanted:
        changed = {"type": "string", **changed, "format": "uri"}
    return {**field, "items": changed} if field.get("type") == "array" else changed


def takes_pictures(field: Mapping[str, Any]) -> bool:
    """Whether a field holds the URL of a picture, or a list of them."""
    entry = field.get("items", {}) if field.get("type") == "array" else field
    return bool(entry.get("format") == "uri")


def route(argument: str, fields: Mapping[str, Mapping[str, Any]], names: Collection[str]) -> dict[str, Any] | None:
    """Where a common argument goes, among the fields of these ``names``: the entry of a ``mapping``, or nothing."""
    usual, read = _USUAL[argument]
    for name in usual:
        if name in names and name in fields:
            found = read(name, fields[name])
            if found is not None:
                return found
    return None


def words(argument: str, values: Collection[Any]) -> dict[str, Any]:
    """``{the caller's word: the field's value}`` for as many values as have one."""
    return {"aspect_ratio": _shapes, "resolution": _sizes, "output_format": _formats}[argument](values)


def spelled(field: str, found: Mapping[str, Any], values: Collection[Any]) -> dict[str, Any] | None:
    """The route with these words; without them where they are just what the field takes."""
    if not found:
        return None
    same = len(found) == len(values) and all(word == value for word, value in found.items())
    return {"field": field} if same else {"field": field, "values": dict(found)}


def _shapes(values: Collection[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        shape = _shape(value) if isinstance(value, str) else None
        if shape is not None and (shape not in found or value.endswith("_hd")):
            found[shape] = value
    return found


def _shape(value: str) -> str | None:
    """``16:9`` for ``landscape_16_9`` and for itself; ``auto`` stays."""
    if value == "auto" or _RATIO.fullmatch(value):
        return value
    named = _NAMED_SIZE.fullmatch(value)
    if named is None:
        return None
    if named[1] == "square":
        return "1:1" if named[3] is None else None
    sides = sorted(int(side) for side in named.group(3, 4) if side)
    if not all(sides) or not sides:
        return None
    return f"{sides[0]}:{sides[1]}" if named[1] == "portrait" else f"{sides[1]}:{sides[0]}"


def _sizes(values: Collection[Any]) -> dict[str, Any]:
    return {value: value for value in values if isinstance(value, str) and (_SIZE.fullmatch(value) or value == "auto")}


def _formats(values: Collection[Any]) -> dict[str, Any]:
    by_lower = {value.lower(): value for value in values if isinstance(value, str)}
    found = {
        word: next((by_lower[name] for name in names if name in by_lower), None) for word, names in _FORMATS.items()
    }
    return {word: value for word, value in found.items() if value is not None}


def _text(name: str, field: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"field": name} if field.get("type") == "string" and "enum" not in field else None


def _pictures(name: str, field: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"field": name} if takes_pictures(field) else None


def _choice(argument: str) -> Callable[[str, Mapping[str, Any]], dict[str, Any] | None]:
    def read(name: str, field: Mapping[str, Any]) -> dict[str, Any] | None:
        values = field.get("enum", ())
        found = words(argument, values)
        # A list of sizes has a real one: "auto" alone says nothing of what a field is about.
        return spelled(name, found, values) if set(found) - {"auto"} else None

    return read


_USUAL: Mapping[str, tuple[tuple[str, ...], Callable[[str, Mapping[str, Any]], dict[str, Any] | None]]] = {
    "prompt": (("prompt",), _text),
    "negative_prompt": (("negative_prompt",), _text),
    "aspect_ratio": (("aspect_ratio", "image_size", "size", "ratio"), _choice("aspect_ratio")),
    "resolution": (("resolution", "image_resolution", "size", "quality", "image_size"), _choice("resolution")),
    "output_format": (("output_format", "format"), _choice("output_format")),
    "image_input": (
        (
            "image_input",
            "image_urls",
            "input_urls",
            "image_url",
            "image",
            "images",
            "files_url",
            "file_url",
            "input_image",
            "reference_image_urls",
            "reference_image_url",
        ),
        _pictures,
    ),
}
"""For each common argument the usual names of its field, the best first, and how the field is looked at."""

ARGUMENTS = tuple(_USUAL)
