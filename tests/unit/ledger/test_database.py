"""The database file: several processes, damage, errors."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading

import pytest

from kie_mcp.errors import ConfigError
from kie_mcp.ledger import Database
from kie_mcp.ledger.schema import MIGRATIONS

INSERT = "INSERT INTO tasks (state, created_at, updated_at) VALUES ('waiting', 1, 1)"


def count(database):
    with database.read() as connection:
        return connection.execute("SELECT count(*) FROM tasks").fetchone()[0]


def test_the_folder_and_the_file_are_for_this_user_only(database, path):
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    assert database.notice is None


def test_what_is_written_is_there_after_opening_again(database, path):
    with database.write() as connection:
        connection.execute(INSERT)
    database.close()
    again = Database(path)
    assert count(again) == 1
    assert again.notice is None
    again.close()


def test_the_file_is_safe_against_a_loss_of_power(database):
    with database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 30_000


def test_a_block_that_raises_is_undone(database):
    def interrupted():
        with database.write() as connection:
            connection.execute(INSERT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert count(database) == 0


def test_threads_take_turns(database):
    def insert():
        for _ in range(20):
            with database.write() as connection:
                connection.execute(INSERT)

    threads = [threading.Thread(target=insert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert count(database) == 160


def test_whoever_has_little_patience_gives_up_and_the_next_has_as_much_as_ever(database, path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigError, match="database is locked"), database.write(patience=0.01):
            pytest.fail("another connection was writing")
        other.execute("ROLLBACK")
    with database.write(patience=0.01) as connection:
        connection.execute(INSERT)
    assert count(database) == 1
    with database.read() as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 30_000


@pytest.mark.parametrize("fails", [False, True])
def test_after_a_write_with_little_patience_other_threads_have_their_turn(database, fails):
    with contextlib.suppress(ValueError), database.write(patience=0.01) as connection:
        connection.execute(INSERT)
        if fails:
            raise ValueError
    assert in_a_thread(lambda: count(database)) == (0 if fails else 1)


def test_a_connection_that_is_no_more_leaves_nobody_waiting(path):
    database = Database(path)
    database.close()
    with pytest.raises(sqlite3.ProgrammingError), database.write(patience=0.01):
        pytest.fail("it is closed")
    assert in_a_thread(database.close) is None


def test_a_connection_keeps_little_of_the_file_in_memory(database):
    with database.read() as connection:
        assert connection.execute("PRAGMA cache_size").fetchone()[0] == -256


def in_a_thread(work):
    """What it gives there; the thread has to end."""
    given = []
    thread = threading.Thread(target=lambda: given.append(work()), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    return given[0]


def test_threads_that_write_are_waited_for_no_longer_than_others(database):
    refused = []

    def insert():
        try:
            with database.write(patience=0.01) as connection:
                connection.execute(INSERT)
        except ConfigError as error:
            refused.append(error.message)

    with database.write():
        in_a_thread(insert)
    assert len(refused) == 1
    assert "another thread is writing" in refused[0]
    assert count(database) == 0


def test_processes_open_and_write_at_the_same_time(processes, path):
    script = f"""
import sys
from pathlib import Path
from kie_mcp.ledger import Database
from kie_mcp.ledger.schema import MIGRATIONS
for _ in range(5):
    database = Database(Path(sys.argv[1]))
    assert database.notice is None
    with database.write() as connection:
        connection.execute({INSERT!r})
    database.close()
"""
    processes(script, 6, path)
    database = Database(path)
    assert count(database) == 30
    database.close()


def test_processes_that_find_a_damaged_file_set_it_aside_once(processes, path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 100)
    script = f"""
import logging, sys
from pathlib import Path
from kie_mcp.ledger import Database
from kie_mcp.ledger.schema import MIGRATIONS
logging.disable()
database = Database(Path(sys.argv[1]))
with database.write() as connection:
    connection.execute({INSERT!r})
