"""The tools in this process, or the whole server in another one, before a stand-in of Kie behind a socket."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kie_mcp.clock import Clock
from kie_mcp.config import Rate, config_from
from kie_mcp.context import CallContext
from kie_mcp.errors import KieMcpError
from kie_mcp.jobs import build_jobs
from kie_mcp.sandbox import Sandbox, SandboxOptions
from kie_mcp.tools import TOOLS, call_tool
from kie_mcp.tools.services import Services
from kie_mcp.tools.spec import ToolResult

KEY = "k-5c1f0e9b7a3d2468"
ROOT = Path(__file__).resolve().parents[2]


class Kie:
    """The tools in this process, the stand-in of Kie behind a socket."""

    def __init__(self, sandbox, folder, catalogue, **settings):
        self.sandbox = sandbox
        self.folder = folder
        self.catalogue = catalogue
        self.settings = settings
        self.output = folder / "out"
        config = config_from(
            {
                "KIE_AI_API_KEY": KEY,
                "KIE_AI_BASE_URL": sandbox.base_url,
                "KIE_AI_UPLOAD_BASE_URL": sandbox.upload_base_url,
                "KIE_AI_OUTPUT_DIR": str(self.output),
                "KIE_AI_STATE_DIR": str(folder / "state"),
                "KIE_AI_RATE_LIMIT": "1000/1",
                "KIE_AI_POLL_INTERVAL_SECONDS": "0.1",
                "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS": "0.02",
                **settings,
            }
        )
        self.services = Services(
            clock=Clock(), load_config=lambda: config, load_catalogue=lambda: catalogue, build_jobs=build_jobs
        )

    def another(self):
        """A second server of the same user with the same settings, for the test to close."""
        return Kie(self.sandbox, self.folder, self.catalogue, **self.settings)

    def run(self, name, context=None, /, **arguments):
        """The answer of a tool; its error is raised."""
        tool = next(tool for tool in TOOLS if tool.name == name)
        return call_tool(tool, self.services, arguments, context or CallContext())

    def result(self, name, **arguments):
        """The answer as the server gives it: an error as the one error shape."""
        try:
            return self.run(name, **arguments)
        except KieMcpError as error:
            return ToolResult.failure(error)

    def call(self, name, **arguments):
        """The structured content of an answer that is no error."""
        answer = self.result(name, **arguments)
        assert not answer.is_error, answer.structured
        return answer.structured

    def error(self, name, **arguments):
        """The ``error`` object of an answer that is one."""
        answer = self.result(name, **arguments)
        assert answer.is_error, answer.structured
        return answer.structured["error"]

    @property
    def billed(self):
        return self.sandbox.stats()["created"]

    def asked(self, endpoint):
        return self.sandbox.stats()["requests"].get(endpoint, 0)

    def files(self):
        return sorted(path.name for path in self.output.iterdir()) if self.output.exists() else []


class ServerProcess:
    """A server process with its pipes in the test's hand; ``environment`` is all of its environment."""

    def __init__(self, environment, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kie_mcp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
        self._ids = itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        self.process.wait()

    def send(self, method, number=None, **params):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def call(self, number, tool, arguments=None, **meta):
        more = {"_meta": meta} if meta else {}
        self.send("tools/call", number, name=tool, arguments=arguments or {}, **more)

    def receive(self):
        return json.loads(self.process.stdout.readline())

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
        """Close the input; the rest of the output, and the exit code."""
        self.process.stdin.close()
        rest = self.process.stdout.read()
        return [json.loads(line) for line in rest.splitlines()], self.process.wait()

    @property
    def most_memory(self):
        """The most bytes that the process has had in memory so far; elsewhere than on Linux, those it has now."""
        status = Path(f"/proc/{self.process.pid}/status")
        if status.exists():
            (line,) = [line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM")]
            return int(line.split()[1]) * 1024
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(self.process.pid)], stdout=subprocess.PIPE, check=True)
        return int(shown.stdout) * 1024


@pytest.fixture(scope="session")
def server_process():
    """Start a server process: ``server_process(environment, folder)``."""
    return ServerProcess


@pytest.fixture(scope="session")
def environment_for():
    """The environment of a server process before a stand-in, with settings by the names of their variables."""

    def make(sandbox, folder, **settings):
        return {
            **_bare_environment(),
            "PYTHONPATH": str(ROOT),
            "KIE_AI_API_KEY": KEY,
            "KIE_AI_BASE_URL": sandbox.base_url,
            "KIE_AI_UPLOAD_BASE_URL": sandbox.upload_base_url,
            "KIE_AI_STATE_DIR": str(folder / "state"),
            "KIE_AI_RATE_LIMIT": "10000/1",
            "KIE_AI_POLL_INTERVAL_SECONDS": "0.1",
            **settings,
        }

    return make


@pytest.fixture(scope="session")
def key():
    """The key that the stand-in accepts."""
    return KEY


@pytest.fixture
def make_kie(tmp_path, catalogue):
    """Tools and stand-in; its options and ``clock`` by their names, settings by the names of their variables."""
    made = []

    def make(**given):
        settings = {name: given.pop(name) for name in list(given) if name.startswith("KIE_AI_")}
        clock = given.pop("clock", None)
        options = {"task_seconds": 0.05, "rate": Rate(1000, 1), "api_key": KEY, **given}
        sandbox = Sandbox(SandboxOptions(**options), catalogue=catalogue, clock=clock).start()
        made.append(Kie(sandbox, tmp_path, catalogue, **settings))
        return made[-1]

    yield make
    for kie in made:
        kie.services.close()
        kie.sandbox.stop()
        assert kie.sandbox.stats()["authorized_downloads"] == 0


@pytest.fixture
def kie(make_kie):
    return make_kie()


@pytest.fixture
def environment():
    """The variables of this process without any setting."""
    return _bare_environment()


def _bare_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("KIE_AI_")}
