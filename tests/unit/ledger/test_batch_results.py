"""The results of batches, kept to be read page by page."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3

import pytest

from kie_mcp.errors import ConfigError
from kie_mcp.ledger import Database
from kie_mcp.ledger.batch_results import KEPT_SECONDS, BatchResults

SECRET = "s3cret-word"


@pytest.fixture
def results(database, clock):
    numbers = itertools.count()
    return BatchResults(database, clock, lambda: f"b{next(numbers)}", secrets=(SECRET,))


def entries(count, **more):
    return [{"index": number, "ok": True, **more} for number in range(count)]


def rows(database):
    with database.read() as connection:
        return connection.execute("SELECT count(*) FROM batch_results").fetchone()[0]


def test_entries_come_back_as_they_were_from_any_place_on(results):
    stored = [
        {"index": 0, "ok": True, "output_paths": ["/ü/狐.png"], "result": {"a": [1.5, None, "\ud800"]}},
        {"index": 1, "ok": False, "error": {"category": "input", "message": "no"}},
        {"index": 2, "ok": True},
    ]
    batch = results.store(stored)
    assert list(results.entries(batch, 0)) == stored
    assert list(results.entries(batch, 2)) == stored[2:]
    assert list(results.entries(batch, 3)) == []


def test_a_batch_may_be_kept_from_an_item_on(results):
    batch = results.store(entries(5)[2:], first=2)
    assert list(results.entries(batch, 2)) == entries(5)[2:]
    assert list(results.entries(batch, 0)) == []


def test_without_patience_nobody_is_waited_for(results, path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigError, match="locked"):
            results.store(entries(1), patience=0)
        other.execute("ROLLBACK")
    assert results.store(entries(1), patience=0)


def test_batches_are_told_apart(results):
    first, second = results.store(entries(2, of="first")), results.store(entries(3, of="second"))
    assert first != second
    assert list(results.entries(first, 0)) == entries(2, of="first")
    assert list(results.entries(second, 0)) == entries(3, of="second")
    assert list(results.entries("another", 0)) == []


def test_entries_are_read_one_by_one(results, database):
    reading = results.entries(results.store(entries(3)), 0)
    assert next(reading)["index"] == 0
    with database.write() as connection:
        connection.execute("DELETE FROM batch_results WHERE item > 1")
    assert [entry["index"] for entry in reading] == [1]


def test_they_are_kept_for_thirty_days(results, database, clock):
    old = results.store(entries(2))
    clock.time += KEPT_SECONDS - 1
    young = results.store(entries(3))
    assert len(list(results.entries(old, 0))) == 2
    clock.time += 1
    results.store(entries(1))
    assert list(results.entries(old, 0)) == []
    assert len(list(results.entries(young, 0))) == 3
    assert rows(database) == 4


def test_no_secret_is_stored(results, path):
    batch = results.store([{"index": 0, "ok": True, "body": {SECRET: [f"the key {SECRET}"]}}])
    assert list(results.entries(batch, 0)) == [{"index": 0, "ok": True, "body": {"[redacted]": ["the key [redacted]"]}}]
    assert not any(SECRET.encode() in file.read_bytes() for file in path.parent.iterdir())


def test_what_is_no_json_leaves_nothing_behind(results, database):
    with pytest.raises(TypeError):
        results.store([{"index": 0}, {"index": object()}])
    assert rows(database) == 0


def test_a_ledger_that_cannot_be_written_is_told(results, database):
    with database.write() as connection:
        connection.execute("DROP TABLE batch_results")
    with pytest.raises(ConfigError):
        results.store(entries(1))


def test_other_processes_see_them(results, path, clock):
    batch = results.store(entries(2))
    other = Database(path, clock)
    assert list(BatchResults(other, clock, str).entries(batch, 1)) == entries(2)[1:]
    other.close()
