"""The prompt that is sent: the caller's own, with style, platform and what to avoid added below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.catalogue.offers import offer
from kie_mcp.catalogue.problems import shown
from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from kie_mcp.catalogue.model import Model
    from kie_mcp.catalogue.planning import Wish

# The arguments that become lines of the prompt.
COMPOSED = ("style", "platform", "negative_prompt")


def compose(prompt: str, style: str | None, platform: str | None, avoid: str | None) -> str:
    """One line for each part that was given; a prompt alone stays as it is."""
    parts = (("Style", style), ("Platform", platform), ("Avoid", avoid))
    lines = "\n".join(f"{label}: {text}" for label, text in parts if text and text.strip())
    return f"{prompt}\n\n{lines}" if prompt and lines else prompt or lines


def prompt_text(model: Model, wish: Wish) -> str:
    """The composed prompt for ``model``; what to avoid is left out where the model has an input for it.

    Raises ``InputError`` where the prompt was given twice, or a model without a prompt was given a style.
    """
    avoid = None if "negative_prompt" in model.mapping else wish.negative_prompt
    route = model.mapping.get("prompt")
    if route is None:
        for name, text in (("style", wish.style), ("negative_prompt", avoid)):
            if text and text.strip():
                raise InputError(
                    f"{model.id} takes no prompt, so {name} {shown(text)} cannot be used with it. {offer(model)}"
                )
        return wish.prompt
    return compose(own_prompt(wish, route.field), wish.style, wish.platform, avoid)


def own_prompt(wish: Wish, field: str) -> str:
    """The caller's words: the argument, or ``model_params`` under the model's name for it; not two of them."""
    given = wish.model_params.get(field)
    if wish.prompt and given not in (None, wish.prompt):
        raise given_twice("prompt", wish.prompt, f"model_params.{field}", given)
    return given if isinstance(given, str) else wish.prompt


def given_twice(one: str, value: object, other: str, param: object) -> InputError:
    """The error for one input that was given in two places, with different values."""
    return InputError(
        f"{one} is {shown(value)}, but {other} is {shown(param)}, and both set the same input. Give only one of them."
    )
