"""A stand-in without sockets, driven by a clock that tests move."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from kie_mcp.clock import Clock
from kie_mcp.sandbox import Sandbox, SandboxOptions
from kie_mcp.sandbox.messages import Answer, Body, Request

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from kie_mcp.catalogue import Catalogue

PROMPT = {"prompt": "a red apple on a table"}


class FakeClock(Clock):
    """Time that stands still until a test moves it; waits end at once and are written down."""

    def __init__(self) -> None:
        self.moved = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return 1_789_126_694.807 + self.moved

    def monotonic(self) -> float:
        return 1000.0 + self.moved

    def advance(self, seconds: float) -> None:
        self.moved += seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.advance(seconds)
        return event.is_set()


class Bench:
    """A sandbox's logic at a made-up origin, and short ways to call it."""

    origin = "http://127.0.0.1:9"

    def __init__(self, options: SandboxOptions, catalogue: Catalogue) -> None:
        self.clock = FakeClock()
        self.sandbox = Sandbox(options, catalogue=catalogue, clock=self.clock, random=random.Random(7))
        self.faults = self.sandbox.faults
        self.sandbox._origin = self.origin
        self.api = self.sandbox._api(catalogue)

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        parts = urlsplit(url)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"authorization": "Bearer key", "user-agent": "test"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        request = Request(method, parts.path, Body(io.BytesIO(data), len(data)), dict(parse_qsl(parts.query)), sent)
        return self.api.answer(request)

    def json(self, method: str, url: str, body: Any = None, **headers: str) -> dict[str, Any]:
        answer = self.send(method, url, body, **headers)
        assert answer.status == 200
        found: dict[str, Any] = json.loads(b"".join(answer.body))
        return found

    def create(
        self, given: dict[str, Any] | None = None, model: str = "nano-banana-pro", **more: Any
    ) -> dict[str, Any]:
        body = {"model": model, "input": PROMPT if given is None else given, **more}
        return self.json("POST", "/api/v1/jobs/createTask", body)

    def task(self, given: dict[str, Any] | None = None, model: str = "nano-banana-pro") -> str:
        task_id: str = self.create(given, model)["data"]["taskId"]
        return task_id

    def poll(self, task_id: str) -> dict[str, Any]:
        return self.json("GET", f"/api/v1/jobs/recordInfo?taskId={task_id}")

    def finished(self, given: dict[str, Any] | None = None, model: str = "nano-banana-pro") -> dict[str, Any]:
        task_id = self.task(given, model)
        self.clock.advance(10)
        record: dict[str, Any] = self.poll(task_id)["data"]
        return record

    def file(self, url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        answer = self.send(method, url.removeprefix(self.origin), **headers)
        return answer.status, b"".join(answer.body)


@pytest.fixture
def make_bench(catalogue: Catalogue) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(catalogue: Catalogue = catalogue, **options: Any) -> Bench:
        made.append(Bench(SandboxOptions(**options), catalogue))
        return made[-1]

    yield make
    for bench in made:
        bench.sandbox._store.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def sandbox(catalogue: Catalogue) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(task_seconds=0), catalogue=catalogue) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.headers["Authorization"] = "Bearer key"
        yield opened
