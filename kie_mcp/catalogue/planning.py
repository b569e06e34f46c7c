"""From a wish to the input of one task: every check that can be made before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.choices import chosen, platform_ratio
from kie_mcp.catalogue.coercion import in_models_types
from kie_mcp.catalogue.pictures import InputPicture, input_pictures, pictures, pictures_for_unknown
from kie_mcp.catalogue.problems import Problem, listed
from kie_mcp.catalogue.prompts import COMPOSED, compose, given_twice, own_prompt, prompt_text
from kie_mcp.catalogue.suggest import did_you_mean
from kie_mcp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kie_mcp.catalogue.model import Model
    from kie_mcp.catalogue.platforms import Platforms


@dataclass(frozen=True)
class Wish:
    """What a caller asks for, in the common arguments; ``model_params`` are further inputs of that model."""

    prompt: str
    model: str
    style: str | None = None
    platform: str | None = None
    negative_prompt: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    output_format: str | None = None
    image_input: tuple[str, ...] = ()
    model_params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The ``input`` of one createTask, in the model's own words.

    ``known`` is false for a model without a file here. ``prompt`` is the composed one, also where the
    model takes none. ``pictures`` are those in ``input``, as the caller wrote them.
    """

    model: str
    known: bool
    input: Mapping[str, Any]
    prompt: str
    pictures: tuple[InputPicture, ...]
    warnings: tuple[str, ...]
    estimated_credits: float | None
    least_credits: float | None = None

    def with_pictures(self, urls: Sequence[str]) -> Plan:
        """The same plan with a URL in the place of each of its ``pictures``, in their order."""
        body = {name: list(value) if isinstance(value, list) else value for name, value in self.input.items()}
        for picture, url in zip(self.pictures, urls, strict=True):
            if picture.place is None:
                body[picture.field] = url
            else:
                body[picture.field][picture.place] = url
        return replace(self, input=body)


def plan_known(model: Model, wish: Wish, platforms: Platforms, models: Sequence[Model]) -> Plan:
    """The plan for a model of the catalogue (``models`` are all of it); raises ``InputError``."""
    _refuse_unknown_params(model, wish.model_params)
    wish = replace(wish, model_params=in_models_types(model, wish.model_params))
    prompt = prompt_text(model, wish)
    asked = {**chosen(model, wish), **pictures(model, wish, models)}
    _refuse_contradictions(model, asked, wish.model_params)
    wish = replace(wish, model_params=_by_present_names(model, wish.model_params))
    if "prompt" in model.mapping and prompt:
        asked[model.mapping["prompt"].field] = prompt
    body = {**wish.model_params, **asked}
    ratio, warnings = platform_ratio(model, wish, platforms, body)
    body.update(ratio)
    body.update({name: value for name, value in model.defaults.items() if name not in body})
    body, filled = _with_required(model, body)
    problems = model.problems(body)
    if problems:
        raise InputError(" ".join(_in_callers_words(model, problem) for problem in problems))
    return Plan(
        model=model.id,
        known=True,
        input=body,
        prompt=prompt,
        pictures=input_pictures(model, wish, body),
        warnings=(*warnings, *filled),
        estimated_credits=model.estimate(body),
        least_credits=model.least(body),
    )


def _with_required(model: Model, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """``body`` with what the model requires beside the caller's choices, and what to say about it.

    E.g. a size that needs an explicit shape gets the first shape that goes with it.
    """
    found = {problem.field: problem.fitting[0] for problem in model.problems(body) if problem.fitting}
    filled = {name: value for name, value in found.items() if name not in body}
    told = tuple(f"{name} was set to {value}: {model.id} requires one here." for name, value in filled.items())
    return {**body, **filled}, told


def plan_unknown(wish: Wish, close_ids: Sequence[str]) -> Plan:
    """The plan for a model that has no file here: the common body, and Kie decides."""
    prompt = compose(own_prompt(wish, "prompt"), wish.style, wish.platform, wish.negative_prompt)
    common = {
        "aspect_ratio": wish.aspect_ratio,
        "resolution": wish.resolution,
        "output_format": wish.output_format,
        "image_input": list(wish.image_input) or None,
    }
    asked = {name: value for name, value in common.items() if value is not None}
    for name, value in asked.items():
        if wish.model_params.get(name, value) != value:
            raise given_twice(name, value, f"model_params.{name}", wish.model_params[name])
    warning = f"{wish.model!r} is not in the list of models, so Kie decides."
    if close_ids:
        warning += f" Did you mean {' or '.join(map(repr, close_ids))}?"
    body = {**asked, **wish.model_params}
    if prompt:
        body["prompt"] = prompt
    return Plan(
        model=wish.model,
        known=False,
        input=body,
        prompt=prompt,
        pictures=pictures_for_unknown(wish),
        warnings=(warning,),
        estimated_credits=None,
    )


def _refuse_unknown_params(model: Model, params: Mapping[str, Any]) -> None:
    for name in params:
        if name in model.fields:
            continue
        if name in model.mapping or (name in COMPOSED and "prompt" in model.mapping):
            hint = f" Give it as the argument {name} instead."
        else:
            hint = did_you_mean(name, model.fields)
        raise InputError(
            f"{model.id} has no input {name!r} (in model_params).{hint} Its inputs: {listed(model.fields)}."
        )


def _refuse_contradictions(model: Model, asked: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """One input has to have one value: as a common argument, in ``model_params``, and under an older name."""
    for argument, route in model.mapping.items():
        given = {f"model_params.{name}": params[name] for name in route.names if name in params}
        if route.field in asked:
            given = {argument: asked[route.field], **given}
        (first, value), *others = given.items() or [("", None)]
        for other, param in others:
            if param != value:
                raise given_twice(first, value, other, param)


def _by_present_names(model: Model, params: Mapping[str, Any]) -> dict[str, Any]:
    """``model_params`` with every input under the name that it has now."""
    present = {alias: route.field for route in model.mapping.values() for alias in route.aliases}
    return {present.get(name, name): value for name, value in params.items()}


def _in_callers_words(model: Model, problem: Problem) -> str:
    """A problem's message, with the arguments that set the fields it speaks of."""
    if problem.kind == "missing":
        argument = _argument(model, problem.field)
        return problem.message if argument == problem.field else f"{problem.message} Give it as {argument}."
    if problem.choice:
        ways = [f"{name} as {_argument(model, name)}" for name in problem.choice]
        return f"{problem.message} Give {' or '.join(ways)}."
    argument = _argument(model, problem.field)
    if problem.kind == "conflict" and not problem.fitting and argument not in ("", problem.field):
        return f"{problem.message} It is given as {argument}."
    return problem.message


def _argument(model: Model, field: str) -> str:
    """How a caller sets a field; nothing for a problem that is of none."""
    return field and next(
        (name for name, route in model.mapping.items() if route.field == field), f"model_params.{field}"
    )
