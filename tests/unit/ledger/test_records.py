"""The ledger as it is looked at, beside the connection of the jobs in the same process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kie_mcp.errors import ConfigError
from kie_mcp.ledger import Database, TaskLedger
from kie_mcp.ledger.records import Records

ROOT = Path(__file__).parents[3]
COUNT = """
import sys
from pathlib import Path
from kie_mcp.ledger import Database
database = Database(Path(sys.argv[1]))
with database.read() as connection:
    print(connection.execute("SELECT count(*) FROM tasks").fetchone()[0])
database.close()
"""


@pytest.fixture
def records(path, clock):
    records = Records(path, clock)
    yield records
    records.close()


@pytest.fixture
def seen_elsewhere(path):
    """How many tasks another process finds that opens the ledger and closes it again."""

    def count():
        command = [sys.executable, "-c", COUNT, str(path)]
        return int(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)

    return count


def begin(database, clock):
    return TaskLedger(database, clock).begin(model="z-image", prompt="a fox", request={})


def test_tasks_and_gallery_show_what_others_write(records, database, clock):
    number = begin(database, clock)
    assert [row.number for row in records.tasks.recent(limit=10)] == [number]
    assert records.gallery.page(limit=10) == []


@pytest.mark.parametrize("first", ["records", "database"])
def test_with_two_connections_in_one_process_another_that_ends_takes_nothing_away(
    path, clock, seen_elsewhere, request, first
):
    request.getfixturevalue(first)
    request.getfixturevalue("database" if first == "records" else "records")
    database = request.getfixturevalue("database")
    begin(database, clock)
    assert seen_elsewhere() == 1
    assert path.with_name(f"{path.name}-wal").exists()
    begin(database, clock)
    assert seen_elsewhere() == 2
    assert len(request.getfixturevalue("records").tasks.recent(limit=10)) == 2


def test_a_ledger_that_cannot_be_used_is_named(tmp_path, clock):
    tmp_path.joinpath("file").touch()
    with pytest.raises(ConfigError, match=r"ledger\.sqlite3 cannot be used"):
        Records(tmp_path / "file" / "ledger.sqlite3", clock)


def test_a_damaged_ledger_is_an_error_until_one_who_writes_begins_a_new_one(path, clock):
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match="is damaged"):
        Records(path, clock)
    assert path.read_bytes() == b"no database" * 1000
    Database(path, clock).close()
    Records(path, clock).close()


def test_who_looks_moves_no_ledger_away_under_one_who_writes(database, path, clock):
    with database.write() as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(ConfigError, match=r"newer kie-mcp \(schema 99\)") as caught:
        Records(path, clock)
    assert "begins a new one" in caught.value.next_step
    begin(database, clock)
    assert [file.name for file in path.parent.iterdir() if "newer" in file.name] == []
