"""How models and tasks are told, in the answers of tools and in resources alike."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue import usd
from kie_mcp.text import shortened

if TYPE_CHECKING:
    from kie_mcp.catalogue import Model
    from kie_mcp.ledger import TaskRow

_LONGEST_PRICE = 80
_LONGEST_PROMPT = 200


def model_line(model: Model) -> dict[str, Any]:
    """One line of a list of models: what is empty is left out, and a price that says no more than its number."""
    shown = {"id": model.id, "title": model.title, "kind": model.kind, **_price(model)}
    return {**shown, **{name: value for name, value in model.accepts().items() if value and name != "other"}}


def whole_model(model: Model) -> dict[str, Any]:
    """Everything that is known of a model, with the schema of its input."""
    return {
        **model_line(model),
        "price": model.price.text,
        "other": model.other_fields,
        "notes": list(model.notes),
        "input_schema": dict(model.input_schema),
    }


def task_entry(row: TaskRow) -> dict[str, Any]:
    """One task of the ledger: what was asked, where it is, its files, what it cost."""
    entry: dict[str, Any] = {
        "task_id": row.task_id,
        "status": row.state,
        "model": row.model,
        "prompt": row.prompt and shortened(row.prompt, _LONGEST_PROMPT),
        "created_at": time_stamp(row.created_at),
        "output_paths": [file.path for file in row.files],
        "credits_consumed": row.credits_consumed,
    }
    if row.credits_consumed is None and row.estimated_credits is not None and row.error is None:
        entry["credits_estimated"] = row.estimated_credits
    if row.platform:
        entry["platform"] = row.platform
    if row.completed_at is not None:
        entry["completed_at"] = time_stamp(row.completed_at)
    if row.error:
        entry["error"] = row.error
    return entry


def time_stamp(seconds: float) -> str:
    """Seconds since the epoch as a time stamp in UTC (RFC 3339)."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _price(model: Model) -> dict[str, Any]:
    price = model.price
    shown: dict[str, Any] = {"credits": price.credits}
    if price.credits is not None:
        shown["usd"] = usd(price.credits)
    if price.text and (price.credits is None or price.text != f"{price.credits:g}"):
        shown["price"] = shortened(price.text, _LONGEST_PRICE)
    return shown
