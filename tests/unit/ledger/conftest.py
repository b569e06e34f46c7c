"""A database in a folder of its own, and other processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kie_mcp.ledger import Custody, Database, Presence, TaskLedger
from kie_mcp.ledger.documents import SqliteDocuments

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture
def database(path, clock):
    database = Database(path, clock)
    yield database
    database.close()


@pytest.fixture
def ledger(database, clock):
    return TaskLedger(database, clock, secrets=("s3cret-word",))


@pytest.fixture
def custody(database, clock, path):
    presence = Presence(path.parent / "processes")
    yield Custody(database, clock, presence, "here")
    presence.close()


@pytest.fixture
def file(tmp_path):
    """The file of the documents that processes share."""
    return tmp_path / "state" / "window.sqlite3"


@pytest.fixture
def documents(file, clock):
    documents = SqliteDocuments(file, clock)
    yield documents
    documents.close()


@pytest.fixture
def processes():
    """A function that runs one script in several processes at once and returns what each printed."""

    def run(script, count, *arguments):
        command = [sys.executable, "-c", script, *map(str, arguments)]
        started = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(count)
        ]
        outputs = [process.communicate(timeout=60) for process in started]
        assert [(process.returncode, errors) for process, (_, errors) in zip(started, outputs, strict=True)] == [
            (0, "")
        ] * count
        return [output for output, _ in outputs]

    return run
