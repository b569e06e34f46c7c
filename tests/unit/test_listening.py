"""Whoever listens hears the log from a level on: everything, or what is logged for one request."""

from __future__ import annotations

import contextvars
import logging
import threading

import pytest

from kie_mcp import log
from kie_mcp.listening import _LEVELS, Listeners
from kie_mcp.protocol.logs import LEVELS


@pytest.fixture
def listeners():
    logger, level, propagate, handlers = log.logger(), log.logger().level, log.logger().propagate, log.logger().handlers
    logger.handlers = []  # not even those that a test runner puts there
    yield Listeners()
    logger.handlers = handlers
    logger.propagate = propagate
    logger.setLevel(level)


@pytest.fixture
def heard():
    return []


def test_everything_of_a_level_and_above_is_heard(listeners, heard):
    listeners.hear("warning", lambda *told: heard.append(told))
    log.logger().info("attempt %d failed", 1)
    log.logger().warning("a poll of task %s failed", "t-1")
    log.logger().critical("the end")
    assert heard == [("warning", "a poll of task t-1 failed"), ("critical", "the end")]


@pytest.mark.parametrize("level", ["notice", "alert", "emergency"])
def test_levels_that_python_does_not_have_lie_in_between(listeners, heard, level):
    listeners.hear(level, lambda *told: heard.append(told))
    log.logger().info("attempt 1 failed")
    log.logger().log(logging.CRITICAL + 20, "the end")
    assert heard == [("emergency", "the end")]


def test_who_listens_last_is_told_in_the_place_of_the_first(listeners, heard):
    listeners.hear("debug", lambda *told: heard.append(("first", *told)))
    listeners.hear("debug", lambda *told: heard.append(("second", *told)))
    log.logger().debug("x")
    assert heard == [("second", "debug", "x")]


def test_a_request_hears_what_is_logged_for_it_alone(listeners, heard):
    def elsewhere():
        log.logger().error("of another")

    with listeners.during("info", lambda *told: heard.append(told)):
        log.logger().info("of this one")
        other = threading.Thread(target=elsewhere)
        own = threading.Thread(target=contextvars.copy_context().run, args=(log.logger().info, "of a part of it"))
        for thread in (other, own):
            thread.start()
            thread.join()
    log.logger().error("later")
    assert heard == [("info", "of this one"), ("info", "of a part of it")]


def test_a_part_of_a_request_that_outlives_it_is_not_heard(listeners, heard):
    with listeners.during("info", lambda *told: heard.append(told)):
        context = contextvars.copy_context()
    context.run(log.logger().error, "too late")
    assert heard == []


def test_what_a_terminal_would_obey_is_escaped(listeners, heard):
    listeners.hear("debug", lambda *told: heard.append(told))
    log.logger().info("a \x1b[31mred\u202e word\r\n")
    assert heard == [("info", r"a \u001b[31mred\u202e word\u000d\u000a")]


@pytest.mark.parametrize(("everything", "request_level"), [("error", "debug"), ("debug", "error")])
def test_a_request_hears_from_the_level_on_that_it_asked_for_whatever_others_hear(
    listeners, heard, everything, request_level
):
    listeners.hear(everything, lambda *told: heard.append(("all", *told)))
    with listeners.during(request_level, lambda *told: heard.append(("request", *told))):
        log.logger().info("x")
        log.logger().error("y")
    infos = [("request", "info", "x")] if request_level == "debug" else []
    assert heard == [*infos, ("request", "error", "y")]


def test_what_goes_on_after_a_request_is_heard_by_who_hears_everything(listeners, heard):
    listeners.hear("info", lambda *told: heard.append(told))
    with listeners.during("error", print):
        context = contextvars.copy_context()
    context.run(log.logger().info, "saved")
    assert heard == [("info", "saved")]


def test_a_listener_that_fails_harms_nobody(listeners):
    def fail(*_):
        raise OSError

    listeners.hear("debug", fail)
    log.logger().error("a poll failed")
    listeners.hear("debug", print)
    listeners.handle(logging.makeLogRecord({"msg": "%d", "args": ("no number",), "levelno": logging.ERROR}))


def test_settings_that_are_read_later_leave_the_listeners_and_their_own_level(listeners, heard, capsys):
    listeners.hear("debug", lambda *told: heard.append(told))
    log.configure("error", None, ())
    log.logger().debug("for the listener")
    log.logger().error("for both")
    assert [text for _, text in heard] == ["for the listener", "for both"]
    assert capsys.readouterr().err == "kie-mcp ERROR: for both\n"


def test_a_traceback_stays_in_the_log(listeners, heard):
    listeners.hear("debug", lambda *told: heard.append(told))
    try:
        raise RuntimeError("inside")
    except RuntimeError:
        log.logger().exception("an item failed")
    assert heard == [("error", "an item failed")]


@pytest.mark.usefixtures("listeners")
def test_before_the_settings_are_read_what_goes_wrong_is_on_stderr_all_the_same(capsys):
    log.logger().handlers = []
    Listeners()
    log.logger().warning("no settings yet")
    log.logger().debug("quiet")
    assert capsys.readouterr().err == "kie-mcp WARNING: no settings yet\n"


def test_settings_that_are_read_while_somebody_begins_to_listen_stay(listeners, monkeypatch, capsys):
    logger = log.logger()
    logger.handlers = []
    begun, configured = threading.Event(), threading.Event()
    add = logger.addHandler

    def slowly(handler):
        if not begun.is_set():  # the text handler of who listens first: meanwhile the settings are read
            begun.set()
            configured.wait(0.2)
        add(handler)

    def configure():
        begun.wait(30)
        log.configure("error", None, ("secret-key-1234",))
        configured.set()

    monkeypatch.setattr(logger, "addHandler", slowly)
    reading = threading.Thread(target=configure)
    reading.start()
    Listeners()
    reading.join(30)
    logger.error("secret-key-1234")
    assert capsys.readouterr().err == "kie-mcp ERROR: [redacted]\n"


def test_the_levels_are_those_that_clients_may_ask_for(listeners, heard):
    for level in LEVELS:
        listeners.hear(level, lambda *told: heard.append(told))
        log.logger().log(_LEVELS[level], "x")
    assert [level for level, _ in heard] == list(LEVELS) == list(_LEVELS)


def test_a_request_may_be_told_nothing_though_all_else_is(listeners, heard):
    listeners.hear("debug", lambda *told: heard.append(told))
    with listeners.silence():
        log.logger().error("of a request that has not asked")
    log.logger().error("of another")
    assert heard == [("error", "of another")]
