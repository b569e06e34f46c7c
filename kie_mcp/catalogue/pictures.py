"""Input pictures: whether a model takes them, how many, and which model does where this one does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.problems import listed
from kie_mcp.catalogue.suggest import related_ids
from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.catalogue.model import Model
    from kie_mcp.catalogue.planning import Wish

_MOST_NAMED = 3


def pictures(model: Model, wish: Wish, models: Sequence[Model]) -> dict[str, Any]:
    """The model's picture field with what the caller gave, as it was written.

    Raises ``InputError`` where the model takes no pictures, fewer of them, or needs one.
    """
    field, given = model.image_field, wish.image_input
    if not given:
        if field is not None and model.image_required and field not in wish.model_params:
            raise InputError(f"{model.id} works on pictures: give 1 to {model.max_images} of them as image_input.")
        return {}
    if field is None:
        raise InputError(f"{model.id} takes no pictures (image_input). {_who_does(model, models)}")
    if len(given) > model.max_images:
        raise InputError(f"image_input has {len(given)} pictures; {model.id} accepts at most {model.max_images}.")
    return {field: list(given) if model.image_is_list else given[0]}


def _who_does(model: Model, models: Sequence[Model]) -> str:
    """The closest model of the family that takes a prompt and pictures, else a few that do."""
    able = [other.id for other in models if other.image_field and "prompt" in other.mapping]
    family = related_ids(model.id, able)
    if family:
        return f"Its sibling {family[0]!r} does."
    return f"These do: {listed(able[:_MOST_NAMED])}." if able else "No known model does."
