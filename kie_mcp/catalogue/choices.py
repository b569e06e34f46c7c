"""Shape, resolution, format and the like: the caller's word, and the model's word for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.model import CHOICES
from kie_mcp.catalogue.offers import offer
from kie_mcp.catalogue.problems import listed, shown
from kie_mcp.catalogue.suggest import did_you_mean
from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue.model import Model
    from kie_mcp.catalogue.planning import Wish
    from kie_mcp.catalogue.platforms import Platforms


def chosen(model: Model, wish: Wish) -> dict[str, Any]:
    """The model's fields for what the caller chose; raises ``InputError`` for what the model does not do."""
    fields = {}
    for argument in CHOICES:
        value = getattr(wish, argument)
        if value is not None:
            fields.update(_translated(model, argument, value))
    avoid = model.mapping.get("negative_prompt")
    if avoid and wish.negative_prompt and wish.negative_prompt.strip():
        fields[avoid.field] = wish.negative_prompt
    return fields


def platform_ratio(
    model: Model, wish: Wish, platforms: Platforms, body: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The shape that goes with the platform, where the caller gave none, and a warning where none fits.

    A shape that the model refuses beside the caller's other choices is passed over.
    """
    platform = platforms.find(wish.platform or "")
    route = model.mapping.get("aspect_ratio")
    if route and route.field in body:
        return {}, ()
    if platform is None:
        return {}, _misspelt(wish.platform, platforms)
    possible = model.choices("aspect_ratio")
    for ratio in platform.aspect_ratios:
        if ratio in possible:
            field = _translated(model, "aspect_ratio", ratio)
            problems = model.problems({**model.defaults, **body, **field})
            if not any(problem.kind == "conflict" for problem in problems):
                return field, ()
    wanted = listed(platform.aspect_ratios)
    return {}, (f"{model.id} can make none of the aspect ratios for {platform.title} ({wanted}): none was set.",)


def _misspelt(name: str | None, platforms: Platforms) -> tuple[str, ...]:
    """A warning where a known platform may have been meant; any other name is the caller's own."""
    hint = did_you_mean(name, platforms.names()) if name else ""
    return (f"The platform {shown(name)} is not known, so it sets no aspect ratio.{hint}",) if hint else ()


def _translated(model: Model, argument: str, value: str) -> dict[str, Any]:
    """``{field: the model's word}`` for one choice, compared without regard to case.

    The model's own word will do as well: ``landscape_16_9`` is as clear as ``16:9``.
    """
    route = model.mapping.get(argument)
    if route is None:
        raise InputError(f"{model.id} has no {argument}, so {shown(value)} cannot be asked of it. {offer(model)}")
    possible = model.choices(argument)
    if not possible:
        return {route.field: value}
    for word in possible:
        if word.lower() == value.lower():
            return {route.field: route.values[word] if route.values is not None else word}
    for word in (route.values or {}).values():
        if str(word).lower() == value.lower():
            return {route.field: word}
    raise InputError(
        f"{model.id} does not do {argument} {shown(value)}.{did_you_mean(value, possible)}"
        f" It accepts: {listed(possible)}."
    )
