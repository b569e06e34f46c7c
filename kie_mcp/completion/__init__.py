"""Completion of what a person types into a prompt or a resource template."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.model import CHOICES
from kie_mcp.catalogue.problems import shown, unknown
from kie_mcp.errors import ConfigError, InputError
from kie_mcp.schemas import load_prompts, load_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services

MOST_VALUES = 100
"""In one answer (completion/complete of the specification)."""
NEWEST_TASKS = 1000
"""As many tasks are looked through: what somebody looks for is hardly ever older."""

KINDS = ("model", "platform", "style", "task_id", "picture", *CHOICES)
"""The kinds of values that are known. ``picture`` is a task that has saved some."""


def complete(services: Services, params: Mapping[str, Any], context: CallContext) -> dict[str, Any]:
    """The values of an argument that begin with what was typed, then those that contain it.

    Nothing for an argument whose values are not known. Raises ``InputError`` for an unknown prompt or template, and
    for params of another form.
    """
    kinds = _kinds(_object(params.get("ref"), "ref"))
    argument = _object(params.get("argument"), "argument")
    name, typed = _text(argument.get("name"), "argument.name"), _text(argument.get("value"), "argument.value")
    told = _object(params.get("context") or {}, "context")
    chosen = _object(told.get("arguments") or {}, "context.arguments")
    context.raise_if_cancelled()
    values = _matching(_values(kinds.get(name), services, chosen), typed)
    return {"completion": {"values": values[:MOST_VALUES], "total": len(values), "hasMore": len(values) > MOST_VALUES}}


def _kinds(ref: Mapping[str, Any]) -> dict[str, str]:
    """The kind of values for each argument of a prompt, or variable of a template, that has one."""
    kind = ref.get("type")
    if kind == "ref/prompt":
        prompts = {prompt["name"]: prompt["arguments"] for prompt in load_prompts()["prompts"]}
        arguments = prompts[_known(_text(ref.get("name"), "ref.name"), prompts, "prompt")]
        return {argument["name"]: argument["completes"] for argument in arguments if "completes" in argument}
    if kind == "ref/resource":
        templates = [template["uriTemplate"] for template in load_resources()["templates"]]
        template = _known(_text(ref.get("uri"), "ref.uri"), templates, "resource template")
        variable = template.partition("{")[2].rstrip("}")
        return {variable: variable}
    raise InputError(f"params.ref.type is {shown(kind)}; it must be ref/prompt or ref/resource.")


def _values(kind: str | None, services: Services, chosen: Mapping[str, Any]) -> list[str]:
    """All values of a kind, the likeliest first; ``chosen`` are the arguments that have their values already."""
    if kind == "model":
        return [model.id for model in services.catalogue.search()]
    if kind == "platform":
        return services.catalogue.platform_names()
    if kind == "style":
        styles: list[str] = load_prompts()["styles"]
        return styles
    if kind in ("task_id", "picture"):
        return _task_ids(services, with_pictures=kind == "picture")
    return _choices(kind, services, chosen.get("model")) if kind in CHOICES else []


def _choices(argument: str, services: Services, model_id: object) -> list[str]:
    """What the chosen model takes, or the usual one; of a model that is not known, what any takes, commonest first."""
    model = services.catalogue.find(str(model_id or "").strip() or _usual_model(services))
    if model is not None:
        return model.choices(argument)
    counted = Counter(value for model in services.catalogue.search() for value in model.choices(argument))
    return [value for value, _ in counted.most_common()]


def _usual_model(services: Services) -> str:
    """The model of calls that name none; nothing where the settings cannot be used."""
    with suppress(ConfigError):
        return services.config.model
    return ""


def _task_ids(services: Services, *, with_pictures: bool) -> list[str]:
    """The newest tasks; without a ledger there are none, and none is made for this."""
    if not services.has_ledger():
        return []
    tasks = services.records.gallery.page if with_pictures else services.records.tasks.recent
    return list(dict.fromkeys(row.task_id for row in tasks(limit=NEWEST_TASKS) if row.task_id))


def _matching(values: Iterable[str], typed: str) -> list[str]:
    """Those with ``typed`` in them, in any case: at their beginning first."""
    wanted = typed.lower()
    found = [value for value in values if wanted in value.lower()]
    return sorted(found, key=lambda value: not value.lower().startswith(wanted))


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"params.{place} is {shown(value)}; it must be an object.")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"params.{place} is {shown(value)}; it must be a text.")
    return value


def _known(name: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    if name not in names:
        raise InputError(unknown(f"Unknown {what}", name, names))
    return name
