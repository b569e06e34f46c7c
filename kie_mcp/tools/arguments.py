"""From the arguments of a call to a request: the one place that knows their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue import Wish
from kie_mcp.errors import InputError
from kie_mcp.jobs import Request
from kie_mcp.text import host_of
from kie_mcp.tools.validation import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext

_LONGEST_SECONDS = 1e9


def request_from(arguments: Mapping[str, Any], config: Config) -> Request:
    """One picture's request; what is not given comes from the settings. Raises ``InputError``."""
    prompt = str(arguments.get("prompt", ""))
    if not prompt.strip():
        raise InputError("'prompt' is missing or empty: say what the picture shows.")
    callback_url = arguments.get("callback_url")
    if callback_url is not None and not host_of(callback_url):
        raise InputError(f"'callback_url' is {shown(callback_url)}; it must be an http or https URL with a host.")
    return Request(
        wish=_wish(prompt, arguments, config),
        callback_url=callback_url,
        output_path=arguments.get("output_path"),
        wait_for_result=arguments.get("wait_for_result", True),
        poll_interval_seconds=seconds(arguments, "poll_interval_seconds", config.poll_interval_seconds),
        poll_timeout_seconds=seconds(arguments, "poll_timeout_seconds", config.poll_timeout_seconds),
    )


def seconds(arguments: Mapping[str, Any], name: str, default: float) -> float:
    """A time in seconds; raises ``InputError`` for one that no clock can reach, which a schema lets pass."""
    value = arguments.get(name, default)
    if not value <= _LONGEST_SECONDS:
        raise InputError(f"{name!r} is {shown(value)}; it must be at most {_LONGEST_SECONDS:.0f} seconds.")
    return float(value)


def _wish(prompt: str, arguments: Mapping[str, Any], config: Config) -> Wish:
    return Wish(
        prompt=prompt,
        model=arguments.get("model", config.model),
        style=arguments.get("style") or None,
        platform=arguments.get("platform") or None,
        negative_prompt=arguments.get("negative_prompt") or None,
        aspect_ratio=arguments.get("aspect_ratio"),
        resolution=arguments.get("resolution"),
        output_format=arguments.get("output_format"),
        image_input=tuple(arguments.get("image_input", ())),
        model_params=arguments.get("model_params", {}),
    )


def begin(context: CallContext, config: Config) -> float:
    """When the call began (monotonic seconds).

    Its deadline is the one that it came with, which goes by what is known of the client, unless the user has set
    ``KIE_AI_MAX_WAIT_SECONDS``: that decides, also for longer.
    """
    now = context.clock.monotonic()
    if config.max_wait_seconds is not None:
        context.deadline = now + config.max_wait_seconds
    return now
