"""createTask and recordInfo: what is accepted, what is refused, and what a poll sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.faults import ONLY
from kie_mcp.sandbox.messages import TOO_FREQUENT, UNKNOWN_MODEL, failure, success
from kie_mcp.sandbox.shape import shape_of
from kie_mcp.sandbox.tasks import WAITING_UNTIL, Failure, Task, record
from kie_mcp.text import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue import Catalogue, Model
    from kie_mcp.clock import Clock
    from kie_mcp.sandbox.faults import Fault
    from kie_mcp.sandbox.messages import Answer
    from kie_mcp.sandbox.options import SandboxOptions
    from kie_mcp.sandbox.reading import Reading
    from kie_mcp.sandbox.state import State

UNSEEN: frozenset[str] = frozenset(ONLY["poll"])
"""Faults that wait until there is a task to be seen."""

UNFIT: Mapping[str, frozenset[str]] = {"success": frozenset(), "fail": frozenset({"fail", "no_urls", "bad_json"})}
"""Faults that cannot strike a task in a state; in every other one those of a result wait for the result."""


class _RefusedError(Exception):
    """A createTask that is not accepted, with Kie's code and text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Jobs:
    """The two calls of the unified API. ``reading`` looks at the pictures of an input."""

    def __init__(
        self, options: SandboxOptions, state: State, catalogue: Catalogue, clock: Clock, reading: Reading
    ) -> None:
        self._options = options
        self._state = state
        self._catalogue = catalogue
        self._clock = clock
        self._reading = reading

    def create(self, body: Mapping[str, Any] | None) -> Answer:
        """createTask: an envelope on HTTP 200 in any case; ``body`` is ``None`` where it was no JSON object."""
        try:
            task = self._accepted(body)
        except _RefusedError as refused:
            self._state.count_rejection(refused.code)
            return failure(refused.code, refused.message)
        return success({"taskId": task.id, "recordId": task.id})

    def _accepted(self, body: Mapping[str, Any] | None) -> Task:
        if body is None:
            raise _RefusedError(400, "The request body is not a JSON object")
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise _RefusedError(500, "This field is required")
        if not self._state.enter_creation():
            raise _RefusedError(429, TOO_FREQUENT)
        model = self._catalogue.find(name)
        if model is None or model.id != name:
            raise _RefusedError(422, UNKNOWN_MODEL)
        given = body.get("input")
        if not isinstance(given, dict):
            raise _RefusedError(500, "This field is required")
        callback = body.get("callBackUrl")
        if callback is not None and not isinstance(callback, str):
            raise _RefusedError(422, "callBackUrl must be a string")
        _check(model, given)
        task = self._task(model, given, callback)
        if not self._state.accept(task):
            raise _RefusedError(402, "Credits insufficient")
        return task

    def _task(self, model: Model, given: Mapping[str, Any], callback: str | None) -> Task:
        route = model.mapping.get("prompt")
        started, seconds = self._clock.monotonic(), self._state.new_duration()
        unreadable = self._reading.trouble(model, given)
        shape = shape_of(model, given)
        return Task(
            id=self._state.new_id(),
            model=model.id,
            kind=model.kind,
            data=model.returns.data,
            prompt=str(given.get(route.field, "")) if route else "",
            input=given,
            callback=callback,
            created=self._clock.now(),
            started=started,
            seconds=seconds,
            credits=_price(model, given, shape.count),
            shape=shape,
            failure=Failure(*unreadable, started + WAITING_UNTIL * seconds) if unreadable else None,
        )

    def visible(self, task_id: str) -> Task | None:
        """The task, where it exists and recordInfo shows it already."""
        task = self._state.task(task_id)
        if task is None or self._clock.monotonic() - task.started < self._options.visible_after_seconds:
            return None
        return task

    def poll(self, task_id: str, fault: Fault | None = None) -> Answer:
        """recordInfo; ``fault`` is one of those that only polls have."""
        if not task_id:
            return failure(400, "taskId parameter is required", data=False)
        task = self.visible(task_id)
        if task is None or (fault is not None and fault.kind == "not_visible"):
            return failure(422, "recordInfo is null")
        if fault is None:
            return success(self._record(task))
        return success(self._disturbed(task, fault))

    def unfit(self, task: Task | None) -> frozenset[str]:
        """The poll faults that cannot strike this task now."""
        if task is None:
            return UNSEEN
        return UNFIT.get(task.state(self._clock.monotonic()), frozenset({"no_urls", "bad_json"}))

    def _record(self, task: Task, state: str | None = None) -> dict[str, Any]:
        urls = [f"{self._reading.origin}/files/{name}" for name in task.file_names]
        return record(task, state or task.state(self._clock.monotonic()), urls)

    def _disturbed(self, task: Task, fault: Fault) -> dict[str, Any]:
        if fault.kind == "fail":
            return self._record(self._state.fail(task.id, fault.detail["fail_code"], fault.detail["fail_msg"]))
        if fault.kind == "no_urls":
            return record(task, "success", [])
        if fault.kind == "bad_json":
            shown = self._record(task)
            return {**shown, "resultJson": shown["resultJson"][:-2]}
        return self._record(task, fault.detail.get("state", "generating"))


def _check(model: Model, given: Mapping[str, Any]) -> None:
    """Refuse what the model's schema refuses; fields that it does not know are tolerated, as Kie does."""
    problems = model.problems(given, tolerate_unknown=True)
    for problem in problems:
        if problem.kind == "missing":
            raise _RefusedError(500, f"{problem.field} is required")
    if problems:
        raise _RefusedError(422, problems[0].message)
    for field, _, url in model.pictures_in(given):
        if not host_of(url):
            raise _RefusedError(422, f"{field} must hold http or https URLs")


def _price(model: Model, given: Mapping[str, Any], pictures: int) -> float:
    """What a task costs once it is known how many pictures it makes."""
    if model.price.per is not None:
        return (model.least(given) or 0.0) * pictures
    return float(model.estimate(given) or 0)
