"""``generate_visual_batch``: many pictures in one call."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.errors import KieMcpError
    from kie_mcp.jobs import Outcome, Request
    from kie_mcp.services import Services

_DEFAULT = "default_"
_OTHERWISE = "list_visual_tasks shows those of the rest that became tasks; for the others nothing was sent."


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.jobs import BatchPlan
    from kie_mcp.tools.arguments import begin

    begin(context, services.config)
    asked = [_request(item, arguments, services) for item in _items(arguments["items"])]
    continue_on_error = arguments.get("continue_on_error", True)
    if arguments.get("dry_run"):
        from kie_mcp.tools.dry_run import rehearsed

        rehearsal = services.jobs.batches.rehearse(asked, context)
        return rehearsed(rehearsal, services, continue_on_error=continue_on_error)
    plan = BatchPlan(
        max_workers=int(arguments.get("max_workers", 20)),
        continue_on_error=continue_on_error,
    )
    results = services.jobs.batches.run(asked, plan, context)
    return _summary(results, services, continue_on_error=continue_on_error)


def _items(given: list[Any] | str) -> list[Any]:
    """The items, which models often send as a string that holds the JSON array."""
    import json

    from kie_mcp.errors import InputError
    from kie_mcp.tools.validation import shown

    if isinstance(given, list):
        return given
    try:
        items = json.loads(given, parse_float=_number, parse_constant=_number)
    except (ValueError, RecursionError) as error:
        raise InputError(f"'items' is a string that is not JSON ({error}): {shown(given)}.") from error
    if not isinstance(items, list) or not items:
        raise InputError(f"'items' holds {shown(items)}; it must be a list of at least one object.")
    return items


def _number(text: str) -> float:
    """A number that can be sent on; raises ``ValueError`` for NaN and what is beyond all numbers."""
    from math import isfinite

    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def _request(item: Any, arguments: dict[str, Any], services: Services) -> Request | KieMcpError:
    """One item with the defaults filled in, or the error that it has."""
    from kie_mcp.errors import InputError, KieMcpError
    from kie_mcp.tools.arguments import request_from
    from kie_mcp.tools.validation import misfits_of, told

    misfits = misfits_of(TOOL.input_schema["properties"]["items"]["items"], item)
    if misfits:
        return InputError(told(misfits))
    defaults = {name.removeprefix(_DEFAULT): arguments[name] for name in arguments if name.startswith(_DEFAULT)}
    try:
        return request_from({**defaults, **item}, services.config)
    except KieMcpError as error:
        return error


def _summary(results: list[Outcome | KieMcpError], services: Services, *, continue_on_error: bool) -> ToolResult:
    """One entry per item, in order; an error only if all failed, or one did that was to stop the batch."""
    from kie_mcp.errors import KieMcpError
    from kie_mcp.tools.paging import first_results
    from kie_mcp.tools.results import error_of_many, fields, links

    entries: list[dict[str, Any]] = []
    linked = []
    for index, outcome in enumerate(results):
        if isinstance(outcome, KieMcpError):
            entries.append({"index": index, "ok": False, "error": outcome.as_dict()})
        else:
            entries.append({"index": index, **fields(outcome)})
            linked.extend(links(outcome, str(index)))
    error = error_of_many(entries, continue_on_error=continue_on_error)
    failed = sum(not entry["ok"] for entry in entries)
    summary: dict[str, Any] = {"ok": error is None, "total": len(entries), "succeeded": len(entries) - failed}
    summary |= {"failed": failed, **_cost(entries), **first_results(entries, services, _OTHERWISE)}
    if error is not None:
        summary["error"] = error
    return ToolResult(summary, is_error=error is not None, links=linked)


def _cost(entries: list[dict[str, Any]]) -> dict[str, float]:
    """What the items cost by Kie's word, and what those should have cost of which Kie does not say it."""
    return {
        name: round(sum(entry[name] for entry in entries if entry.get(name) is not None), 4)
        for name in ("credits_consumed", "credits_estimated")
        if any(entry.get(name) is not None for entry in entries)
    }


TOOL = Tool(
    name="generate_visual_batch",
    title="Generate many pictures",
    description="Make many pictures at once and save them. A default_ argument serves items without their own.",
    annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True},
    handler=_handle,
)
