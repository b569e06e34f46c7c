"""Playing the fault table: real processes before stand-ins, group beside group."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from chaos import fault_rows
from chaos.evidence import Evidence
from chaos.stage import PATIENCE, BrokenPlayError, Stage
from kie_mcp.config import Rate
from kie_mcp.sandbox.drawing.gallery import PictureKey, draw

IMPATIENT = {
    "KIE_AI_TIMEOUT_SECONDS": "5",
    "KIE_AI_HTTP_RETRIES": "3",
    "KIE_AI_RATE_LIMIT": "1000/1",
    "KIE_AI_MAX_IMAGE_BYTES": str(fault_rows.LIMIT),
}

GROUPS = 8
"""Groups side by side."""


@dataclass(frozen=True)
class Seen:
    """What became of a row. ``later`` is empty where there was no task to ask for."""

    row: fault_rows.Row
    ends: str
    retryable: bool | None
    billed: int
    creates: int
    files: int
    later: str
    said: str

    def problems(self):
        """What is not as the row expects."""
        row = self.row
        for name in ("ends", "retryable", "billed", "files", "later"):
            if getattr(self, name) != getattr(row, name):
                yield f"{row.name}: {name} is {getattr(self, name)!r}, not {getattr(row, name)!r} ({self.said})"
        if not row.creates[0] <= self.creates <= row.creates[1]:
            yield f"{row.name}: {self.creates} createTask requests, not {row.creates}"


@dataclass(frozen=True)
class Played:
    """A group of rows, and what does not hold of the whole: files, ledger, key."""

    seen: tuple[Seen, ...]
    problems: tuple[str, ...]


def play(folder):
    """Play all rows below ``folder``, what takes long first; what was seen, and everything that does not hold."""
    groups = {
        **{f"models-{row.kind}": partial(_refreshing, row) for row in fault_rows.MODELS if row.kind == "hang"},
        "upload": partial(_one_by_one, fault_rows.UPLOAD, _with_a_picture),
        "create": partial(_side_by_side, fault_rows.CREATE),
        "create_too_often": partial(_side_by_side, fault_rows.CREATE_TOO_OFTEN),
        "poll": partial(_side_by_side, fault_rows.POLL),
        "poll_in_vain": partial(_side_by_side, fault_rows.POLL_IN_VAIN),
        "download": partial(_side_by_side, fault_rows.DOWNLOAD),
        "download_url": partial(_renewing, fault_rows.DOWNLOAD_URL),
        "credits": partial(_one_by_one, fault_rows.CREDITS, _balance),
        **{f"models-{row.kind}": partial(_refreshing, row) for row in fault_rows.MODELS if row.kind != "hang"},
    }
    with ThreadPoolExecutor(GROUPS) as pool:
        parts = list(pool.map(lambda name: groups[name](folder / name), groups))
    seen = [one for part in parts for one in part.seen]
    problems = [problem for part in parts for problem in part.problems]
    return seen, [*(problem for one in seen for problem in one.problems()), *problems]


def _stage(folder, **settings):
    return Stage(folder, {"rate": Rate(1000, 1), "task_seconds": 0.2}, **{**IMPATIENT, **settings})


class _Calls:
    """Calls of one server, many at once."""

    def __init__(self, server):
        self._server = server
        self._count = 0

    def results(self, calls):
        """The structured contents of the answers, in the calls' order."""
        numbers = range(self._count + 1, self._count + 1 + len(calls))
        self._count += len(calls)
        for number, (tool, arguments) in zip(numbers, calls, strict=True):
            self._server.call(number, tool, arguments)
        return [self._content(number) for number in numbers]

    def _content(self, number):
        response = self._server.response(number, 2 * PATIENCE)
        if response is None:
            raise BrokenPlayError(f"call {number} was never answered")
        return response["result"]["structuredContent"]


def _side_by_side(rows, folder):
    """Rows whose faults strike one prompt each: all calls at once."""
    prompts = [f"[{row.on}-{number:03d}]" for number, row in enumerate(rows)]
    with _stage(folder) as stage, stage.server() as server:
        for row, prompt in zip(rows, prompts, strict=True):
            stage.sandbox.faults.add(row.on, row.kind, times=row.times, match=prompt, **row.detail)
        calls = _Calls(server)
        asked = [
            ("generate_visual", {"prompt": prompt, **row.arguments}) for row, prompt in zip(rows, prompts, strict=True)
        ]
        answers = calls.results(asked)
        return _judged(stage, server, calls, rows, prompts, answers)


