"""What has been finished meanwhile: told once, with the next answer that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.text import shortened
from kie_mcp.tools.fitting import json_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.jobs import News
    from kie_mcp.tools.spec import ToolResult

_LONGEST_PROMPT = 200
_MOST_BYTES = 5_000
"""Of JSON; what is longer is told in short."""


def with_news(result: ToolResult, news: Sequence[News]) -> ToolResult:
    """The same answer, with ``finished_meanwhile`` where there is news: tasks that nobody waited for have ended."""
    if not news:
        return result
    return result.telling({**result.structured, "finished_meanwhile": _entries(news)})


def _entries(news: Sequence[News]) -> list[dict[str, Any]]:
    room, told = _MOST_BYTES, []
    for one in news:
        entry = _entry(one)
        if json_bytes(entry) > room:
            entry = {"task_id": one.task_id, "status": one.status, "next_step": "get_visual_task shows the rest."}
        room -= json_bytes(entry)
        told.append(entry)
    return told


def _entry(news: News) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "task_id": news.task_id,
        "status": news.status,
        "prompt": news.prompt and shortened(news.prompt, _LONGEST_PROMPT),
        "output_paths": list(news.paths),
    }
    return shown if news.error is None else {**shown, "error": news.error}
