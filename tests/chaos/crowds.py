"""Several processes at once, and one very large picture."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass

from chaos.evidence import Evidence
from chaos.stage import Stage
from kie_mcp.config import Rate

CALL, WARM_UP = 1, 2
POLLS_PER_SECOND = 10
BIG = 90_000_000
MOST_GROWTH = 10_000_000
SEEDED = "qwen/text-to-image"
"""A model with a seed: equal prompts make different pictures."""


@dataclass(frozen=True)
class Crowd:
    """What several servers did together; times in seconds."""

    items: int
    files: int
    ideal: float
    actual: float
    rate_limited: int
    most_polls: int
    problems: tuple[str, ...]

    @property
    def ratio(self):
        return self.actual / self.ideal


def share_a_window(folder, *, servers, items, rate, task_seconds, tolerance):
    """Servers on one state folder ask for ``items`` pictures each, in the same moment.

    Ideal is that the last task is made as soon as the window allows it, and ends when its time is over.
    """
    options = {"rate": Rate(rate.count, rate.seconds), "task_seconds": task_seconds}
    settings = {"KIE_AI_RATE_LIMIT": f"{rate.count}/{rate.seconds:g}", "KIE_AI_POLL_INTERVAL_SECONDS": "3"}
    with Stage(folder, options, **settings) as stage, ExitStack() as stack:
        processes = [stack.enter_context(stage.server()) for _ in range(servers)]
        _warm_up(processes)
        began = time.monotonic()
        for number, server in enumerate(processes):
            asked = [{"prompt": f"picture {item} of server {number}"} for item in range(items)]
            server.call(CALL, "generate_visual_batch", {"items": asked, "max_workers": items})
        answers = [server.response(CALL) for server in processes]
        actual = time.monotonic() - began
        total = servers * items
        waits = (total - 1) // rate.count * rate.seconds
        crowd = _crowd(stage, total, waits + _slowest_at_the_end(stage, rate), actual)
        return _judged(crowd, Evidence(stage, set(), living=servers), answers, tolerance)


def _slowest_at_the_end(stage, rate):
    """The longest time of a task that the last window has let through."""
    tasks = [stage.sandbox._state.task(task["taskId"]) for task in stage.stats()["tasks"]]
    return max(task.seconds for task in tasks[-rate.count :])


def _crowd(stage, total, ideal, actual):
    stats = stage.stats()
    return Crowd(
        items=total,
        files=len(stage.files()),
        ideal=ideal,
        actual=actual,
        rate_limited=stats["rate_limited"],
        most_polls=stats["max_polls_in_one_second"],
        problems=(),
    )


def _judged(crowd, evidence, answers, tolerance):
    problems = evidence.problems()
    if crowd.files != crowd.items:
        problems.append(f"{crowd.files} files of {crowd.items}")
    if crowd.rate_limited:
        problems.append(f"{crowd.rate_limited} createTask over the rate")
    if crowd.most_polls > POLLS_PER_SECOND:
        problems.append(f"{crowd.most_polls} polls in one second")
    if crowd.ratio > 1 + tolerance:
        problems.append(f"{crowd.actual:.1f} s where {crowd.ideal:.1f} s are ideal")
    if not all(answer and answer["result"]["structuredContent"]["failed"] == 0 for answer in answers):
        problems.append("an item failed, or a server did not answer")
    return Crowd(**{**vars(crowd), "problems": tuple(problems)})


def _warm_up(processes):
    """Let every server import what a call needs: it is not what is measured."""
    for server in processes:
        server.call(WARM_UP, "list_visual_tasks")
    for server in processes:
        server.response(WARM_UP)


def equal_prompts(folder, *, servers=2, items=20):
    """Two processes ask for forty pictures with the same prompt at once; what does not hold, and the files."""
    with Stage(folder, {"rate": Rate(1000, 1)}, KIE_AI_RATE_LIMIT="1000/1") as stage, ExitStack() as stack:
        processes = [stack.enter_context(stage.server()) for _ in range(servers)]
        _warm_up(processes)
        for number, server in enumerate(processes):
            asked = [
                {"prompt": "a red fox", "model": SEEDED, "model_params": {"seed": number * items + item}}
                for item in range(items)
            ]
            server.call(CALL, "generate_visual_batch", {"items": asked})
        answers = [server.response(CALL)["result"]["structuredContent"] for server in processes]
        named = [path for answer in answers for entry in answer["results"] for path in entry["output_paths"]]
        evidence = Evidence(stage, set(), living=servers)
        created = [task["createTime"] for task in stage.stats()["tasks"]]
        # Here several tasks and rows of one prompt are right.
        problems = [problem for problem in evidence.problems() if "prompt" not in problem]
        if len(set(named)) != servers * items or len(evidence.files) != servers * items:
            problems.append(f"{len(evidence.files)} files, {len(set(named))} of them named")
        if evidence.duplicates:
            problems.append(f"{evidence.duplicates} pictures twice")
        return len(evidence.files), (max(created) - min(created)) / 1000, problems


def big_picture(folder):
    """A picture of 90 MB; by how many bytes the server's memory grew, and what does not hold."""
    with Stage(folder, {"rate": Rate(1000, 1)}) as stage, stage.server() as server:
        server.call(CALL, "generate_visual", {"prompt": "a small one, so that all is loaded"})
        server.response(CALL)
        before = server.most_memory
        stage.sandbox.faults.add("download", "huge", bytes=BIG)
        server.call(CALL + 1, "generate_visual", {"prompt": "a large one"})
        answer = server.response(CALL + 1)["result"]["structuredContent"]
        growth = server.most_memory - before
        problems = Evidence(stage, set(), altered=["a large one"], living=1).problems()
        if answer.get("bytes", 0) < BIG:
            problems.append(f"the picture was not saved: {answer}")
        if growth >= MOST_GROWTH:
            problems.append(f"memory grew by {growth} bytes")
        return growth, problems
