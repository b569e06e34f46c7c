"""Documents that processes share: in SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from kie_mcp.config import Config
from kie_mcp.errors import ConfigError
from kie_mcp.ledger.documents import SqliteDocuments, apply, open_documents
from kie_mcp.values import redis_url


def count(document, _now):
    document["count"] = document.get("count", 0) + 1
    return document["count"]


def test_a_document_is_empty_at_first_and_keeps_what_a_step_puts_into_it(documents):
    assert documents.change("a", lambda document, _now: dict(document)) == {}
    assert [documents.change("a", count) for _ in range(3)] == [1, 2, 3]
    assert documents.change("b", count) == 1


def test_a_step_is_told_the_time_of_the_monotonic_clock(documents, clock):
    clock.time = 7.0
    assert documents.change("a", lambda _document, now: now) == 7.0


def test_another_object_on_the_same_file_sees_the_same_documents(documents, file, clock):
    documents.change("a", count)
    other = SqliteDocuments(file, clock)
    assert other.change("a", count) == 2
    other.close()


def test_a_step_that_raises_changes_nothing(documents):
    def fail(document, _now):
        document["count"] = 99
        raise KeyError

    documents.change("a", count)
    with pytest.raises(KeyError):
        documents.change("a", fail)
    assert documents.change("a", count) == 2


def test_what_is_not_changed_is_not_written():
    assert apply(lambda _document, _now: 7, '{"a":1}', 0.0) == (7, None)
    assert apply(lambda document, _now: document.setdefault("b", []), None, 0.0) == ([], '{"b":[]}')


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", b"\xff\xfe", "null"])
def test_a_text_that_is_no_document_counts_as_an_empty_one(text):
    assert apply(lambda document, _now: dict(document), text, 0.0) == ({}, None)


def test_processes_change_a_document_one_at_a_time(processes, documents, file):
    script = """
import sys
from pathlib import Path
from kie_mcp.clock import Clock
from kie_mcp.ledger.documents import SqliteDocuments
documents = SqliteDocuments(Path(sys.argv[1]), Clock())
for _ in range(200):
    documents.change("a", lambda document, now: document.update(count=document.get("count", 0) + 1))
documents.close()
"""
    processes(script, 3, file)
    assert documents.change("a", count) == 601


def test_nothing_is_forced_to_the_disk_and_nobody_waits_long_for_a_writer(documents, file):
    assert file.stat().st_mode & 0o777 == 0o600
    with documents._database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 0
        assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 500


def test_a_file_that_stays_busy_is_an_error_soon(documents, file):
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigError, match="locked"):
            documents.change("a", count)
        other.execute("ROLLBACK")
    assert documents.worked
    assert documents.change("a", count) == 1


def test_a_damaged_file_is_set_aside(file, clock):
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 100)
    documents = SqliteDocuments(file, clock)
    assert documents.change("a", count) == 1
    documents.close()
    assert len(list(file.parent.glob("window.sqlite3.damaged-*"))) == 1


def test_a_file_that_cannot_be_used_any_more_is_an_error_that_names_it(documents, file, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("kie_mcp.ledger.documents.apply", full)
    with pytest.raises(ConfigError, match=r"rate window .*window\.sqlite3 cannot be used: database or disk is full"):
        documents.change("a", count)


def test_the_documents_are_in_the_state_folder_where_no_url_is_set(tmp_path, clock):
    documents = open_documents(Config(state_dir=tmp_path), clock)
    documents.change("a", count)
    documents.close()
    with sqlite3.connect(tmp_path / "window.sqlite3") as connection:
        assert [json.loads(text) for (text,) in connection.execute("SELECT text FROM documents")] == [{"count": 1}]
    connection.close()


def test_the_documents_are_where_the_url_points(tmp_path, clock):
    config = Config(state_dir=tmp_path, rate_limit_url=redis_url("redis://127.0.0.1:1/0"))
    documents = open_documents(config, clock)
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1"):
        documents.change("a", count)
    documents.close()
    assert not list(tmp_path.iterdir())
