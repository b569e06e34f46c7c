"""The nearest known thing to what a caller wrote: a value, a name, a model id."""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_RATIO = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[:x\u00d7/]\s*(\d+(?:\.\d+)?)\s*", re.IGNORECASE)
# How far apart two shapes may be (in natural logarithms of width/height) to count as near: about 16:9 and 7:3.
_NEAR_SHAPE = 0.35
_NEAR_TEXT = 0.6
_LONGEST_ASKED = 200
"""Characters. What is longer is near to nothing, and finding that out takes minutes."""
_LIKELY = 0.5
"""What is likely to be meant outweighs half of all that two ids can differ in their letters."""


def nearest(value: object, accepted: Iterable[str]) -> str | None:
    """The accepted text closest to ``value``, or ``None`` where nothing is close.

    Aspect ratios are compared by shape, however they are written (``16x9``, ``1024/1024``).
    """
    written = str(value)
    if len(written) > _LONGEST_ASKED:
        return None
    choices = list(accepted)
    shape = _shape(written)
    if shape is not None:
        rated = [(abs(shape - known), choice) for choice in choices if (known := _shape(choice)) is not None]
        distance, choice = min(rated, default=(math.inf, ""))
        return choice if distance <= _NEAR_SHAPE else None
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(written.strip().lower(), by_lower, 1, _NEAR_TEXT)
    return by_lower[close[0]] if close else None


def did_you_mean(value: object, accepted: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with its leading space, or nothing."""
    found = nearest(value, accepted)
    return f" Did you mean {found!r}?" if found is not None else ""


def nearest_ids(asked: str, ids: Iterable[str], count: int, likely: Collection[str] = ()) -> list[str]:
    """The model ids closest to ``asked``, best first: vendor prefixes and kind suffixes hardly count.

    Among ids that are about as close, those in ``likely`` come first.
    """
    if len(asked) > _LONGEST_ASKED:
        return []
    close = [(_closeness(asked, known), known) for known in ids]
    rated = sorted(
        (-closeness - _LIKELY * (known in likely), known) for closeness, known in close if closeness >= _NEAR_TEXT
    )
    return [known for _, known in rated][:count]


def related_ids(model_id: str, ids: Collection[str]) -> list[str]:
    """The ids of the same family, closest first: those that begin with the same words, same vendor before others."""
    own, vendor = words(model_id), _vendor(model_id)
    rated = [
        (_vendor(other) != vendor, -_shared(own, words(other)), -_likeness(own, words(other)), other) for other in ids
    ]
    return [other for _, shared, _, other in sorted(rated) if shared < 0]


def words(model_id: str) -> tuple[str, ...]:
    """The words and numbers of an id, in order: ``seedream/4.5-edit`` has seedream, 4, 5 and edit."""
    return tuple(re.findall(r"[a-z]+|[0-9]+", model_id.lower()))


def _vendor(model_id: str) -> str:
    """What stands before the slash; Kie has ids without one."""
    return model_id.rpartition("/")[0].lower()


def _shape(written: str) -> float | None:
    found = _RATIO.fullmatch(written)
    if not found or not float(found[1]) or not float(found[2]):
        return None
    return math.log(float(found[1]) / float(found[2]))


def _closeness(asked: str, known: str) -> float:
    """From 0 to 3: from 2 where only a vendor differs or it begins alike, from 1 where one has all words."""
    a, k = words(asked), words(known)
    if not a:
        return 0.0
    likeness = _likeness(a, k)
    if a == words(known.rpartition("/")[2]) or k == words(asked.rpartition("/")[2]):
        return 2 + likeness
    if _begins_like(a, k):
        return 2 + likeness / 2
    if set(a) <= set(k) or set(k) <= set(a):
        return 1 + likeness
    return likeness


def _begins_like(asked: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Whether the known id begins with the words that were asked for, its vendor's name being left out or not."""
    return asked in (known[: len(asked)], known[1 : len(asked) + 1])


def _likeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return difflib.SequenceMatcher(None, "-".join(one), "-".join(other)).ratio()


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many words the two begin with in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
