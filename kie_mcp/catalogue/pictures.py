"""Input pictures: whether a model takes them, how many, and which model does where this one does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.offers import number_of_pictures, offer
from kie_mcp.catalogue.problems import listed
from kie_mcp.catalogue.suggest import related_ids
from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kie_mcp.catalogue.model import Model
    from kie_mcp.catalogue.planning import Wish

_MOST_NAMED = 3
_NEVER_FOR_KIE = ("data:image/", "file:/", "task:")
"""How pictures begin that Kie itself cannot read."""


@dataclass(frozen=True)
class InputPicture:
    """One picture that goes into a task, as the caller wrote it in ``argument``.

    It stands in the input ``field``, at ``place`` of the list there (``None``: the field holds one).
    ``max_bytes`` and ``mime_types`` are the model's limits, where known.
    """

    field: str
    place: int | None
    text: str
    argument: str
    max_bytes: int | None = None
    mime_types: tuple[str, ...] = ()


def pictures(model: Model, wish: Wish, models: Sequence[Model]) -> dict[str, Any]:
    """The model's picture field with what the caller gave, as it was written.

    Raises ``InputError`` where the model takes no pictures, fewer of them, or needs one.
    """
    field, given = model.image_field, wish.image_input
    if not given:
        if field is not None and model.image_required and field not in wish.model_params:
            raise InputError(
                f"{model.id} works on pictures: give {number_of_pictures(model)} as image_input."
                f"{_who_does_without(model, models)}"
            )
        return {}
    if field is None:
        raise InputError(f"{model.id} takes no pictures (image_input). {_who_does(model, models)} {offer(model)}")
    if len(given) > model.max_images:
        raise InputError(
            f"image_input has {len(given)} pictures; {model.id} accepts at most {model.max_images}.{_elsewhere(model)}"
        )
    return {field: list(given) if model.is_list(field) else given[0]}


def _elsewhere(model: Model) -> str:
    """The inputs for pictures with another purpose, such as a mask."""
    others = [f"model_params.{name}" for name in model.fields if name in model.picture_fields - {model.image_field}]
    return f" Pictures for another purpose go into {listed(others)}." if others else ""


def input_pictures(model: Model, wish: Wish, body: Mapping[str, Any]) -> tuple[InputPicture, ...]:
    """Every picture in an input that fits the model's schema, wherever the caller gave it."""
    return tuple(
        InputPicture(
            field,
            place,
            text,
            f"model_params.{field}" if field in wish.model_params else "image_input",
            *model.picture_limits(field),
        )
        for field, place, text in model.pictures_in(body)
    )


def pictures_for_unknown(wish: Wish) -> tuple[InputPicture, ...]:
    """The pictures for a model without a file here: which of ``model_params`` are some, only their form can tell."""
    given = [InputPicture("image_input", place, text, "image_input") for place, text in enumerate(wish.image_input)]
    for name, value in wish.model_params.items():
        for place, text in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(text, str) and "prompt" not in name and text.strip().lower().startswith(_NEVER_FOR_KIE):
                place_in_list = place if isinstance(value, list) else None
                given.append(InputPicture(name, place_in_list, text, f"model_params.{name}"))
    return tuple(given)


def _who_does(model: Model, models: Sequence[Model]) -> str:
    """The closest model of the family that takes a prompt and pictures, else a few that do, the versatile first."""
    able = [other for other in models if other.image_field and "prompt" in other.mapping]
    family = related_ids(model.id, [other.id for other in able])
    if family:
        return f"Its sibling {family[0]!r} does."
    named = [other.id for other in sorted(able, key=lambda other: other.image_required)][:_MOST_NAMED]
    return f"These do: {listed(named)}." if named else "No known model does."


def _who_does_without(model: Model, models: Sequence[Model]) -> str:
    """The closest model of the family that needs no picture, where the caller may have meant that one."""
    if model.kind != "image-to-image":
        return ""
    able = [other.id for other in models if other.works_on_a_prompt]
    family = related_ids(model.id, able)
    return f" Its sibling {family[0]!r} needs none." if family else ""
