"""The tools over the real ledger and files; Kie, the downloads and time are stand-ins."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from jsonschema import Draft202012Validator

from kie_mcp.context import CallContext
from kie_mcp.errors import KieMcpError
from kie_mcp.jobs import Jobs
from kie_mcp.jobs.refreshing import Refresher
from kie_mcp.kie import TaskStatus
from kie_mcp.kie.market import Market
from kie_mcp.kie.upload import Uploaded
from kie_mcp.services import Services
from kie_mcp.tools import TOOLS, call_tool
from kie_mcp.tools.spec import ToolResult


class StandIn:
    """Kie and its result hosts: makes ``task-1``, ``task-2``, …; ``state`` says where a task of a model is."""

    def __init__(self, data):
        self.data = data
        self.bodies = []
        self.uploads = []
        self.state = done
        self.refusals = {}
        self.balance = 5916.25
        self._numbers = itertools.count(1)

    def create_task(self, body, context):
        error = self.refusals.get(body["input"].get("prompt"))
        if error is not None:
            raise error
        self.bodies.append(body)
        return f"task-{next(self._numbers)}"

    def get_task(self, task_id, context, **_):
        return self.state(task_id)

    def credits(self, context):
        return self.balance

    def upload(self, opened, mime_type, context):
        with opened() as file:
            sha256 = hashlib.sha256(file.read()).hexdigest()
        self.uploads.append(mime_type)
        return Uploaded(f"https://files.example/{sha256[:8]}", sha256)

    def alive(self, url, context):
        return True

    def fetch(self, url, receive, context):
        return receive(iter([self.data]))


def done(task_id, pictures=1):
    urls = tuple(f"https://result.example/{task_id}-{number}.png" for number in range(pictures))
    return TaskStatus(task_id, "success", image_urls=urls, credits_consumed=18.0)


class Tools:
    """Calls tools, and holds every answer against the published schema and the one shape of errors."""

    def __init__(self, config, catalogue, clock, kie, join, error_schema):
        self.clock = clock
        self.catalogue = catalogue
        self.kie = kie
        self.config = config
        self.join = join
        self.error_schema = error_schema
        self.loaded = 0
        self.call_seconds = float("inf")
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
        floor = self.join(config, catalogue, clock, self.kie, self.kie)
        refresher = Refresher(config, config.state_path / "catalogue.json", lambda: Market(self.kie))
        names = set(Jobs.__dataclass_fields__) - {"client", "refresher"}
        parts = {name: getattr(floor, name) for name in names}
        return Jobs(client=self.kie, refresher=refresher, **parts)

    def result(self, name, **arguments):
        """The answer as the server gives it: an error as the one error shape."""
        tool = next(tool for tool in TOOLS if tool.name == name)
        context = CallContext(self.clock)
        context.deadline = self.clock.monotonic() + self.call_seconds
        try:
            result = call_tool(tool, self.services, arguments, context)
        except KieMcpError as error:
            result = ToolResult.failure(error)
        Draft202012Validator(tool.output_schema).validate(result.structured)
        assert result.structured["ok"] is not result.is_error
        assert ("error" in result.structured) is result.is_error
        if result.is_error:
            Draft202012Validator(self.error_schema).validate(result.structured["error"])
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


@pytest.fixture
def kie(png):
    return StandIn(png)


@pytest.fixture
def make_tools(make_config, catalogue, clock, kie, join, error_schema):
    """The tools with other settings than the usual; ``config`` may be an error."""

    def make(config=None, **settings):
        return Tools(config or make_config(**settings), catalogue, clock, kie, join, error_schema)

    return make


@pytest.fixture
def tools(make_tools):
    return make_tools()


@pytest.fixture
def success():
    """The status of a task that has succeeded with so many pictures."""
    return done


@pytest.fixture
def die(tools):
    """Let the process that made the tasks so far be dead."""

    def kill():
        with tools.services.jobs.database.write() as connection:
            connection.execute("UPDATE tasks SET owner = 'dead'")

    return kill


@pytest.fixture
def serve():
    """Let tools serve a host: nothing is collected in the background, which is not what these tests are about."""

    def begin(tools):
        assert tools.services.jobs
        tools.services.serving = True
        tools.services._look_again = float("inf")
        return tools

    return begin


@pytest.fixture
def served(serve, tools):
    return serve(tools)
