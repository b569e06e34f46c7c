"""What is left of a run: the ledger, the files and the stand-in's books, held against one another."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing

import requests

from kie_mcp.files.sniff import HEAD_BYTES, sniff
from kie_mcp.files.whole import is_whole

SETTLED = frozenset({"success", "fail", "refused", "unknown_outcome"})
WITHOUT_ID = frozenset({"refused", "unknown_outcome"})


def rows_of(stage):
    """The rows of the ledger as they are on disk; none where there is no ledger yet."""
    path = stage.folder / "state" / "ledger-sandbox.sqlite3"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").fetchone():
            return []
        return [dict(row) for row in connection.execute("SELECT * FROM tasks ORDER BY number")]


def unsettled(stage):
    """How many rows still wait for something: a state that goes on, or a success without all of its files."""
    return sum(row["state"] not in SETTLED or _lacks_files(row) for row in rows_of(stage))


def _lacks_files(row):
    return row["state"] == "success" and len(json.loads(row["files"])) < len(json.loads(row["image_urls"]))


class Evidence:
    """Looked at once everything has come to its end."""

    def __init__(self, stage, heard, *, altered=(), living=0):
        """``heard`` are the task ids that the processes have told.

        Of the prompts in ``altered`` a fault has changed the picture itself: it is somehow whole, no more. So many
        processes are ``living`` still.
        """
        self._living = living
        self._altered = frozenset(altered)
        self._stage = stage
        self.stats = stage.stats()
        self.rows = rows_of(stage)
        self.files = stage.files()
        self.received = heard | {row["task_id"] for row in self.rows if row["task_id"]}
        self.made = {task["taskId"]: task["prompt"] for task in self.stats["tasks"]}
        self.hashes = Counter(_hash(path.read_bytes()) for path in self.files)

    @property
    def creates(self):
        return self.stats["requests"].get("POST /api/v1/jobs/createTask", 0)

    @property
    def unknown(self):
        return sum(row["state"] == "unknown_outcome" for row in self.rows)

    @property
    def duplicates(self):
        return sum(self.hashes.values()) - len(self.hashes)

    @property
    def leftovers(self):
        """Files that no row of the ledger names, and in the state folder more marks of processes than there are."""
        named = {file["path"] for row in self.rows for file in json.loads(row["files"])}
        strays = [path for path in self.files if str(path) not in named]
        marks = sorted((self._stage.folder / "state" / "processes").glob("*"))
        return [*strays, *(marks if len(marks) > self._living else [])]

    def problems(self):
        """Everything that does not hold, in words."""
        return [*self._tasks(), *self._pictures(), *self._ledger(), *self._database(), *self._key()]

    def _tasks(self):
        if strange := self.received - set(self.made):
            yield f"task ids that were never given: {sorted(strange)}"
        if len(self.made) != len(set(self.made.values())):
            yield "a prompt was billed twice"
        if repeated := self._stage.witness.wrongly_repeated():
            yield f"createTask was repeated after an answer that does not allow it: {repeated}"
        lost = {row["prompt"] for row in self.rows if row["state"] == "unknown_outcome"}
        for task_id, prompt in self.made.items():
            if task_id not in self.received and prompt not in lost:
                yield f"task {task_id} was made, and the ledger has neither its id nor an unknown outcome"
        if self.stats["authorized_downloads"]:
            yield "a download carried the key"

    def _pictures(self):
        wanted = {_hash(self._served(name)): name for name in self._names()}
        for digest, name in wanted.items():
            if self.hashes[digest] != 1:
                yield f"{name} is on disk {self.hashes[digest]} times"
        altered = {
            file["path"] for row in self.rows if row["prompt"] in self._altered for file in json.loads(row["files"])
        }
        for path in self.files:
            if path.is_symlink() or not _whole(path):
                yield f"{path.name} is no whole picture ({path.stat().st_size} bytes)"
            elif _hash(path.read_bytes()) not in wanted and str(path) not in altered:
                yield f"{path.name} is nobody's picture"
        for path in self.leftovers:
            yield f"left over: {path.name}"

    def _names(self):
        """The result files of the tasks whose ids were received and which have not failed."""
        for task_id in sorted(self.received & set(self.made)):
            task = self._stage.sandbox._state.task(task_id)
            if task.failure is None and task.prompt not in self._altered:
                yield from task.file_names

    def _served(self, name):
        return requests.get(f"{self._stage.sandbox.upload_base_url}/files/{name}", timeout=30).content

    def _ledger(self):
        if double := [prompt for prompt, count in Counter(row["prompt"] for row in self.rows).items() if count > 1]:
            yield f"several rows for one prompt: {double}"
        for row in self.rows:
            yield from _misfits(row)
            if row["state"] == "refused" and row["prompt"] in self.made.values():
                yield f"row {row['number']} says refused, but a task was made"

    def _database(self):
        for path in sorted((self._stage.folder / "state").glob("*.sqlite3")):
            with closing(sqlite3.connect(path)) as connection:
                (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                yield f"{path.name}: {verdict}"
        for path in (self._stage.folder / "state").iterdir():
            if ".damaged-" in path.name or ".newer-" in path.name:
                yield f"a database was set aside: {path.name}"

    def _key(self):
        for place in self._stage.key_places():
            yield f"the key stands in {place}"


def _misfits(row):
    """What does not fit together in a row after everything was collected."""
    number, state = row["number"], row["state"]
    files, urls = json.loads(row["files"]), json.loads(row["image_urls"])
    if state not in SETTLED:
        yield f"row {number} is still {state}"
    if (state in WITHOUT_ID) != (row["task_id"] is None):
        yield f"row {number} is {state} with the id {row['task_id']}"
    if state == "success" and (not urls or len(files) != len(urls)):
        yield f"row {number} has {len(files)} files for {len(urls)} pictures"
    if row["saving"] is not None:
        yield f"row {number} still notes a file that is being saved: {row['saving']}"


def _hash(data):
    return hashlib.sha256(data).hexdigest()


def _whole(path):
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
        return kind is not None and is_whole(file, kind)