def _renewing(rows, folder):
    """Rows for which a link has to be renewed; the faults strike the links of one task each."""
    prompts = [f"[{row.on}-{number:03d}]" for number, row in enumerate(rows)]
    with _stage(folder) as stage, stage.server() as server:
        calls = _Calls(server)
        for row, prompt in zip(rows, prompts, strict=True):
            stage.sandbox.faults.add("download", "dead", times=1 if row.ends == "success" else 0, match=prompt)
        made = calls.results([("create_visual_task", {"prompt": prompt}) for prompt in prompts])
        ids = [answer["task_id"] for answer in made]
        for row, task_id in zip(rows, ids, strict=True):
            stage.sandbox.faults.add(row.on, row.kind, times=row.times, match=task_id, **row.detail)
        answers = calls.results([("get_visual_task", {"task_id": task_id, "wait_seconds": 30}) for task_id in ids])
        return _judged(stage, server, calls, rows, prompts, answers)


def _one_by_one(rows, call_of, folder):
    """Rows whose faults strike whoever comes: one call after the other."""
    prompts = [f"[{row.on}-{number:03d}]" for number, row in enumerate(rows)]
    with _stage(folder) as stage, stage.server() as server:
        calls = _Calls(server)
        answers = []
        for row, prompt in zip(rows, prompts, strict=True):
            stage.sandbox.faults.add(row.on, row.kind, times=row.times, **row.detail)
            answers += calls.results([call_of(stage, prompt)])
            stage.sandbox.faults.clear()
        return _judged(stage, server, calls, rows, prompts, answers)


def _with_a_picture(stage, prompt):
    """A call with a picture that nobody has uploaded before."""
    picture = stage.folder / f"{prompt[1:-1]}.png"
    picture.write_bytes(draw(PictureKey(prompt, "chaos", 0, "", 64, 64, jpeg=False)))
    return "generate_visual", {"prompt": prompt, "image_input": [str(picture)]}


def _balance(_stage, _prompt):
    return "get_credits", {}


def _judged(stage, server, calls, rows, prompts, answers):
    """Ask again for every task, without faults; then look at what is left."""
    stage.sandbox.faults.clear()
    ids = [_task_id(answer) for answer in answers]
    asked = [("get_visual_task", {"task_id": task_id, "wait_seconds": 30}) for task_id in ids if task_id]
    later = dict(zip([task_id for task_id in ids if task_id], calls.results(asked), strict=True))
    server.close_input()
    code = server.ended()
    billed = Counter(task["prompt"] for task in stage.stats()["tasks"])
    seen = [
        Seen(
            row=row,
            ends=_ending(answer),
            retryable=answer.get("error", {}).get("retryable"),
            billed=billed[prompt],
            creates=stage.witness.attempts(prompt),
            files=len(answer.get("output_paths", [])),
            later=_ending(later[task_id]) if task_id else "",
            said=json.dumps(answer.get("error") or answer.get("warnings"))[:300],
        )
        for row, prompt, answer, task_id in zip(rows, prompts, answers, ids, strict=True)
    ]
    altered = [prompt for row, prompt in zip(rows, prompts, strict=True) if row.kind == "jpeg" or row.later == "fail"]
    problems = [f"{rows[0].on}: {problem}" for problem in Evidence(stage, set(), altered=altered).problems()]
    return Played(tuple(seen), (*problems, *([f"{rows[0].on}: exit code {code}"] if code else [])))


def _refreshing(row, folder):
    """``kie-mcp models --refresh`` before a catalogue that fails; the models have to stay as they were."""
    with _stage(folder, KIE_AI_TIMEOUT_SECONDS="2") as stage:
        _, before = stage.answer("models", "--json")
        stage.sandbox.faults.add(row.on, row.kind, times=row.times, **row.detail)
        _, answer = stage.answer("models", "--refresh", "--json", seconds=2 * PATIENCE)
        _, after = stage.answer("models", "--json")
        error = answer.get("error", {})
        seen = Seen(row, _ending(answer), error.get("retryable"), 0, 0, 0, "", json.dumps(error))
        problems = stage.key_places() + (["the models have changed"] if before != after else [])
    return Played((seen,), tuple(f"models:{row.kind}: {problem}" for problem in problems))


def _task_id(answer):
    return answer.get("task_id") or answer.get("error", {}).get("task_id")


def _ending(answer):
    """The status of an answer; of an error its category, unless it is about a task that has failed before."""
    if "error" in answer and answer.get("status") != "fail":
        return answer["error"]["category"]
    return answer.get("status") or ("ok" if answer["ok"] else "failed")
