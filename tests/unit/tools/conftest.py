"""The tools over the real ledger and files; Kie, the downloads and time are stand-ins."""

from __future__ import annotations

import io
import itertools
import threading
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from kie_mcp.catalogue import Catalogue
from kie_mcp.clock import Clock
from kie_mcp.config import Config, Rate
from kie_mcp.context import CallContext
from kie_mcp.errors import KieMcpError
from kie_mcp.files import Outputs
from kie_mcp.jobs import Jobs
from kie_mcp.jobs.batch import Batches
from kie_mcp.jobs.generation import Generations
from kie_mcp.jobs.saving import Saver
from kie_mcp.jobs.sources import Sources
from kie_mcp.jobs.submitting import Submitter
from kie_mcp.jobs.watching import Watcher
from kie_mcp.kie import TaskStatus
from kie_mcp.ledger import Database, RateWindow, TaskLedger
from kie_mcp.tools import TOOLS, call_tool
from kie_mcp.tools.services import Services
from kie_mcp.tools.spec import ToolResult

KEY = "k-0123456789abcdef"

ERROR = {
    "type": "object",
    "properties": {
        "category": {
            "enum": [
                "config",
                "input",
                "auth",
                "credits",
                "rate_limit",
                "network",
                "server",
                "task_failed",
                "unknown_outcome",
                "output",
                "cancelled",
                "internal",
            ]
        },
        "message": {"type": "string", "minLength": 1},
        "retryable": {"type": "boolean"},
        "next_step": {"type": "string", "minLength": 1},
        "code": {"type": ["integer", "string"]},
        "task_id": {"type": "string", "minLength": 1},
    },
    "required": ["category", "message", "retryable", "next_step"],
    "additionalProperties": False,
}


class DrivenClock(Clock):
    """Waiting ends at once and moves the time on."""

    def __init__(self):
        self.time = 0.0
        self._lock = threading.Lock()

    def now(self):
        return 1_790_000_000.0 + self.time

    def monotonic(self):
        return self.time

    def wait(self, event, seconds):
        with self._lock:
            self.time += max(0.0, seconds)
        return event.is_set()


class StandIn:
    """Kie and its result hosts: makes ``task-1``, ``task-2``, …; ``state`` says where a task of a model is."""

    def __init__(self, data):
        self.data = data
        self.bodies = []
        self.state = done
        self.refusals = {}
        self.balance = 5916.25
        self._numbers = itertools.count(1)

    def create_task(self, body, context):
        error = self.refusals.get(body["input"]["prompt"])
        if error is not None:
            raise error
        self.bodies.append(body)
        return f"task-{next(self._numbers)}"

    def get_task(self, task_id, context, **_):
        return self.state(task_id)

    def credits(self, context):
        return self.balance

    def upload(self, path, mime_type, context):
        return f"https://files.example/{path.name}"

    def fetch(self, url, receive, context):
        return receive(iter([self.data]))


def done(task_id, pictures=1):
    urls = tuple(f"https://result.example/{task_id}-{number}.png" for number in range(pictures))
    return TaskStatus(task_id, "success", image_urls=urls, credits_consumed=18.0)


class Tools:
    """Calls tools, and holds every answer against the published schema and the one shape of errors."""

    def __init__(self, config, catalogue, kie):
        self.clock = DrivenClock()
        self.catalogue = catalogue
        self.kie = kie
        self.config = config
        self.loaded = 0
        self.services = Services(
            clock=self.clock,
            load_config=self._load,
            load_catalogue=lambda: self.catalogue,
            build_jobs=self._jobs,
        )

    def _load(self):
        self.loaded += 1
        if isinstance(self.config, Exception):
            raise self.config
        return self.config

    def _jobs(self, config, catalogue, clock):
        database = Database(config.state_path / "ledger.sqlite3")
        ledger = TaskLedger(database, clock)
        watcher = Watcher(self.kie, ledger)
        generations = Generations(
            config=config,
            catalogue=catalogue,
            ledger=ledger,
            outputs=Outputs(config),
            sources=Sources(config, catalogue, self.kie, ledger, watcher),
            submitter=Submitter(config, self.kie, ledger, RateWindow(database, config.rate_limit, clock)),
            watcher=watcher,
            saver=Saver(config, self.kie, self.kie, ledger, itertools.count().__next__),
        )
        return Jobs(generations, Batches(generations), ledger, self.kie, database)

    def result(self, name, **arguments):
        """The answer as the server gives it: an error as the one error shape."""
        tool = next(tool for tool in TOOLS if tool.name == name)
        try:
            result = call_tool(tool, self.services, arguments, CallContext(self.clock))
        except KieMcpError as error:
            result = ToolResult.failure(error)
        Draft202012Validator(tool.output_schema).validate(result.structured)
        assert result.structured["ok"] is not result.is_error
        assert ("error" in result.structured) is result.is_error
        if result.is_error:
            Draft202012Validator(ERROR).validate(result.structured["error"])
        return result

    def call(self, name, **arguments):
        """The ``structuredContent`` of an answer that is no error."""
        result = self.result(name, **arguments)
        assert not result.is_error, result.structured
        return result.structured

    def error(self, name, **arguments):
        """The ``error`` object of an answer that is one."""
        result = self.result(name, **arguments)
        assert result.is_error, result.structured
        return result.structured["error"]


@pytest.fixture(scope="session")
def catalogue():
    return Catalogue.load()


@pytest.fixture(scope="session")
def png():
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 120, 40)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def kie(png):
    return StandIn(png)


@pytest.fixture
def make_tools(tmp_path, catalogue, kie):
    """The tools with other settings than the usual; ``config`` may be an error."""
    made = []

    def make(config=None, **settings):
        usual = Config(api_key=KEY, output_dir=tmp_path / "out", state_dir=tmp_path / "state", rate_limit=Rate(100, 1))
        made.append(Tools(config or replace(usual, **settings), catalogue, kie))
        return made[-1]

    yield make
    for tools in made:
        tools.services.close()


@pytest.fixture
def tools(make_tools):
    return make_tools()


@pytest.fixture
def success():
    """The status of a task that has succeeded with so many pictures."""
    return done


@pytest.fixture
def error_schema():
    """The one shape of errors (contract of the tools)."""
    return ERROR
