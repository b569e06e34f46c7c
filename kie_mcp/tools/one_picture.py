"""The way of one picture through the floor below, whether its end is waited for or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.tools.arguments import begin, request_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.context import CallContext
    from kie_mcp.jobs import Outcome
    from kie_mcp.services import Services


def one_picture(services: Services, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
    """Check, price and run one request; the rate window is waited for no longer than the task would be."""
    started = begin(context, services.config)
    request = request_from(arguments, services.config)
    generations = services.jobs.generations
    prepared = generations.prepare(request, context)
    warnings = generations.check_price([prepared])
    return generations.run(prepared, context, window_until=started + request.poll_timeout_seconds).warned(warnings)
