"""The saved pictures in the ledger."""

from __future__ import annotations

import json

import pytest

from kie_mcp.ledger import SavedFile
from kie_mcp.ledger.gallery import Gallery


@pytest.fixture
def gallery(database):
    return Gallery(database)


@pytest.fixture
def keep(ledger, custody):
    """A function that makes a task with files of these paths; returns the task's number."""
    made = []

    def make(*paths):
        made.append(f"t{len(made) + 1}")
        number = ledger.begin(model="z-image", prompt="a fox", request={})
        ledger.accepted(number, made[-1])
        custody.claim(made[-1], "me")
        custody.saved(made[-1], "me", [SavedFile(path, "image/png", 10, 4, 3) for path in paths])
        return number

    return make


def paths(rows):
    return [[file.path for file in row.files] for row in rows]


def test_there_is_nothing_before_a_picture_is_saved(gallery, ledger):
    ledger.begin(model="z-image", prompt="a fox", request={})
    assert gallery.page(limit=10) == []
    assert gallery.find("/pictures/a.png") is None


def test_only_tasks_with_pictures_are_listed_and_the_newest_first(gallery, ledger, keep):
    keep("/a.png")
    ledger.begin(model="z-image", prompt="a fox", request={})
    keep("/b.png", "/c.png")
    assert paths(gallery.page(limit=10)) == [["/b.png", "/c.png"], ["/a.png"]]


def test_a_page_goes_on_where_the_last_one_ended(gallery, keep):
    numbers = [keep(f"/{name}.png") for name in "abcde"]
    assert paths(gallery.page(limit=2)) == [["/e.png"], ["/d.png"]]
    assert paths(gallery.page(limit=2, before=numbers[3])) == [["/c.png"], ["/b.png"]]
    assert paths(gallery.page(limit=2, before=numbers[1])) == [["/a.png"]]
    assert gallery.page(limit=2, before=numbers[0]) == []


def test_a_name_that_was_taken_again_is_that_of_the_newest_task_alone(gallery, keep):
    keep("/a.png", "/b.png")
    keep("/a.png")
    newest = keep("/c.png", "/a.png")
    assert paths(gallery.page(limit=10)) == [["/c.png", "/a.png"], [], ["/b.png"]]
    assert paths(gallery.page(limit=10, before=newest)) == [["/a.png"], ["/b.png"]]


def test_a_late_page_costs_no_more_than_the_first(gallery, database):
    file = {"path": "/a.png", "mime_type": "image/png", "bytes": 10, "width": 4, "height": 3}
    with database.write() as connection:
        connection.executemany(
            "INSERT INTO tasks (task_id, state, files, created_at, updated_at) VALUES (?, 'success', ?, 0, 0)",
            [(f"t{number}", json.dumps([{**file, "path": f"/{number}.png"}])) for number in range(2000)],
        )

    def cost(before):
        steps = []
        with database.read() as connection:
            connection.set_progress_handler(lambda: steps.append(0), 10)  # every ten steps of SQLite's machine
            assert len(gallery.page(limit=50, before=before)) == 50
            connection.set_progress_handler(None, 0)
        return len(steps)

    assert 0 < cost(60) <= 2 * cost(None)


@pytest.mark.parametrize(
    "written",
    ["/a.png", "/a b/ü, 狐狸 🦊.png", '/quote".png', "/back\\slash.png", "/%41.png", "/half \udc9f.png", "/\n.png"],
)
def test_a_picture_is_found_by_its_path_whatever_characters_that_has(gallery, keep, written):
    keep("/other.png", written)
    keep("/later.png")
    assert gallery.find(written) == SavedFile(written, "image/png", 10, 4, 3)


@pytest.mark.parametrize("written", ["", "/", "/a", "/a.png.png", "a.png", "/A.png", "image/png", "path", "/a%"])
def test_nothing_else_is_found(gallery, keep, written):
    keep("/a.png")
    assert gallery.find(written) is None


def test_a_path_that_only_looks_alike_in_json_is_none(gallery, keep):
    keep("/ü.png")
    assert gallery.find(json.dumps("/ü.png")[1:-1]) is None
