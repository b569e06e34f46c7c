"""What goes into a generation and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kie_mcp.catalogue import Plan, Wish
    from kie_mcp.files import LocalPicture, Target
    from kie_mcp.ledger import SavedFile


@dataclass(frozen=True)
class Request:
    """One picture as it was asked for. Times are in seconds."""

    wish: Wish
    poll_interval_seconds: float
    poll_timeout_seconds: float
    callback_url: str | None = None
    output_path: str | None = None
    wait_for_result: bool = True


@dataclass(frozen=True)
class Source:
    """A picture to work from: a ``url`` that Kie can read, or a ``local`` one to be uploaded first.

    The picture of an earlier task may have both: its link, which dies, and its saved file. ``earlier`` is how
    messages name it.
    """

    url: str | None = None
    local: LocalPicture | None = None
    earlier: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A request that has been checked in every way that costs nothing."""

    request: Request
    plan: Plan
    target: Target
    sources: tuple[Source, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller should know before any answer of Kie."""
        return (*self.plan.warnings, *self.target.warnings)

    def body(self, image_urls: tuple[str, ...]) -> dict[str, Any]:
        """The body of createTask (docs.kie.ai, createTask)."""
        plan = self.plan.with_pictures(image_urls)
        body: dict[str, Any] = {"model": plan.model, "input": dict(plan.input)}
        if self.request.callback_url is not None:
            body["callBackUrl"] = self.request.callback_url
        return body


@dataclass(frozen=True)
class Outcome:
    """Where a task stands at the end of a call. ``status`` is Kie's state, or ``submitted`` before its first.

    ``files`` are the saved pictures; ``result`` is a structured result where the model gives one;
    ``failure`` is the ``error`` object of a task that ended without a picture. ``credits_estimated`` is there
    only where ``credits_consumed`` is not and the task did not fail.
    """

    task_id: str
    status: str
    model: str | None = None
    platform: str | None = None
    files: tuple[SavedFile, ...] = ()
    image_urls: tuple[str, ...] = ()
    result: Any = None
    credits_consumed: float | None = None
    credits_estimated: float | None = None
    elapsed_seconds: float | None = None
    warnings: tuple[str, ...] = ()
    failure: Mapping[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to wait for or to fetch."""
        if self.status == "success":
            return bool(self.files) or not self.image_urls
        return self.status == "fail"

    def warned(self, warnings: tuple[str, ...]) -> Outcome:
        """The same outcome with further warnings."""
        return replace(self, warnings=(*self.warnings, *warnings)) if warnings else self


@dataclass(frozen=True)
class SavePlan:
    """Where the pictures of a task go: the ``target``, and what names and warnings are made from."""

    target: Target
    prompt: str
    asked_format: str | None = None
    warnings: tuple[str, ...] = ()
