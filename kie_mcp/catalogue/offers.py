"""What a model accepts, in one sentence: the end of every message that refuses something it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.catalogue.model import CHOICES
from kie_mcp.catalogue.problems import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kie_mcp.catalogue.model import Model


def offer(model: Model) -> str:
    """The common arguments that ``model`` knows with their values, and the names that ``model_params`` takes."""
    parts = list(_parts(model))
    return f"It accepts: {'; '.join(parts)}." if parts else "It accepts a prompt and nothing else."


def _parts(model: Model) -> Iterator[str]:
    for name in CHOICES:
        if name in model.mapping:
            values = model.choices(name)
            yield f"{name} ({listed(values)})" if values else name
    if model.max_images:
        yield f"image_input ({number_of_pictures(model)})"
    if "negative_prompt" in model.mapping:
        yield "negative_prompt"
    if model.other_fields:
        yield f"model_params ({listed(model.other_fields)})"


def number_of_pictures(model: Model) -> str:
    """How many pictures a model takes, e.g. ``1 to 8 pictures``."""
    return "1 picture" if model.max_images == 1 else f"1 to {model.max_images} pictures"
