"""The uploads in the ledger."""

from __future__ import annotations

import pytest

from kie_mcp.ledger import Database, UploadLedger

HOST = "https://upload.example"
URL = "https://files.example/a.png"
HOUR = 3600


@pytest.fixture
def uploads(database, clock):
    return UploadLedger(database, clock, secrets=("s3cret-word",))


def rows(database):
    with database.read() as connection:
        return [tuple(row) for row in connection.execute("SELECT sha256, host, url FROM uploads ORDER BY sha256, host")]


def test_an_upload_is_found_by_its_content_and_its_host(uploads):
    uploads.remember("aa", HOST, URL)
    assert uploads.find("aa", HOST) == URL
    assert uploads.find("bb", HOST) is None
    assert uploads.find("aa", "https://other.example") is None


def test_the_newest_link_counts(uploads):
    uploads.remember("aa", HOST, URL)
    uploads.remember("aa", HOST, URL + "?2")
    assert uploads.find("aa", HOST) == URL + "?2"


def test_a_link_counts_for_twenty_hours(uploads, clock):
    uploads.remember("aa", HOST, URL)
    clock.time += 20 * HOUR - 1
    assert uploads.find("aa", HOST) == URL
    clock.time += 1
    assert uploads.find("aa", HOST) is None


def test_a_link_from_the_future_does_not_count(uploads, clock):
    uploads.remember("aa", HOST, URL)
    clock.shift -= HOUR
    assert uploads.find("aa", HOST) is None


def test_what_no_longer_counts_is_dropped(uploads, database, clock):
    uploads.remember("aa", HOST, URL)
    clock.time += 19 * HOUR
    uploads.remember("bb", HOST, URL)
    assert len(rows(database)) == 2
    clock.time += HOUR
    uploads.remember("cc", HOST, URL)
    assert [row[0] for row in rows(database)] == ["bb", "cc"]


def test_a_dead_link_is_forgotten_unless_another_has_taken_its_place(uploads):
    uploads.remember("aa", HOST, URL)
    uploads.forget("aa", HOST, URL + "?old")
    assert uploads.find("aa", HOST) == URL
    uploads.forget("aa", HOST, URL)
    assert uploads.find("aa", HOST) is None


def test_a_link_keeps_no_secret(uploads, database):
    uploads.remember("aa", HOST, URL + "?key=s3cret-word")
    assert "s3cret-word" not in str(rows(database))
    uploads.forget("aa", HOST, URL + "?key=s3cret-word")
    assert rows(database) == []


def test_other_processes_see_it(uploads, path, clock):
    uploads.remember("aa", HOST, URL)
    other = Database(path, clock)
    assert UploadLedger(other, clock).find("aa", HOST) == URL
    other.close()
