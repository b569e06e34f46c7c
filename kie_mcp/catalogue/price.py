"""What a task costs, as far as that can be told before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

USD_PER_CREDIT = 0.005
"""Source: kie.ai pricing, 1 credit = $0.005."""

_MOST_DIGITS = 6


def usd(credit: float) -> float:
    """So many credits in US dollars, to a hundredth of a cent."""
    return round(credit * USD_PER_CREDIT, 4)


@dataclass(frozen=True)
class Price:
    """Credits for one task; ``credits`` is ``None`` where the price is not known.

    ``by_credits`` has the price for each value of ``by_field``; ``times`` names the field that holds the
    number of pictures, each billed; every input picture after the first ``free_images`` costs ``image_credits``;
    ``per`` names what is billed piece by piece where nobody knows before how many there will be.
    """

    text: str | None = None
    credits: float | None = None
    by_field: str | None = None
    by_credits: Mapping[str, float] | None = None
    times: str | None = None
    image_credits: float = 0
    free_images: int = 0
    per: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Price:
        """Read the ``price`` of a model file."""
        by, per_image = data.get("by", {}), data.get("per_image", {})
        return cls(
            data.get("text"),
            data.get("credits"),
            by.get("field"),
            by.get("credits"),
            data.get("times"),
            per_image.get("credits", 0),
            per_image.get("free", 0),
            data.get("per"),
        )

    def estimate(self, values: Mapping[str, Any], pictures: int) -> float | None:
        """The price of an input whose fields have these ``values``, with so many input pictures.

        ``None`` where it is not known: also for a value of ``by_field`` that has no price, which may be a dearer one.
        """
        return None if self.per is not None else self.least(values, pictures)

    def least(self, values: Mapping[str, Any], pictures: int) -> float | None:
        """What such an input costs at least: of what is billed piece by piece, there is one piece."""
        value = values.get(self.by_field) if self.by_field else None
        word = str(value).lower() if isinstance(value, bool) else str(value)
        one = (self.by_credits or {}).get(word, self.credits if value is None else None)
        if one is None:
            return None
        number = _whole(values.get(self.times, 1)) if self.times else 1
        if number is None:
            return None
        return round(one * number + self.image_credits * max(0, pictures - self.free_images), 4)


def words_of(field: Mapping[str, Any]) -> list[str]:
    """The values of a field as ``by_credits`` names them."""
    return ["true", "false"] if field.get("type") == "boolean" else [str(value) for value in field.get("enum", ())]


def _whole(value: Any) -> int | None:
    """A number of pictures, which some models take as text; ``None`` for anything but a whole one from 1."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) > 0 else None
