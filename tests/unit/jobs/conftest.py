"""Kie and its result hosts, scripted by tests, and the floor over them."""

from __future__ import annotations

import hashlib
import itertools
import threading
from types import SimpleNamespace

import pytest

from kie_mcp.catalogue import Wish
from kie_mcp.context import CallContext
from kie_mcp.jobs.model import Request
from kie_mcp.kie import TaskStatus
from kie_mcp.kie.upload import Uploaded


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

    def get_task(self, task_id, context, *, once=False):
        context.raise_if_cancelled()
        return self._answer("poll", (task_id, once), success(task_id))

    def renewed_link(self, url, context):
        return self._answer("renew", url, url + "?renewed")

    def upload(self, opened, mime_type, context):
        with opened() as file:
            sent = file.read()
        sha256 = hashlib.sha256(sent).hexdigest()
        return self._answer("upload", (sent, mime_type), Uploaded(f"https://files.example/{sha256[:8]}", sha256))

    def _answer(self, name, asked, usual):
        with self._lock:
            self.calls[name].append(asked)
            script = self.scripts[name]
            answer = script.pop(0) if script else usual
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer


class ScriptedDownloads:
    """Result hosts: every link has a picture, unless ``answers`` has other bytes or an error for it.

    ``dead`` are the links of which a look at them says so; ``looked_at`` has every look.
    """

    def __init__(self, data):
        self.data = data
        self.answers = {}
        self.fetched = []
        self.dead = set()
        self.looked_at = []
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

    def alive(self, url, context):
        context.raise_if_cancelled()
        with self._lock:
            self.looked_at.append(url)
            return url not in self.dead


def success(task_id, *urls, **more):
    return TaskStatus(task_id, "success", image_urls=urls or (f"https://result.example/{task_id}.png",), **more)


class Bench(SimpleNamespace):
    """The joined rooms of this floor by their names, and what tests ask of them."""

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


@pytest.fixture
def client():
    return ScriptedClient()


@pytest.fixture
def downloads(png):
    return ScriptedDownloads(png)


@pytest.fixture
def make_bench(join, make_config, catalogue, clock, client, downloads):
    """Build the floor with other settings than the usual."""

    def make(**settings):
        floor = join(make_config(**settings), catalogue, clock, client, downloads)
        return Bench(clock=clock, client=client, downloads=downloads, **vars(floor))

    return make


@pytest.fixture
def bench(make_bench):
    return make_bench()


@pytest.fixture
def link_to():
    """The link under which Kie has uploaded bytes."""
    return lambda data: f"https://files.example/{hashlib.sha256(data).hexdigest()[:8]}"


@pytest.fixture
def done():
    """The status of a task that has succeeded, with its links."""
    return success