print(database.notice is not None)
database.close()
"""
    assert sorted(processes(script, 5, path)) == ["False\n"] * 4 + ["True\n"]
    database = Database(path)
    assert count(database) == 5
    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    database.close()


@pytest.fixture
def logged(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    return caplog


def test_a_damaged_file_is_kept_and_a_new_one_begun(path, clock, logged):
    path.parent.mkdir()
    for text in (b"first damage" * 100, b"second damage" * 100):
        path.write_bytes(text)
        database = Database(path, clock)
        assert "is damaged" in database.notice
        assert database.notice in [record.message for record in logged.records]
        assert count(database) == 0
        database.close()
    kept = sorted(path.parent.glob("ledger.sqlite3.damaged-*"))
    assert [file.read_bytes()[:6] for file in kept] == [b"first ", b"second"]


def test_a_file_with_damaged_pages_is_found_out(path, clock):
    database = Database(path, clock)
    with database.write() as connection:
        for _ in range(2000):
            connection.execute(INSERT)
    database.close()
    data = bytearray(path.read_bytes())
    data[8192 : len(data) - 4096] = b"\x5a" * (len(data) - 12288)
    path.write_bytes(bytes(data))
    again = Database(path, clock)
    assert "is damaged" in again.notice
    assert count(again) == 0
    again.close()


def test_a_file_of_a_newer_version_is_kept_with_its_parts(path, clock):
    newer = Database(path, clock)
    with newer.read() as connection:
        connection.execute(INSERT)
        connection.execute("PRAGMA user_version=99")
    database = Database(path, clock)
    assert "newer kie-mcp (schema 99)" in database.notice
    assert count(database) == 0
    kept = [file for file in path.parent.glob("*.newer-*") if not file.name.endswith(("-wal", "-shm"))]
    assert len(kept) == 1
    assert kept[0].with_name(kept[0].name + "-wal").exists()
    newer.close()
    database.close()
    saved = sqlite3.connect(kept[0])
    assert saved.execute("SELECT count(*) FROM tasks").fetchone() == (1,)
    saved.close()


def test_a_step_of_the_schema_that_fails_leaves_the_file_as_it_was(path, clock):
    path.parent.mkdir()
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE pause (something)")
    foreign.close()
    with pytest.raises(ConfigError, match="already exists"):
        Database(path, clock)
    foreign = sqlite3.connect(path)
    assert foreign.execute("SELECT name FROM sqlite_master").fetchall() == [("pause",)]
    foreign.close()


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_setting(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as caught:
        Database(tmp_path / "file" / "state" / "ledger.sqlite3")
    assert str(tmp_path / "file") in caught.value.message
    assert "KIE_AI_STATE_DIR" in caught.value.next_step


def test_a_folder_in_the_place_of_the_file_is_an_error_that_names_the_setting(path):
    path.mkdir(parents=True)
    with pytest.raises(ConfigError):
        Database(path)


def test_a_file_that_cannot_be_opened_is_not_set_aside(path, monkeypatch):
    real = sqlite3.connect

    def refuse(database, **options):
        if database == path:
            return real(path.parent / "missing" / "file", **options)
        return real(database, **options)

    monkeypatch.setattr(sqlite3, "connect", refuse)
    with pytest.raises(ConfigError, match="unable to open"):
        Database(path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.sqlite3", "ledger.sqlite3.lock"]


def test_a_full_disk_is_an_error_that_names_the_setting(database):
    with database.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    def fill():
        with database.write() as connection:
            for _ in range(5000):
                connection.execute(INSERT)

    with pytest.raises(ConfigError, match="full") as caught:
        fill()
    assert "KIE_AI_STATE_DIR" in caught.value.next_step
    assert count(database) == 0


def test_a_mistake_of_the_program_stays_what_it_is(database):
    with pytest.raises(sqlite3.IntegrityError), database.write() as connection:
        connection.execute("INSERT INTO tasks (state) VALUES (NULL)")


def test_a_file_of_the_first_version_keeps_its_tasks(path, clock):
    path.parent.mkdir()
    old = sqlite3.connect(path)
    for statement in MIGRATIONS[0]:
        old.execute(statement)
    old.execute(INSERT)
    old.execute("PRAGMA user_version=1")
    old.commit()
    old.close()
    database = Database(path, clock)
    with database.read() as connection:
        assert connection.execute("SELECT result FROM tasks").fetchone()["result"] is None
        assert connection.execute("SELECT count(*) FROM uploads").fetchone()[0] == 0
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert (database.notice, count(database)) == (None, 1)
    database.close()
