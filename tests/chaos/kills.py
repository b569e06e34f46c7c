"""One run: a batch, its end at a seeded moment, whoever collects after it, and what is left."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from chaos.courses import ITEMS, items
from chaos.evidence import Evidence
from chaos.stage import HELLO, PATIENCE, BrokenPlayError, Stage
from chaos.successors import Successors
from kie_mcp.config import Rate
from kie_mcp.sandbox import Faults
from kie_mcp.sandbox.drawing.gallery import PictureKey, draw

CALL = 1
LONGEST_END = {"sigterm": 3.0, "gone": 15.0}
"""Seconds: what is promised is 0.5 and 10, on a machine that has something to spare."""
_TICK = 0.1
_SHORT_TICK = 0.0005
"""Seconds: shorter than a part is there."""


@dataclass(frozen=True)
class Report:
    """One run in numbers.

    ``cut`` says where the batch stood when its end came, ``leaving`` how many seconds the process took to end.
    ``most_polls`` in one second is told, not judged: many runs side by side keep requests waiting, so that they arrive
    closer together than they were sent.
    """

    end: str
    seed: int
    cut: str
    problems: tuple[str, ...]
    billed: int = 0
    received: int = 0
    files: int = 0
    duplicates: int = 0
    leftovers: int = 0
    creates: int = 0
    unknown: int = 0
    rate_limited: int = 0
    most_polls: int = 0
    leaving: float = 0.0
    seconds: float = 0.0
    kept: str = ""


def run(course, folder=None):
    """Play one course in a folder of its own, which stays where something does not hold."""
    place = Path(tempfile.mkdtemp(prefix=f"chaos-{course.end}-{course.seed}-", dir=folder))
    began = time.monotonic()
    rate = Rate(*(int(part) for part in course.rate.split("/")))
    options = {"seed": course.seed, "rate": rate}
    with Stage(place, options, KIE_AI_RATE_LIMIT=course.rate) as stage:
        play = _Play(course, stage)
        try:
            play.perform()
            play.successors.collect()
        except BrokenPlayError as error:
            play.problems.append(str(error))
        report = play.report(time.monotonic() - began, str(place))
    if not report.problems:
        shutil.rmtree(place)
    return report


class _Play:
    def __init__(self, course, stage):
        self.problems = []
        self.successors = Successors(course, stage, self.problems)
        self._course = course
        self._stage = stage
        self._heard = set()
        self._cut = "never"
        self._leaving = 0.0
        for trouble in course.troubles:
            stage.sandbox.faults.put(Faults.parse(trouble))

    # the batch and its end

    def perform(self):
        """Ask for the batch, wait for the moment, and end it in the course's way."""
        stage, course = self._stage, self._course
        with stage.server() as server:
            try:
                self._ask(server)
                self._wait_for_the_moment(server)
                self._cut = self._standing(server)
                began = time.monotonic()
                getattr(self, f"_{course.end}")(server)
                self._leaving = time.monotonic() - began
            finally:
                self._heard |= server.task_ids()
        if self._leaving > LONGEST_END.get(course.end, PATIENCE):
            self.problems.append(f"the end by {course.end} took {self._leaving:.1f} s")

    def _ask(self, server):
        picture = self._stage.folder / "input.png"
        picture.write_bytes(draw(PictureKey("input", "chaos", 0, str(self._course.seed), 64, 64, jpeg=False)))
        arguments = {"items": items(self._course, picture)}
        server.call(CALL, "generate_visual_batch", arguments, progressToken="batch")

    def _wait_for_the_moment(self, server):
        course, until = self._course, time.monotonic() + PATIENCE
        if course.requests is not None:
            alarm = self._stage.witness.alarm(course.requests)
            while not alarm.wait(_TICK) and not server.response(CALL, 0) and time.monotonic() < until:
                pass
        if course.names is not None:
            never, names = threading.Event(), set()
            while len(names) < course.names and not server.response(CALL, 0) and time.monotonic() < until:
                never.wait(_SHORT_TICK)
                names |= self._stage.names()
        server.response(CALL, course.seconds)

    def _standing(self, server):
        """How far the batch has come."""
        stats = self._stage.stats()
        if server.response(CALL, 0):
            return "answered"
        if stats["downloads"]:
            return "saving"
        if stats["created"]:
            return "waiting" if stats["created"] == ITEMS else "creating"
        return "before"

    def _sigkill(self, server):
        server.process.kill()
        server.ended()

    def _sigterm(self, server):
        """Before it has answered its first request, Python may not yet have got as far as to hear signals."""
        begun = server.response(HELLO, 0)
        server.process.terminate()
        code = server.ended()
        if code != 128 + signal.SIGTERM and (begun or code != -signal.SIGTERM):
            self.problems.append(f"SIGTERM led to exit code {code}")

    def _eof(self, server):
        server.close_input()
        code = server.ended()
        answer = server.response(CALL, 0)
        if code != 0 or answer is None:
            self.problems.append(f"end of input: exit code {code}, {'an' if answer else 'no'} answer")
        elif not self._course.troubles and answer["result"]["structuredContent"]["succeeded"] != ITEMS:
            self.problems.append("end of input: not every item of the batch has succeeded")

    def _gone(self, server):
        server.hang_up()
        server.ended()

    def _cancel(self, server):
        """The server lives on; it is asked something and collects, or is killed, or ends with its input."""
        answered = server.response(CALL, 0) is not None
        server.cancel(CALL)
        server.call(CALL + 1, "list_visual_tasks")
        if server.response(CALL + 1) is None:
            self.problems.append("after a cancel the server answers no more")
        if self._course.by_server:
            self._stage.sandbox.faults.clear()
            with self.successors.company():
                self.successors.wait_until_settled("after a cancel the same server")
        if self._course.successors:
            server.process.kill()
        else:
            server.close_input()
        server.ended()
        if server.response(CALL, 0) and not answered:
            # It may have been on its way; then the batch was done.
            answer = server.response(CALL, 0)["result"]["structuredContent"]
            if "cancelled" in str(answer):
                self.problems.append("a cancelled call was answered")

    # what is left

    def report(self, seconds, place):
        """Everything that can be counted, and everything that does not hold."""
        found = Evidence(self._stage, self._heard)
        problems = [*self.problems, *found.problems(), *self._limits(found)]
        return Report(
            end=self._course.end,
            seed=self._course.seed,
            cut=self._cut,
            problems=tuple(problems),
            billed=found.stats["created"],
            received=len(found.received),
            files=len(found.files),
            duplicates=found.duplicates,
            leftovers=len(found.leftovers),
            creates=found.creates,
            unknown=found.unknown,
            rate_limited=found.stats["rate_limited"],
            most_polls=found.stats["max_polls_in_one_second"],
            leaving=self._leaving,
            seconds=seconds,
            kept=place if problems else "",
        )

    def _limits(self, found):
        if found.stats["created"] > ITEMS:
            yield f"{found.stats['created']} tasks were billed for {ITEMS} items"
        if found.stats["rate_limited"]:
            yield f"{found.stats['rate_limited']} createTask were over the rate"
        nobody_was_killed = self._course.end in ("cancel", "eof") and not self._course.successors
        if nobody_was_killed and not self._course.loses_answers and found.unknown:
            yield f"{found.unknown} unknown outcomes although nobody was killed"
