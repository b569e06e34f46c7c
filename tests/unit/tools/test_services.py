"""Each part is made when it is first needed, and only once."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest

from kie_mcp.catalogue import Catalogue
from kie_mcp.errors import ConfigError
from kie_mcp.services import Services


def test_nothing_is_made_before_it_is_needed(tools):
    assert tools.loaded == 0
    tools.services.close()
    assert tools.loaded == 0


def test_each_part_is_made_once(tools):
    services = tools.services
    assert services.config is services.config
    assert services.catalogue is services.catalogue
    assert services.jobs is services.jobs
    assert tools.loaded == 1


def test_settings_that_could_not_be_used_are_read_again_at_the_next_call(tools):
    right = tools.config
    tools.config = ConfigError("KIE_AI_TIMEOUT_SECONDS is 'soon'.")
    with pytest.raises(ConfigError):
        _ = tools.services.config
    tools.config = right
    assert tools.services.config is right


def test_the_models_can_be_read_anew_and_what_was_built_with_them(tools):
    models, jobs = tools.services.catalogue, tools.services.jobs
    tools.catalogue = Catalogue.load()
    assert tools.services.catalogue is models
    tools.services.reload_catalogue()
    assert tools.services.catalogue is tools.catalogue
    assert tools.services.jobs is not jobs


def test_after_closing_the_ledger_is_opened_anew(tools):
    first = tools.services.jobs
    tools.services.close()
    assert tools.services.jobs is not first


def test_records_are_looked_at_without_jobs(clock, album, services):
    path, config = album.save("fox.png"), services.config

    def never(*_):
        raise AssertionError

    looking = Services(clock=clock, load_config=lambda: config, load_catalogue=never, build_jobs=never)
    assert looking.has_ledger()
    assert looking.records.tasks.find("task-1").files == (looking.records.gallery.find(str(path)),)
    assert looking.records is looking.records
    looking.close()


def test_records_show_what_jobs_have_just_written(services, album):
    records = services.records
    album.save("fox.png")
    assert [row.task_id for row in records.gallery.page(limit=10)] == ["task-1"]


def test_who_writes_keeps_nobody_from_looking(services, album):
    album.save("fox.png")
    with services.jobs.database.write() as connection:
        connection.execute("UPDATE tasks SET prompt = 'another'")
        assert services.records.tasks.find("task-1").prompt == "a fox"


def test_records_are_closed_with_the_rest_and_opened_anew(services, album):
    album.save("fox.png")
    first = services.records
    services.reload_catalogue()
    assert services.records is first
    services.close()
    with pytest.raises(sqlite3.ProgrammingError):
        first.tasks.find("task-1")
    assert services.records.tasks.find("task-1")


def test_looking_for_a_ledger_makes_none(services):
    assert not services.has_ledger()
    assert not services.config.state_path.exists()


def unable(number):
    def look(*_, **__):
        raise OSError(number, os.strerror(number))

    return look


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EIO])
def test_where_nobody_may_look_there_is_no_ledger(services, monkeypatch, number):
    _ = services.jobs
    assert services.has_ledger()
    monkeypatch.setattr(os, "stat", unable(number))
    assert not services.has_ledger()


def test_tasks_are_not_looked_for_where_nobody_may_look(services, monkeypatch, caplog):
    monkeypatch.setattr(services, "has_ledger", lambda: False)
    services._look_after_tasks()
    assert caplog.messages == []
    assert services._jobs is None


def test_has_ledger_says_which_setting_is_wrong(tools):
    tools.config = ConfigError("KIE_AI_TIMEOUT_SECONDS is 'soon'.")
    with pytest.raises(ConfigError, match="soon"):
        tools.services.has_ledger()
