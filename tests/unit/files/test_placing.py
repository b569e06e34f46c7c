"""Naming a picture once, wherever the process is killed: each stage is left as a kill leaves it, then finished."""

from __future__ import annotations

import errno
import os
from dataclasses import replace

import pytest

from kie_mcp.errors import ConfigError, OutputError
from kie_mcp.files import Placing, SavedPicture, Target, finish_placing, save_picture

DATA = b"a whole picture"


@pytest.fixture
def placing(tmp_path):
    """A whole part in its folder, and the name that it was to get."""
    part = tmp_path / ".kie-mcp-1.part"
    part.write_bytes(DATA)
    return Placing(part, "fox", SavedPicture(tmp_path / "fox.png", "image/png", len(DATA), 4, 3))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_step_is_noted_before_it_is_made(picture, journal, tmp_path):
    seen = []
    journal.on["begun"] = lambda part: seen.append(part.exists())
    journal.on["placing"] = lambda placing: seen.append((placing.part.exists(), placing.picture.path.exists()))
    journal.on["placed"] = lambda saved: seen.append(saved.path.exists())
    saved = save_picture(Target(tmp_path), [picture()], stem="fox", max_bytes=9999, journal=journal)
    assert journal.names == ["begun", "placing", "placed"]
    assert seen == [False, (True, False), True]
    assert saved.path == tmp_path / "fox.png"


def test_a_name_that_is_taken_is_not_even_tried(picture, journal, tmp_path):
    (tmp_path / "fox.png").touch()
    save_picture(Target(tmp_path), [picture()], stem="fox", max_bytes=9999, journal=journal)
    assert [what.picture.path.name for step, what in journal.steps if step == "placing"] == ["fox-2.png"]


def test_a_name_that_is_taken_at_the_last_moment_is_left_alone(picture, journal, tmp_path):
    journal.on["placing"] = lambda placing: (tmp_path / "fox.png").write_bytes(b"theirs")
    saved = save_picture(Target(tmp_path), [picture()], stem="fox", max_bytes=9999, journal=journal)
    assert saved.path.name == "fox-2.png"
    assert (tmp_path / "fox.png").read_bytes() == b"theirs"
    assert names(tmp_path) == ["fox-2.png", "fox.png"]


def test_a_note_that_cannot_be_taken_ends_it_without_a_file(picture, journal, tmp_path):
    def fail(_):
        raise ConfigError("the ledger is full")

    journal.on["placing"] = fail
    with pytest.raises(ConfigError):
        save_picture(Target(tmp_path), [picture()], stem="fox", max_bytes=9999, journal=journal)
    assert names(tmp_path) == []


def test_a_whole_part_gets_its_name(placing, journal, tmp_path):
    assert finish_placing(placing, journal) == placing.picture
    assert names(tmp_path) == ["fox.png"]
    assert journal.names == ["placing", "placed"]
    assert placing.picture.path.read_bytes() == DATA


def test_a_whole_part_whose_name_was_taken_meanwhile_gets_another(placing, journal, tmp_path):
    (tmp_path / "fox.png").write_bytes(b"theirs, of another size")
    finished = finish_placing(placing, journal)
    assert finished.path == tmp_path / "fox-2.png"
    assert names(tmp_path) == ["fox-2.png", "fox.png"]


def test_a_file_that_has_its_name_already_is_only_noted(placing, journal, tmp_path):
    os.link(placing.part, placing.picture.path)
    assert finish_placing(placing, journal) == placing.picture
    assert names(tmp_path) == ["fox.png"]
    assert journal.steps == [("placed", placing.picture)]


def test_a_file_that_was_moved_to_its_name_is_only_noted(placing, journal, tmp_path):
    placing.part.replace(placing.picture.path)
    assert finish_placing(placing, journal) == placing.picture
    assert names(tmp_path) == ["fox.png"]
    assert journal.names == ["placed"]


def test_a_name_that_was_taken_but_not_filled_is_filled(placing, journal, tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    placing.picture.path.touch()
    assert finish_placing(placing, journal) == placing.picture
    assert names(tmp_path) == ["fox.png"]
    assert placing.picture.path.read_bytes() == DATA


def test_a_part_that_is_not_what_was_noted_is_removed(placing, journal, tmp_path):
    assert finish_placing(replace(placing, picture=replace(placing.picture, bytes=99)), journal) is None
    assert names(tmp_path) == []
    assert journal.steps == []


def test_where_nothing_is_left_there_is_no_picture(placing, journal, tmp_path):
    placing.part.unlink()
    assert finish_placing(placing, journal) is None
    (tmp_path / "fox.png").write_bytes(b"theirs, of another size")
    assert finish_placing(placing, journal) is None
    assert names(tmp_path) == ["fox.png"]


def test_a_part_that_somebody_else_has_placed_gets_no_second_name(picture, journal, tmp_path):
    """The one who was taken for dead wakes up: its part is gone, and its picture is saved already."""

    def other(placing):
        journal.on.clear()
        finish_placing(placing, journal)

    journal.on["placing"] = other
    with pytest.raises(OutputError, match="no such file"):
        save_picture(Target(tmp_path), [picture()], stem="fox", max_bytes=9999, journal=journal)
    assert names(tmp_path) == ["fox.png"]


def test_killed_after_any_step_a_picture_ends_up_with_one_name(picture, journal, tmp_path):
    class Killed(BaseException):
        """Nothing more is done, not even tidying up."""

    def kill(_):
        raise Killed

    data = picture()
    for stage in ("placing", "placed"):
        folder = tmp_path / stage
        folder.mkdir()
        journal.steps.clear()
        journal.on = {stage: lambda what: (keep(what), kill(what))}
        kept = {}

        def keep(what, kept=kept, folder=folder):
            kept.update({path: path.read_bytes() for path in folder.iterdir()})

        with pytest.raises(Killed):
            save_picture(Target(folder), [data], stem="fox", max_bytes=9999, journal=journal)
        last = next(what for step, what in reversed(journal.steps) if step == "placing")
        restore(kept, folder)
        journal.on = {}
        assert finish_placing(last, journal).path == folder / "fox.png"
        assert names(folder) == ["fox.png"]
        assert (folder / "fox.png").read_bytes() == data


def restore(kept, folder):
    """The folder as it was, a file with two names being one file."""
    for path in folder.iterdir():
        path.unlink()
    first = None
    for path, data in sorted(kept.items()):
        if first is not None:
            os.link(first, path)
        else:
            path.write_bytes(data)
            first = path
