"""What ``recordInfo`` says of a task.

Source: docs.kie.ai/market/common/get-task-detail, and recorded answers where the two differ: ``resultJson``
is a string of JSON, ``response`` the same parsed (newer answers only), ``costTime`` seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from kie_mcp.kie.envelope import parsed_object
from kie_mcp.text import all_printable, host_of, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

RUNNING = frozenset({"waiting", "queuing", "generating"})
TERMINAL = frozenset({"success", "fail"})
_MOST_URLS = 100
_LONGEST_URL = 8192
_DEEPEST = 50
_LONGEST_RESULT = 65536
"""Characters of JSON: whoever reads a result has to bear all of it at once."""
_LEFT_OUT = {
    "left_out": f"The structured result has more than {_LONGEST_RESULT} characters and is not shown here; "
    "find it at kie.ai/logs."
}
_LONGEST_CODE = 100
_LONGEST_SECONDS = 86400.0
"""Whoever says more is mistaken, and would keep us from asking: times are learned from."""


@dataclass(frozen=True)
class TaskStatus:
    """One observation of a task. ``state`` is Kie's word, or ``unknown`` for a word not known yet.

    ``seconds`` is Kie's own time from creation to completion; ``result`` is a structured result
    (``resultObject``) where the model gives one; one that is too large is a note, ``left_out``, that says so.
    """

    task_id: str
    state: str
    model: str | None = None
    image_urls: tuple[str, ...] = ()
    result: Any = None
    fail_code: str | None = None
    fail_message: str | None = None
    credits_consumed: float | None = None
    seconds: float | None = None

    @property
    def finished(self) -> bool:
        """Whether the task has ended; an unknown state has not."""
        return self.state in TERMINAL

    @property
    def names_other_links(self) -> bool:
        """Whether the structured result holds links beside those of the pictures."""
        return _holds_links(self.result, self.image_urls)


def read_status(task_id: str, data: Any, secrets: Collection[str] = ()) -> TaskStatus:
    """Read the ``data`` of a ``recordInfo`` answer; whatever does not fit is left out, nothing is trusted.

    ``data`` has no ``secrets`` in it; what is packed in its strings may.
    """
    record: Mapping[str, Any] = data if isinstance(data, dict) else {}
    state = _state(record.get("state"))
    outcome = _outcome(record, secrets)
    return TaskStatus(
        task_id=task_id,
        state=state,
        model=_text(record.get("model")),
        image_urls=_urls(outcome),
        result=_result(outcome.get("resultObject")),
        fail_code=_text(record.get("failCode"), _LONGEST_CODE),
        fail_message=_text(record.get("failMsg")),
        credits_consumed=_number(record.get("creditsConsumed")),
        seconds=_seconds(record, finished=state in TERMINAL),
    )


def _state(word: Any) -> str:
    return word if isinstance(word, str) and word in RUNNING | TERMINAL else "unknown"


def _outcome(record: Mapping[str, Any], secrets: Collection[str]) -> Mapping[str, Any]:
    """``resultJson`` parsed; ``response`` only where that is missing or broken."""
    text = record.get("resultJson")
    parsed = parsed_object(text, secrets) if isinstance(text, str) else None
    if parsed is not None:
        return parsed
    response = record.get("response")
    return response if isinstance(response, dict) else {}


def _urls(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """The links to pictures, each once."""
    found = outcome.get("resultUrls")
    if not isinstance(found, list):
        return ()
    usable = dict.fromkeys(url for url in found if isinstance(url, str) and is_link(url))
    return tuple(islice(usable, _MOST_URLS))


def is_link(url: str) -> bool:
    """Whether a text can be shown and stored as an http or https URL; it may still lead anywhere."""
    return len(url) <= _LONGEST_URL and host_of(url) != ""


def _result(value: Any) -> Any:
    """A structured result that can be handled and shown, or a note that it is too large, or ``None``."""
    if not _shallow(value):
        return None
    if len(json.dumps(value, ensure_ascii=False)) > _LONGEST_RESULT:
        return dict(_LEFT_OUT)
    return all_printable(value, _LONGEST_URL)


def _shallow(value: Any, levels: int = _DEEPEST) -> bool:
    """Whether a structured result can be handled further: nested at most ``levels`` deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(item, levels - 1) for item in inner)


def _holds_links(value: Any, known: tuple[str, ...]) -> bool:
    if isinstance(value, str):
        return value.startswith(("http://", "https://")) and value not in known
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds_links(item, known) for item in inner)


def _text(value: Any, most: int = 500) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return printable(value, most) or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value >= 0 else None


def _seconds(record: Mapping[str, Any], *, finished: bool) -> float | None:
    """From the two time stamps in milliseconds; ``costTime`` is only a fallback, its unit being disputed."""
    created, completed = _number(record.get("createTime")), _number(record.get("completeTime"))
    if created and completed and completed >= created:
        seconds: float | None = (completed - created) / 1000
    else:
        seconds = _number(record.get("costTime")) if finished else None
    return seconds if seconds is None or seconds <= _LONGEST_SECONDS else None
