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
    told = [_in_short(one) for one in news]
    room = _MOST_BYTES - json_bytes(told)
    for number, one in enumerate(news):
        entry = _entry(one)
        more = json_bytes(entry) - json_bytes(told[number])
        if more <= room:
            told[number] = entry
            room -= more
    return told


def _in_short(news: News) -> dict[str, Any]:
    return {"task_id": news.task_id, "status": news.status, "next_step": "get_visual_task shows the rest."}


def _entry(news: News) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "task_id": news.task_id,
        "status": news.status,
        "prompt": news.prompt and shortened(news.prompt, _LONGEST_PROMPT),
        "output_paths": list(news.paths),
    }
    return shown if news.error is None else {**shown, "error": news.error}
