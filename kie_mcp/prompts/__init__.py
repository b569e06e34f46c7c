"""Prompts: beginnings of conversations that people choose from a menu of their host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import InputError
from kie_mcp.schemas import load_prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services

_PLACE = re.compile(r"\{(\w+)\}")
"""Where the value of an argument stands in a line."""


def list_prompts(services: Services, params: Mapping[str, Any], context: CallContext) -> dict[str, Any]:  # noqa: ARG001 - every method is given them
    """All prompts, on one page. Raises ``InputError`` for a cursor: nobody was given one."""
    if params.get("cursor") is not None:
        raise InputError("params.cursor is none of this server's: all prompts are on one page.")
    return {"prompts": [_published(prompt) for prompt in load_prompts()["prompts"]]}


def get_prompt(services: Services, params: Mapping[str, Any], context: CallContext) -> dict[str, Any]:  # noqa: ARG001 - as above
    """The text of one prompt. What is left blank counts as not given.

    Raises ``InputError`` for an unknown prompt, and for an argument that is missing, unknown or no string.
    """
    prompt = _named(params.get("name"))
    given = _given(prompt, params.get("arguments"))
    lines = (line for line in prompt["lines"] if given.keys() >= set(_PLACE.findall(line)))
    text = "\n".join(_PLACE.sub(lambda place: given[place[1]], line) for line in lines)
    content = {"type": "text", "text": text}
    return {"description": prompt["description"], "messages": [{"role": "user", "content": content}]}


def _published(prompt: Mapping[str, Any]) -> dict[str, Any]:
    """A prompt as MCP has it."""
    arguments = [_without(argument, "completes") for argument in prompt["arguments"]]
    return {**_without(prompt, "lines"), "arguments": arguments}


def _without(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != name}


def _named(name: object) -> dict[str, Any]:
    prompts: dict[object, dict[str, Any]] = {prompt["name"]: prompt for prompt in load_prompts()["prompts"]}
    if not isinstance(name, str) or name not in prompts:
        raise _unknown("Unknown prompt", name, map(str, prompts))
    return prompts[name]


def _given(prompt: Mapping[str, Any], arguments: object) -> dict[str, str]:
    """The arguments that say something."""
    if not isinstance(arguments, dict | None):
        raise InputError("params.arguments must be an object with a text for each argument.")
    known = [argument["name"] for argument in prompt["arguments"]]
    for name, value in (arguments or {}).items():
        if name not in known:
            raise _unknown(f"The prompt {prompt['name']} has no argument", name, known)
        if not isinstance(value, str):
            raise InputError(f"The argument {name!r} must be a text.")
    given = {name: value for name, value in (arguments or {}).items() if value.strip()}
    missing = [argument["name"] for argument in prompt["arguments"] if argument["required"]]
    if missing := [name for name in missing if name not in given]:
        raise InputError(f"The prompt {prompt['name']} needs {' and '.join(map(repr, missing))}.")
    return given


def _unknown(what: str, name: object, known: Iterable[str]) -> InputError:
    from kie_mcp.catalogue.problems import unknown  # not before: hosts ask for the list as soon as they start

    return InputError(unknown(what, name, known))
