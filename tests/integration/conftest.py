"""The tools in this process, or the whole server in another one, before a stand-in of Kie behind a socket."""

from __future__ import annotations

import pytest

from kie_mcp.clock import Clock
from kie_mcp.config import Rate, config_from
from kie_mcp.context import CallContext
from kie_mcp.errors import KieMcpError
from kie_mcp.jobs import build_jobs
from kie_mcp.sandbox import Sandbox, SandboxOptions
from kie_mcp.services import Services
from kie_mcp.tools import TOOLS, call_tool
from kie_mcp.tools.spec import ToolResult
from processes import KEY, ServerProcess, bare_environment, environment_for


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


@pytest.fixture(scope="session")
def server_process():
    """Start a server process: ``server_process(environment, folder)``."""
    return ServerProcess


@pytest.fixture(scope="session", name="environment_for")
def environment_for_fixture():
    """The environment of a server process before a stand-in, with settings by the names of their variables."""
    return environment_for


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
    return bare_environment()
