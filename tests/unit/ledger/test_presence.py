"""Who is still there, told without asking them."""

from __future__ import annotations

import os
import sqlite3

import pytest

from kie_mcp.errors import ConfigError
from kie_mcp.ledger import Presence


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "processes"


@pytest.fixture
def enter(folder):
    """A function that enters; everybody leaves in the end."""
    entered = []

    def make():
        entered.append(Presence(folder))
        return entered[-1]

    yield make
    for presence in entered:
        presence.close()


def test_who_has_entered_is_alive_for_everybody(enter):
    one, other = enter(), enter()
    assert one.id != other.id
    assert one.is_alive(one.id)
    assert one.is_alive(other.id)
    assert other.is_alive(one.id)


def test_who_has_left_or_never_was_is_not(enter, folder):
    one, other = enter(), enter()
    other.close()
    assert not one.is_alive(other.id)
    assert not one.is_alive("0" * 32)
    assert [path.name for path in folder.iterdir()] == [f"{one.id}.alive"]


def test_a_killed_process_is_dead_at_once_and_leaves_nothing(processes, enter, folder):
    script = """
import os, sys
from pathlib import Path
from kie_mcp.ledger import Presence
presence = Presence(Path(sys.argv[1]))
print(presence.id, flush=True)
os._exit(0)
"""
    (killed,) = processes(script, 1, folder)
    presence = enter()
    assert not presence.is_alive(killed.strip())
    assert [path.name for path in folder.iterdir()] == [f"{presence.id}.alive"]


def test_what_dead_processes_have_left_is_swept_away_by_the_next(enter, folder):
    folder.mkdir(parents=True)
    (folder / "abc.alive").touch()
    (folder / "note.txt").touch()
    one = enter()
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{one.id}.alive", "note.txt"])


def test_a_file_that_was_swept_away_before_it_was_locked_counts_for_nothing(enter, folder, monkeypatch):
    connect = sqlite3.connect
    swept = []

    def sweep_first(path, **options):
        connection = connect(path, **options)
        if not swept:
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
            path.unlink()
            swept.append(path)
        return connection

    monkeypatch.setattr(sqlite3, "connect", sweep_first)
    presence = enter()
    assert swept[0].stem != presence.id
    assert presence.is_alive(presence.id)
    assert enter().is_alive(presence.id)


def test_a_folder_that_cannot_be_used_is_told_by_name(tmp_path):
    (tmp_path / "state").write_text("not a folder", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"state.* cannot be used"):
        Presence(tmp_path / "state")


def test_a_file_that_is_no_lock_is_swept_away(enter, folder):
    folder.mkdir(parents=True)
    (folder / "abc.alive").write_bytes(b"not a database, whoever put it here" * 50)
    presence = enter()
    assert not presence.is_alive("abc")
    assert [path.name for path in folder.iterdir()] == [f"{presence.id}.alive"]


def test_where_an_open_file_cannot_be_removed_it_is_removed_once_it_is_closed(enter, folder, monkeypatch):
    """As on Windows."""
    connect, opened = sqlite3.connect, []

    class Connection(sqlite3.Connection):
        def close(self):
            super().close()
            opened.remove(self)

    def open_file(path, **options):
        opened.append(connect(path, factory=Connection, **options))
        return opened[-1]

    def remove(path):
        if len(opened) > 1:
            raise PermissionError(13, "in use")
        os.unlink(path)  # noqa: PTH108 - the method of a path is what this stands in for

    one, other = enter(), enter()
    path = folder / f"{other.id}.alive"
    other._lock.rollback()
    monkeypatch.setattr(sqlite3, "connect", open_file)
    opened.append(one)
    monkeypatch.setattr(type(path), "unlink", remove)
    assert not one.is_alive(other.id)
    assert not path.exists()
    monkeypatch.undo()
