"""How the stand-in behaves while nothing goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from kie_mcp.config import Rate


@dataclass(frozen=True)
class SandboxOptions:
    """Times are in seconds, ``credits`` is the balance at the start.

    ``task_seconds`` is the time from createTask to success; each task takes 0.7 to 1.3 of it.
    ``rate`` is Kie's limit of new tasks. ``api_key`` is the one right key; ``None`` takes any.
    ``link_seconds`` after a task's end its result links answer 403; a renewed link lives as long again.
    ``upload_seconds`` after its upload a file is gone. The catalogue API answers once in
    ``catalogue_seconds``. Before ``visible_after_seconds`` recordInfo does not know a new task.
    ``seed`` drives the tasks' times and the pictures.
    """

    task_seconds: float = 2.0
    rate: Rate = field(default_factory=lambda: Rate(20, 10))
    credits: float = 5916.25
    api_key: str | None = field(default=None, repr=False)
    link_seconds: float = 1200.0
    upload_seconds: float = 86400.0
    catalogue_seconds: float = 1.0
    visible_after_seconds: float = 0.0
    seed: int = 0
