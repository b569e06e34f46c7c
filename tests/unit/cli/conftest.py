"""The command line in this process: a bare environment, a terminal to pretend with, and a scripted application."""

from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import sys
from types import SimpleNamespace

import pytest

from kie_mcp.cli.interruption import SIGNALS
from kie_mcp.cli.main import run
from kie_mcp.clock import Clock
from kie_mcp.errors import ConfigError
from kie_mcp.ledger import Unsaved
from kie_mcp.log import LOGGER
from kie_mcp.tools.spec import ToolResult

GENERATED = {
    "ok": True,
    "task_id": "task-1",
    "status": "success",
    "model": "nano-banana-pro",
    "output_paths": ["/pictures/fox.png"],
    "warnings": [],
}
"""What a tool says of a picture that was made, as far as the command line looks at it."""


@pytest.fixture(autouse=True)
def bare_process(monkeypatch, tmp_path):
    """No settings, an empty folder, a home of its own; signal handlers and log as they were before."""
    for name in [name for name in os.environ if name.startswith(("KIE_AI_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIE_AI_STATE_DIR", str(tmp_path / "state"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
    log = logging.getLogger(LOGGER)
    log_before = (list(log.handlers), log.level, log.propagate)
    yield work
    for signum, handler in handlers.items():
        signal.signal(signum, handler)
    for handler in set(log.handlers) - set(log_before[0]):
        handler.close()
    log.handlers, log.level, log.propagate = log_before


class FakeLedger:
    """The rows that a test puts there."""

    def __init__(self):
        self.rows = []
        self.submitting = []
        self.others = 0
        self.broken = False

    def unsaved(self):
        if self.broken:
            raise ConfigError("The ledger is broken.", next_step="Mend it.")
        return Unsaved(tuple(self.rows), self.others)

    def is_mine(self, row):
        return row.owner == "this process"

    def is_submitting(self):
        if self.broken:
            raise ConfigError("The ledger is broken.", next_step="Mend it.")
        return bool(self.submitting)


class FakeApplication:
    """Answers calls from a script: results, errors to raise, or functions of the arguments and the context."""

    def __init__(self, *script, has_sandbox=False, secrets=()):
        self.script = list(script)
        self.calls = []
        self.closed = 0
        self.has_sandbox = has_sandbox
        self.ledger = FakeLedger()
        recovery = SimpleNamespace(take_over=list)
        jobs = SimpleNamespace(ledger=self.ledger, custody=self.ledger, recovery=recovery)
        self.services = SimpleNamespace(jobs=jobs)
        self.built_with = {}
        self._secrets = secrets

    def build(self, **given):
        self.built_with = given
        return self

    def call(self, tool, arguments, context):
        self.calls.append((tool.name, arguments))
        answer = self.script.pop(0)
        if callable(answer):
            answer = answer(arguments, context)
        if isinstance(answer, Exception):
            raise answer
        return ToolResult(answer)

    def secrets(self):
        return self._secrets

    def close(self):
        self.closed += 1


@pytest.fixture
def application():
    """Make a scripted application."""
    return FakeApplication


@pytest.fixture
def generated():
    """The answer of a tool that has made a picture, with changes."""
    return lambda **changes: {**GENERATED, **changes}


@pytest.fixture
def row():
    """A row of the ledger."""
    return lambda task_id, owner="this process": SimpleNamespace(task_id=task_id, owner=owner)


class StandingClock(Clock):
    """Wall-clock time 5.0, whatever happens; other times are real."""

    def now(self):
        return 5.0


class Finished:
    """How a command line ended."""

    def __init__(self, code, out, err, left_with):
        self.code = code
        self.out = out
        self.err = err
        self.left_with = left_with


@pytest.fixture
def command(capsys):
    """Run a command line, with a scripted application or the real one."""

    def start(*argv, application=None):
        left = []
        build = application.build if application else None
        code = run(list(argv), build=build, clock=StandingClock(), leave=left.append)
        out, err = capsys.readouterr()
        return Finished(code, out, err, left)

    return start


class Screen(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def shown(self):
        """What is on the screen in the end: one string for each line."""
        rows = []
        for line in self.getvalue().split("\n"):
            row: list[str] = []
            for part in line.split("\r"):
                row[: len(part)] = part
            rows.append("".join(row).rstrip())
        return rows


@pytest.fixture
def terminal(monkeypatch):
    """Put a screen of so many columns in the place of stdout or stderr."""

    def put(*names, columns=80):
        monkeypatch.setattr(shutil, "get_terminal_size", lambda fallback=None: os.terminal_size((columns, 24)))
        screen = Screen()
        for name in names:
            monkeypatch.setattr(sys, name, screen)
        return screen

    return put
