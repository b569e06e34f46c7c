"""``list_models``: what the image models are and what each accepts."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.services import Services


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    from kie_mcp.shapes import model_line, whole_model
    from kie_mcp.tools.paging import page

    context.raise_if_cancelled()
    query, kind = arguments.get("query"), arguments.get("kind")
    catalogue = services.catalogue
    _require_kind(kind, catalogue.kinds())
    exact = catalogue.find(query) if query else None
    if exact is not None and kind in (None, exact.kind):
        return ToolResult({"ok": True, "total": 1, "models": [whole_model(exact)]})
    found = catalogue.search(query, kind)
    models, more = page(map(model_line, found), services)
    shown: dict[str, Any] = {"ok": True, "total": len(found), "models": models}
    if more:
        shown["next_step"] = f"The first {len(models)} of {len(found)} models are here; name a query or a kind."
    if not found and query:
        shown["did_you_mean"] = catalogue.nearest(query)
    return ToolResult(shown)


def _require_kind(kind: str | None, kinds: list[str]) -> None:
    from kie_mcp.catalogue import did_you_mean
    from kie_mcp.errors import InputError

    if kind is not None and kind not in kinds:
        raise InputError(f"'kind' is {kind!r}; known kinds are {', '.join(kinds)}.{did_you_mean(kind, kinds)}")


TOOL = Tool(
    name="list_models",
    title="List image models",
    description="Image models: id, kind, ratios, resolutions, formats, input pictures, price (credits, usd).",
    annotations={"readOnlyHint": True, "openWorldHint": False},
    handler=_handle,
)
