"""Going on where a note to others fails."""

from __future__ import annotations

import logging

import pytest

from kie_mcp.errors import ConfigError
from kie_mcp.jobs.tolerating import failure_logged


def test_what_fails_is_logged_with_its_message_and_the_work_goes_on(caplog):
    with failure_logged(logging.WARNING, "task %s was not noted", "task-1"):
        raise ConfigError("the disk is full")
    assert caplog.record_tuples == [("kie_mcp", logging.WARNING, "task task-1 was not noted: the disk is full")]


def test_an_error_of_the_program_itself_goes_through(caplog):
    with pytest.raises(ZeroDivisionError), failure_logged(logging.WARNING, "nothing was noted"):
        raise ZeroDivisionError
    assert not caplog.records
