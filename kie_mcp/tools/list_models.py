"""``list_models``: what the image models are and what each accepts."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.catalogue import Model
    from kie_mcp.context import CallContext
    from kie_mcp.tools.services import Services


_LONGEST_PRICE = 80


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:
    context.raise_if_cancelled()
    query, kind = arguments.get("query"), arguments.get("kind")
    catalogue = services.catalogue
    _require_kind(kind, catalogue.kinds())
    exact = catalogue.find(query) if query else None
    if exact is not None and kind in (None, exact.kind):
        return ToolResult({"ok": True, "total": 1, "models": [_whole(exact)]})
    found = catalogue.search(query, kind)
    shown: dict[str, Any] = {"ok": True, "total": len(found), "models": [_compact(model) for model in found]}
    if not found and query:
        shown["did_you_mean"] = catalogue.nearest(query)
    return ToolResult(shown)


def _require_kind(kind: str | None, kinds: list[str]) -> None:
    from kie_mcp.catalogue import did_you_mean
    from kie_mcp.errors import InputError

    if kind is not None and kind not in kinds:
        raise InputError(f"'kind' is {kind!r}; known kinds are {', '.join(kinds)}.{did_you_mean(kind, kinds)}")


def _compact(model: Model) -> dict[str, Any]:
    """One line of the list: what is empty is left out, and a price that says no more than its number."""
    accepts = model.accepts()
    shown = {"id": model.id, "title": model.title, "kind": model.kind, **_price(model)}
    return {**shown, **{name: value for name, value in accepts.items() if value and name != "other"}}


def _price(model: Model) -> dict[str, Any]:
    from kie_mcp.catalogue import usd
    from kie_mcp.text import shortened

    price = model.price
    shown: dict[str, Any] = {"credits": price.credits}
    if price.credits is not None:
        shown["usd"] = usd(price.credits)
    if price.text and (price.credits is None or price.text != f"{price.credits:g}"):
        shown["price"] = shortened(price.text, _LONGEST_PRICE)
    return shown


def _whole(model: Model) -> dict[str, Any]:
    return {
        **_compact(model),
        "price": model.price.text,
        "other": model.other_fields,
        "notes": list(model.notes),
        "input_schema": dict(model.input_schema),
    }


TOOL = Tool(
    name="list_models",
    title="List image models",
    description="Image models: id, kind, ratios, resolutions, formats, input pictures, price (credits, usd).",
    annotations={"readOnlyHint": True, "openWorldHint": False},
    handler=_handle,
)
