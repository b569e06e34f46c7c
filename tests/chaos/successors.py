"""Who comes after a process that has ended: collectors, some of which are killed as well."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import contextmanager

from chaos.evidence import rows_of, unsettled
from chaos.stage import PATIENCE, BrokenPlayError

CALL = 1
COLLECTIONS = 4
_FAULTY_SECONDS = 8.0
_TICK = 0.1


class Successors:
    """Those of one course. What does not hold goes into ``problems``."""

    def __init__(self, course, stage, problems):
        self._course = course
        self._stage = stage
        self.problems = problems

    def collect(self):
        """Successors that are killed, one that is not, then ``kie-mcp collect`` until nothing is left."""
        for seconds in self._course.successors:
            self._successor(seconds)
        self._stage.sandbox.faults.clear()
        with self.company():
            if self._course.by_server:
                self._successor(None)
            elif self._course.together:
                self._stage.answer("collect", "--json", "--wait-seconds", "20")
        for _ in range(COLLECTIONS):
            code, answer = self._stage.answer("collect", "--json", "--wait-seconds", "20")
            if answer.get("total") == 0:
                return
        self.problems.append(f"kie-mcp collect finds no end: exit code {code}, {answer}")

    @contextmanager
    def company(self):
        """A ``kie-mcp collect`` beside what is done here, in some courses."""
        if not self._course.together:
            yield
            return
        process, _ = self._stage.command("collect", "--wait-seconds", "20")
        try:
            yield
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise BrokenPlayError("a collector beside another one did not end") from error
        finally:
            process.kill()
            process.wait()

    def _successor(self, seconds):
        """A collector that is killed after so many seconds; a server where none are given."""
        if not self._course.by_server:
            process, _ = self._stage.command("collect", "--wait-seconds", "20")
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            return
        with self._stage.server() as server:
            server.call(CALL, "list_visual_tasks")
            if seconds is not None:
                server.response("never", seconds)
                return
            if server.response(CALL) is None:
                self.problems.append("a new server does not answer")
            self.wait_until_settled("a new server")
            server.close_input()
            server.ended()

    def wait_until_settled(self, who):
        """Wait for a server to collect in the background.

        What it could not fetch because of a fault it tries again when half a minute has passed, or leaves to whoever
        asks: that is not waited for.
        """
        faulty = any(trouble.startswith("download") for trouble in self._course.troubles)
        never, until = threading.Event(), time.monotonic() + (_FAULTY_SECONDS if faulty else PATIENCE)
        while unsettled(self._stage):
            if time.monotonic() > until:
                if faulty:
                    return
                states = sorted({row["state"] for row in rows_of(self._stage)})
                self.problems.append(f"{who} left {unsettled(self._stage)} tasks uncollected ({', '.join(states)})")
                return
            never.wait(_TICK)
