"""What a host can take of one answer, and what is left out of an answer, or of one entry of it, that is longer."""

from __future__ import annotations

import json
from typing import Any

ANSWER_BYTES = 50_000
"""Of JSON in UTF-8, for an answer as a whole: Claude Code takes 25,000 tokens of a result, others a megabyte."""

_DISPENSABLE = ("body", "image_urls", "model", "pictures", "platform", "prompt", "result", "warnings")
"""What was made, where it is and what went wrong stays, whatever its length."""


def json_bytes(value: Any) -> int:
    """How long a value is as JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def fitted(told: dict[str, Any], most: int) -> dict[str, Any]:
    """The same within ``most`` bytes, as far as that can be: the longest fields are empty, ``left_out`` names them."""
    if json_bytes(told) <= most:
        return told
    sizes = {name: json_bytes(told[name]) for name in _DISPENSABLE if told.get(name)}
    shown = dict(told)
    left_out: list[str] = []
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if json_bytes(shown) <= most:
            break
        left_out.append(name)
        shown |= {name: [] if isinstance(told[name], list) else None, **_said(told, left_out)}
    return shown


def _said(told: dict[str, Any], left_out: list[str]) -> dict[str, Any]:
    """What was left out, and where it is to be seen."""
    task_id = told.get("task_id")
    if not task_id:
        return {"left_out": left_out}
    command = "kie-mcp call get_visual_task '" + json.dumps({"task_id": task_id}) + "'"
    step = f"What was too long for this answer ({', '.join(left_out)}) is shown on the command line: {command}"
    return {"left_out": left_out, "next_step": " ".join(filter(None, (told.get("next_step"), step)))}
