"""The floor with its real ledger; Kie, the downloads and time are stand-ins that tests script."""

from __future__ import annotations

import io
import itertools
import threading
from dataclasses import replace
from functools import cached_property

import pytest
from PIL import Image

from kie_mcp.catalogue import Catalogue, Wish
from kie_mcp.clock import Clock
from kie_mcp.config import Config, Rate
from kie_mcp.context import CallContext
from kie_mcp.files import Outputs
from kie_mcp.jobs.batch import Batches
from kie_mcp.jobs.generation import Generations
from kie_mcp.jobs.model import Request
from kie_mcp.jobs.saving import Saver
from kie_mcp.jobs.sources import Sources
from kie_mcp.jobs.submitting import Submitter
from kie_mcp.jobs.watching import Watcher
from kie_mcp.kie import TaskStatus
from kie_mcp.ledger import Database, RateWindow, TaskLedger

KEY = "k-0123456789abcdef"


class DrivenClock(Clock):
    """Waiting ends at once and moves the time on; ``waits`` has every wait; ``on_wait`` is called in it."""

    def __init__(self):
        self.time = 0.0
        self.waits = []
        self.on_wait = lambda: None
        self._lock = threading.Lock()

    def now(self):
        return 1_790_000_000.0 + self.time

    def monotonic(self):
        return self.time

    def wait(self, event, seconds):
        with self._lock:
            self.waits.append(seconds)
            self.time += max(0.0, seconds)
        self.on_wait()
        return event.is_set()


class ScriptedClient:
    """Kie: each call takes the next entry of its script; an error is raised, a function called, the rest returned.

    Without a script createTask makes ``task-1``, ``task-2``, …, and a task has succeeded with one picture.
    """

    def __init__(self):
        self.scripts = {name: [] for name in ("create", "poll", "renew", "upload")}
        self.calls = {name: [] for name in self.scripts}
        self.on_create = lambda body: None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def create_task(self, body, context):
        context.raise_if_cancelled()
        with self._lock:
            made = f"task-{next(self._numbers)}"
        self.on_create(body)
        return self._answer("create", body, made)

    def get_task(self, task_id, context, *, within=None, once=False):
        context.raise_if_cancelled()
        return self._answer("poll", (task_id, within, once), success(task_id))

    def renewed_link(self, url, context):
        return self._answer("renew", url, url + "?renewed")

    def upload(self, path, mime_type, context):
        return self._answer("upload", (path, mime_type), f"https://files.example/{path.name}")

    def _answer(self, name, asked, usual):
        with self._lock:
            self.calls[name].append(asked)
            script = self.scripts[name]
            answer = script.pop(0) if script else usual
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer


class ScriptedDownloads:
    """Result hosts: every link has a picture, unless ``answers`` has other bytes or an error for it."""

    def __init__(self, data):
        self.data = data
        self.answers = {}
        self.fetched = []
        self._lock = threading.Lock()

    def fetch(self, url, receive, context):
        with self._lock:
            self.fetched.append(url)
            answer = self.answers.get(url, self.data)
        if callable(answer):
            answer = answer()
        if isinstance(answer, BaseException):
            raise answer
        return receive(iter([answer[:100], answer[100:]]))


def success(task_id, *urls, **more):
    return TaskStatus(task_id, "success", image_urls=urls or (f"https://result.example/{task_id}.png",), **more)


class Bench:
    """The rooms of this floor, joined as ``build_jobs`` joins them."""

    def __init__(self, config, catalogue, clock, client, downloads):
        self.config = config
        self.catalogue = catalogue
        self.clock = clock
        self.client = client
        self.downloads = downloads
        self.database = Database(config.state_path / "ledger.sqlite3")
        self.ledger = TaskLedger(self.database, clock, secrets=(KEY,))
        self._owners = itertools.count()

    @cached_property
    def window(self):
        return RateWindow(self.database, self.config.rate_limit, self.clock)

    @cached_property
    def watcher(self):
        return Watcher(self.client, self.ledger)

    @cached_property
    def submitter(self):
        return Submitter(self.config, self.client, self.ledger, self.window)

    @cached_property
    def saver(self):
        return Saver(self.config, self.client, self.downloads, self.ledger, lambda: f"owner-{next(self._owners)}")

    @cached_property
    def sources(self):
        return Sources(self.config, self.catalogue, self.client, self.ledger, self.watcher)

    @cached_property
    def outputs(self):
        return Outputs(self.config)

    @cached_property
    def generations(self):
        return Generations(
            config=self.config,
            catalogue=self.catalogue,
            ledger=self.ledger,
            outputs=self.outputs,
            sources=self.sources,
            submitter=self.submitter,
            watcher=self.watcher,
            saver=self.saver,
        )

    @cached_property
    def batches(self):
        return Batches(self.generations)

    def context(self, listener=None):
        return CallContext(self.clock, listener)

    def request(self, prompt="a fox", **more):
        wished = {name: more.pop(name) for name in list(more) if name in Wish.__dataclass_fields__}
        wish = Wish(**{"prompt": prompt, "model": self.config.model, **wished})
        times = {"poll_interval_seconds": 3, "poll_timeout_seconds": 300}
        return Request(wish=wish, **{**times, **more})

    def prepared(self, prompt="a fox", **more):
        return self.generations.prepare(self.request(prompt, **more), self.context())

    def rows(self, **asked):
        return self.ledger.recent(**{"limit": 100, **asked})

    def files(self):
        return sorted(path.name for path in self.config.output_dir.iterdir())


@pytest.fixture(scope="session")
def catalogue():
    return Catalogue.load()


@pytest.fixture(scope="session")
def png():
    """A picture of 40 by 30 pixels."""
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 60).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def clock():
    return DrivenClock()


@pytest.fixture
def client():
    return ScriptedClient()


@pytest.fixture
def downloads(png):
    return ScriptedDownloads(png)


@pytest.fixture
def make_bench(tmp_path, catalogue, clock, client, downloads):
    """Build the floor with other settings than the usual."""
    made = []

    def make(**settings):
        config = Config(api_key=KEY, output_dir=tmp_path / "out", state_dir=tmp_path / "state", rate_limit=Rate(100, 1))
        made.append(Bench(replace(config, **settings), catalogue, clock, client, downloads))
        return made[-1]

    yield make
    for bench in made:
        bench.database.close()


@pytest.fixture
def bench(make_bench):
    return make_bench()


@pytest.fixture
def done():
    """The status of a task that has succeeded, with its links."""
    return success
