"""A task: what was asked, where it is at a moment, and how recordInfo tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.results import result_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kie_mcp.sandbox.shape import Shape

WAITING_UNTIL = 0.05
QUEUING_UNTIL = 0.1
"""Fractions of a task's time: most of it goes into generating."""

SUCCESS_FLAGS: Mapping[str, int] = {"success": 1, "fail": 3}


@dataclass(frozen=True)
class Failure:
    """Why a task fails; ``at`` is the moment on the monotonic clock, in seconds, and may be still to come."""

    code: str
    message: str
    at: float


@dataclass(frozen=True)
class Task:
    """One accepted task. ``created`` is in seconds since the epoch, ``started`` on the monotonic clock.

    ``kind`` is the model's; with ``data`` it gives a structured result.
    """

    id: str
    model: str
    kind: str
    data: bool
    prompt: str
    input: Mapping[str, Any]
    callback: str | None
    created: float
    started: float
    seconds: float
    credits: float
    shape: Shape
    failure: Failure | None = None

    def state(self, now: float) -> str:
        """``waiting``, ``queuing``, ``generating``, ``success`` or ``fail`` at a monotonic time."""
        if self.failure is not None and now >= self.failure.at:
            return "fail"
        done = (now - self.started) / self.seconds if self.seconds > 0 else 1.0
        if done >= 1:
            return "success"
        if done >= QUEUING_UNTIL:
            return "generating"
        return "queuing" if done >= WAITING_UNTIL else "waiting"

    @property
    def ended(self) -> float:
        """When the task ends or has ended, on the monotonic clock."""
        return self.started + self.seconds if self.failure is None else self.failure.at

    @property
    def file_names(self) -> list[str]:
        """The names of its result files."""
        return [f"{self.id}-{index}.{self.shape.extension(index)}" for index in range(self.shape.count)]

    def text(self) -> str:
        """What a fault's ``match`` looks at."""
        return f"{self.prompt}\n{self.model}\n{self.id}"


def record(task: Task, state: str, urls: Sequence[str]) -> dict[str, Any]:
    """The ``data`` of recordInfo, field by field as the live API sends it.

    Other than its documentation says: ``param`` is encoded twice, ``costTime`` is in seconds, and
    ``failCode`` and ``failMsg`` are null while all is well.
    """
    finished = state in SUCCESS_FLAGS
    seconds = task.ended - task.started
    failure = task.failure if state == "fail" else None
    result = result_of(task, urls) if state == "success" else None
    return {
        "taskId": task.id,
        "model": task.model,
        "state": state,
        "param": _param(task),
        "resultJson": _compact(result) if result else "",
        "failCode": failure.code if failure else None,
        "failMsg": failure.message if failure else None,
        "costTime": round(seconds) if finished else None,
        "completeTime": int((task.created + seconds) * 1000) if finished else None,
        "createTime": int(task.created * 1000),
        "creditsConsumed": task.credits if state in ("generating", "success") else 0.0,
        "response": result,
        "successFlag": SUCCESS_FLAGS.get(state, 0),
    }


def _param(task: Task) -> str:
    callback = {} if task.callback is None else {"callBackUrl": task.callback}
    return _compact({**callback, "input": _compact(task.input), "model": task.model})


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
