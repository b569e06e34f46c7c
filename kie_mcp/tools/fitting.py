"""What a host can take of one answer, and what is left out of an answer, or of one entry of it, that is longer."""

from __future__ import annotations

import json
from typing import Any

ANSWER_BYTES = 50_000
"""Of JSON in UTF-8, for an answer as a whole: Claude Code takes 25,000 tokens of a result, others a megabyte."""

_DISPENSABLE = ("body", "image_urls", "model", "pictures", "platform", "prompt", "result")
"""What was made, where it is and what went wrong stays, whatever its length."""
_SHORT_BYTES = 200
"""A field that is no longer stays: without it nothing would fit that does not fit with it."""
_WARNING_BYTES = 4_000
"""For all warnings together, which are kept nowhere else."""


def json_bytes(value: Any) -> int:
    """How long a value is as JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def fitted(told: dict[str, Any], most: int) -> dict[str, Any]:
    """The same within ``most`` bytes, as far as that can be: the longest fields are empty, ``left_out`` names them."""
    if json_bytes(told) <= most:
        return told
    shown = {**told, "warnings": _first(told["warnings"])} if told.get("warnings") else dict(told)
    sizes = {name: json_bytes(told[name]) for name in _DISPENSABLE if name in told}
    left_out: list[str] = []
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if json_bytes(shown) <= most or sizes[name] <= _SHORT_BYTES:
            break
        left_out.append(name)
        shown |= {name: [] if isinstance(told[name], list) else None, **_said(told, left_out)}
    return shown


def _first(warnings: list[str]) -> list[str]:
    """As many warnings as there is room for, and how many more there were."""
    room = _WARNING_BYTES
    for number, warning in enumerate(warnings):
        room -= json_bytes(warning)
        if room < 0:
            return [*warnings[:number], f"{len(warnings) - number} more warnings are too long to be told."]
    return warnings


def _said(told: dict[str, Any], left_out: list[str]) -> dict[str, Any]:
    """What was left out, and where it is to be seen."""
    task_id = told.get("task_id")
    if task_id:
        shown_by = "kie-mcp call get_visual_task '" + json.dumps({"task_id": task_id}) + "'"
    elif "body" in left_out:
        shown_by = "kie-mcp batch FILE --dry-run"
    else:
        return {"left_out": left_out}
    step = f"Too long for this answer: {', '.join(left_out)}. With the settings of this server, {shown_by} shows all."
    return {"left_out": left_out, "next_step": " ".join(filter(None, (told.get("next_step"), step)))}
