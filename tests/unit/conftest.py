"""The floor ``jobs`` with its real ledger and files; Kie, the downloads and time are stand-ins that tests script."""

from __future__ import annotations

import contextlib
import io
import itertools
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image

from kie_mcp.clock import Clock
from kie_mcp.config import Config, Rate
from kie_mcp.files import Outputs
from kie_mcp.files.preview import Previews
from kie_mcp.jobs import Jobs
from kie_mcp.jobs.batch import Batches
from kie_mcp.jobs.generation import Generations
from kie_mcp.jobs.recovery import Recovery
from kie_mcp.jobs.saving import Saver
from kie_mcp.jobs.sources import Sources
from kie_mcp.jobs.submitting import Submitter
from kie_mcp.jobs.unattended import Unattended
from kie_mcp.jobs.uploads import Uploads
from kie_mcp.jobs.watching import Watcher
from kie_mcp.ledger import Custody, Database, Presence, RateWindow, SavedFile, TaskLedger, UploadLedger
from kie_mcp.ledger.batch_results import BatchResults
from kie_mcp.ledger.documents import SqliteDocuments
from kie_mcp.services import Services
from kie_mcp.tools import TOOLS
from mcp_definitions import LATEST, result_problems

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
    """Waiting ends at once and moves the time on; without an end it lasts until something happens.

    ``waits`` has every wait; ``on_wait`` is called in it; ``shift`` moves the wall clock alone.
    """

    def __init__(self):
        self.time = 0.0
        self.shift = 1_790_000_000.0
        self.waits = []
        self.on_wait = None
        self._lock = threading.Lock()

    def now(self):
        return self.shift + self.time

    def monotonic(self):
        return self.time

    def wait(self, event, seconds):
        if seconds == float("inf"):
            return event.wait(60)
        with self._lock:
            self.waits.append(seconds)
            self.time += max(0.0, seconds)
        if self.on_wait:
            self.on_wait()
        return event.is_set()


def joined(config, catalogue, clock, client, downloads):
    """The rooms of the floor by their names, joined as ``build_jobs`` joins them."""
    names = itertools.count()
    database = Database(config.state_path / "ledger.sqlite3", clock)
    presence = Presence(config.state_path / "processes")
    account = config.account_mark()
    ledger = TaskLedger(database, clock, secrets=config.secrets(), owner=presence.id, account=account)
    custody = Custody(database, clock, presence, account)
    documents = SqliteDocuments(config.state_path / "window.sqlite3", clock)
    window = RateWindow(documents, config.rate_limit, clock, owner=presence.id, is_alive=presence.is_alive)
    watcher = Watcher(client, ledger)
    uploads = Uploads(config, client, downloads, UploadLedger(database, clock, secrets=config.secrets()))
    outputs = Outputs(config)
    generations = Generations(
        config=config,
        catalogue=catalogue,
        ledger=ledger,
        outputs=outputs,
        sources=Sources(config, client, downloads, ledger, watcher, uploads),
        submitter=Submitter(config, client, ledger, window),
        watcher=watcher,
        saver=Saver(outputs, client, downloads, ledger, custody, lambda: f"call-{next(names)}"),
        unattended=Unattended(clock),
    )
    batches = Batches(generations)
    return SimpleNamespace(
        **vars(generations),
        generations=generations,
        batches=batches,
        recovery=Recovery(generations, custody, clock),
        batch_results=BatchResults(database, clock, lambda: f"b{next(names)}", config.secrets()),
        previews=Previews(),
        custody=custody,
        presence=presence,
        window=window,
        database=database,
        documents=documents,
        uploads=uploads,
    )


class Album:
    """Tasks that have succeeded, with their pictures on disk, written down as the program does it; Kie is not asked."""

    def __init__(self, jobs, folder, data):
        self.jobs = jobs
        self.folder = folder
        self.data = data
        self._numbers = itertools.count(1)
        folder.mkdir()

    def task(self, prompt="a fox", model="z-image"):
        """The id of a new task that is under way."""
        task_id = f"task-{next(self._numbers)}"
        number = self.jobs.ledger.begin(model=model, prompt=prompt, request={}, output_path=self.folder)
        self.jobs.ledger.accepted(number, task_id)
        return task_id

    def save(self, *names, **asked):
        """Make one task with pictures of these names; the path of the first."""
        task_id, paths = self.task(**asked), [self.folder / name for name in names]
        for path in paths:
            path.write_bytes(self.data)
        self.jobs.ledger.observed(task_id, "success", image_urls=[f"https://a/{name}" for name in names])
        files = [SavedFile(str(path), "image/png", len(self.data), 40, 30) for path in paths]
        assert self.jobs.custody.claim(task_id, "test")
        assert self.jobs.custody.saved(task_id, "test", files)
        self.jobs.custody.release(task_id, "test")
        return paths[0]


@pytest.fixture
def clock():
    return DrivenClock()


@pytest.fixture(scope="session")
def png():
    """A picture of 40 by 30 pixels."""
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_config(tmp_path):
    """A key, folders of the test's own and a wide rate limit, with other settings than the usual."""
    usual = Config(
        api_key="k-0123456789abcdef",
        output_dir=tmp_path / "out",
        state_dir=tmp_path / "state",
        rate_limit=Rate(100, 1),
    )
    return lambda **settings: replace(usual, **settings)


@pytest.fixture
def join():
    """Join the floor over stand-ins; its ledger is closed in the end."""
    with contextlib.ExitStack() as ending:

        def make(config, catalogue, clock, client, downloads):
            floor = joined(config, catalogue, clock, client, downloads)
            for part in (floor.documents, floor.database, floor.presence, floor.recovery):
                ending.callback(part.close)
            return floor

        yield make


@pytest.fixture
def services(make_config, catalogue, clock, join):
    """What the rooms of the protocol's features work with; Kie must not be asked."""

    def build(*given):
        floor = join(*given, None, None)
        parts = {name: getattr(floor, name) for name in set(Jobs.__dataclass_fields__) - {"client", "refresher"}}
        return Jobs(client=None, refresher=None, **parts)

    config = make_config()
    made = Services(clock=clock, load_config=lambda: config, load_catalogue=lambda: catalogue, build_jobs=build)
    yield made
    made.close()


@pytest.fixture
def album(services, tmp_path, png):
    """A ledger with saved pictures: ``album.save("fox.png")``."""
    return Album(services.jobs, tmp_path / "album", png)


@pytest.fixture(scope="session")
def tools_by_name():
    """The names of the tools."""
    return {tool.name for tool in TOOLS}


@pytest.fixture(scope="session")
def tool_words(tools_by_name):
    """What texts about the tools may name: tools, arguments, fields of answers and errors, and their values."""
    words = {*tools_by_name, "default_", "task:", *ERROR["properties"], *ERROR["properties"]["category"]["enum"]}

    def add(schema):
        words.update(schema.get("properties", {}), schema.get("enum", ()))
        for part in schema.get("properties", {}).values():
            add(part)
        if "items" in schema:
            add(schema["items"])

    for tool in TOOLS:
        add(tool.input_schema)
        add(tool.output_schema)
    return words


@pytest.fixture(scope="session")
def official():
    """Hold the result of a method against its official definition; the result."""

    def check(method, result):
        assert result_problems(LATEST, method, result) == []
        return result

    return check


@pytest.fixture(scope="session")
def error_schema():
    """The one shape of errors (contract of the tools)."""
    return ERROR
