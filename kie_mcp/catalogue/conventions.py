"""How Kie names its inputs: from a field's name and values to what it means.

Source: docs.kie.ai/market, the pages of the image models side by side. Used for what no model file describes yet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.model import takes_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_RATIO = re.compile(r"[1-9]\d{0,2}:[1-9]\d{0,2}")
_NAMED_SIZE = re.compile(r"(square|portrait|landscape)(?:_(hd)|_(\d{1,2})_(\d{1,2}))?")
_SIZE = re.compile(r"\d{1,2}(\.\d)?k", re.IGNORECASE)
_FORMATS = {"png": ("png",), "jpg": ("jpeg", "jpg"), "jpeg": ("jpg", "jpeg"), "webp": ("webp",)}
"""For each of the callers' words the spellings of a field, the best last."""

_PICTURE = re.compile(r"(\w+_)?(image|mask|picture|photo)s?(_input)?(_urls?)?|(input|files?)_urls?")
_NO_PICTURE = re.compile(r"(^|_)(video|audio|voice|music|lyrics|callback|webhook|prompt)", re.IGNORECASE)
_COUNT = re.compile(
    r"n|quantity|batch_size|(\w+_)?counts?|(max|n)_?(images?|pictures?|outputs?|samples?|results?)"
    r"|num(ber)?(_of)?_\w+|(image|picture|output|sample)s?_num(ber)?|samples"
)
_WHOLE_COUNT = re.compile(r"(images|pictures|outputs|results|variants|variations|generations|num|amount)")
"""Names of such a number where the input is one; of anything else they may say what is made."""
_OTHER_COUNT = re.compile(r"step|frame|token|seed")
_WORD_WITHIN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_STILL = re.compile(r"(^|_)(video|audio|voice|music|lyrics|fps)|^duration|^(first|last)_frame", re.IGNORECASE)


def is_of_a_film(name: str) -> bool:
    """Whether an input of this name is one of video or audio models."""
    return _NOT_STILL.search(name) is not None


def is_a_count(name: str, field: Mapping[str, Any]) -> bool:
    """Whether an input holds the number of pictures to make, each billed: ``n``, ``num_images``, ``imageCount``."""
    words = _WORD_WITHIN.sub("_", name).lower()
    kind = field.get("type")
    if kind in ("integer", "number") and _WHOLE_COUNT.fullmatch(words):
        return True
    named = _COUNT.fullmatch(words) is not None and not _OTHER_COUNT.search(words)
    return named and kind in ("integer", "number", "string")


def one_picture(field: Mapping[str, Any]) -> Any:
    """1 as a number of pictures takes it, else the least that it takes; ``None`` where there is none."""
    if "enum" in field:
        numbers = [value for value in field["enum"] if str(value).isdecimal() and int(value) > 0]
        return min(numbers, key=int, default=None)
    return "1" if field.get("type") == "string" else field.get("minimum", 1)


def with_picture_format(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    """A field with ``format`` uri exactly where it takes the URL of a picture, or a list of them."""
    if field.get("type") == "array":
        return {**field, "items": with_picture_format(name, field.get("items", {}))}
    text = field.get("type", "string") == "string" and "enum" not in field
    named = field.get("format") == "uri" or _PICTURE.fullmatch(name) is not None
    kept = {key: value for key, value in field.items() if key != "format"}
    if text and named and not is_a_count(name, field) and not _NO_PICTURE.search(name):
        return {"type": "string", **kept, "format": "uri"}
    return kept


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
    return {word: by_lower[name] for word, names in _FORMATS.items() for name in names if name in by_lower}


def _text(name: str, field: Mapping[str, Any]) -> dict[str, Any] | None:
    is_text = field.get("type") == "string" and "enum" not in field and not takes_pictures(field)
    return {"field": name} if is_text else None


def _pictures(name: str, field: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"field": name} if takes_pictures(field) else None


def _choice(argument: str) -> Callable[[str, Mapping[str, Any]], dict[str, Any] | None]:
    def read(name: str, field: Mapping[str, Any]) -> dict[str, Any] | None:
        values = field.get("enum", ())
        found = words(argument, values)
        # A list of sizes has a real one: "auto" alone says nothing of what a field is about.
        return spelled(name, found, values) if set(found) - {"auto"} else None

    return read


_FOR_PICTURES = (
    *("image_input", "image_urls", "input_urls", "image_url", "image", "images", "files_url", "file_url"),
    *("input_image", "reference_image_urls", "reference_image_url"),
)

_USUAL: Mapping[str, tuple[tuple[str, ...], Callable[[str, Mapping[str, Any]], dict[str, Any] | None]]] = {
    "prompt": (("prompt",), _text),
    "negative_prompt": (("negative_prompt",), _text),
    "aspect_ratio": (("aspect_ratio", "image_size", "size", "ratio"), _choice("aspect_ratio")),
    "resolution": (("resolution", "image_resolution", "size", "quality", "image_size"), _choice("resolution")),
    "output_format": (("output_format", "format"), _choice("output_format")),
    "image_input": (_FOR_PICTURES, _pictures),
}
"""For each common argument the usual names of its field, the best first, and how the field is looked at."""

ARGUMENTS = tuple(_USUAL)
