"""The whole server in a process of its own, before a stand-in of Kie behind a socket; for tests of every kind."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from kie_mcp.tools import TOOLS
from mcp_messages import Conversation

ROOT = Path(__file__).resolve().parents[1]
KEY = "k-5c1f0e9b7a3d2468"


def bare_environment():
    """The variables of this process without any setting."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KIE_AI_")}


def environment_for(sandbox, folder, **settings):
    """The environment of a process before a stand-in, with settings by the names of their variables."""
    return {
        **bare_environment(),
        "PYTHONPATH": str(ROOT),
        "KIE_AI_API_KEY": KEY,
        "KIE_AI_BASE_URL": sandbox.base_url,
        "KIE_AI_UPLOAD_BASE_URL": sandbox.upload_base_url,
        "KIE_AI_STATE_DIR": str(folder / "state"),
        "KIE_AI_RATE_LIMIT": "10000/1",
        "KIE_AI_POLL_INTERVAL_SECONDS": "0.1",
        **settings,
    }


@cache
def output_schemas():
    """Those of the tools, by their names."""
    return {tool.name: tool.output_schema for tool in TOOLS}


class ServerProcess:
    """A server process with its pipes in the test's hand; ``environment`` is all of its environment.

    Its log goes to ``stderr``: a pipe that nobody reads, unless an open file is given. All that it says is held against
    the official definitions; a test that cancels calls which may just be over says that answers are ``crossing``.
    """

    def __init__(self, environment, folder, stderr=subprocess.PIPE, *, crossing=False):
        self.conversation = Conversation(output_schemas(), crossing=crossing)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kie_mcp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            cwd=folder,
        )
        self._ids = itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self.process.wait()

    def send(self, method, number=None, **params):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self.write(json.dumps(message).encode() + b"\n")

    def write(self, lines):
        """Send whole lines as they are."""
        for line in lines.split(b"\n"):
            self.conversation.sent(line)
        self.process.stdin.write(lines)
        self.process.stdin.flush()

    def call(self, number, tool, arguments=None, **meta):
        more = {"_meta": meta} if meta else {}
        self.send("tools/call", number, name=tool, arguments=arguments or {}, **more)

    def receive(self):
        line = self.process.stdout.readline()
        assert line, "the server has ended"
        message = self.conversation.received(line)
        self.conversation.check()
        return message

    def answer(self):
        """The next answer to a call, as structured content."""
        return self.receive()["result"]["structuredContent"]

    def results(self, calls):
        """The results of ``(tool, arguments)`` calls that are sent in one go, in their order."""
        numbers = []
        for tool, arguments in calls:
            numbers.append(next(self._ids))
            self.call(numbers[-1], tool, arguments)
        answers = {}
        while len(answers) < len(numbers):
            message = self.receive()
            answers[message["id"]] = message["result"]
        return [answers[number] for number in numbers]

    def result(self, tool, **arguments):
        return self.results([(tool, arguments)])[0]

    def submitted_task(self):
        """The id of the task that the progress of a call names."""
        while True:
            message = self.receive()
            assert "params" in message, message
            if "submitted as task" in message["params"]["message"]:
                return message["params"]["message"].split()[-1]

    def end(self):
        """Close the input; the rest of the output, which leaves no request without its answer, and the exit code."""
        self.process.stdin.close()
        rest = [self.conversation.received(line) for line in self.process.stdout.read().splitlines()]
        self.conversation.check()
        assert self.conversation.owed == []
        return rest, self.process.wait()

    @property
    def most_memory(self):
        """The most bytes that the process has had in memory so far; elsewhere than on Linux, those it has now."""
        status = Path(f"/proc/{self.process.pid}/status")
        if status.exists():
            (line,) = [line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM")]
            return int(line.split()[1]) * 1024
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process.pid)], stdout=subprocess.PIPE, check=True)
        return int(shown.stdout) * 1024
