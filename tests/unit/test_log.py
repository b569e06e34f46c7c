"""The log: where it goes, and that no secret goes with it."""

from __future__ import annotations

import io
import json
import logging

import pytest

from kie_mcp import log

KEY = 'k3y"with\\odd-signs'
SECRETS = (KEY,)


@pytest.fixture(autouse=True)
def _own_handlers():
    """The program's logger, given back as it was."""
    target = log.logger()
    before = (list(target.handlers), target.level, target.propagate)
    target.handlers = []
    yield
    for handler in target.handlers:
        handler.close()
    target.handlers, target.propagate = before[0], before[2]
    target.setLevel(before[1])


@pytest.fixture
def stream():
    return io.StringIO()


def fail_with(text):
    try:
        raise ValueError(text)
    except ValueError:
        log.logger().exception("it failed with %s", text)


def test_a_secret_is_replaced_at_any_depth():
    value = {"a" + KEY: [KEY, (KEY, 1)], "b": {"c": f"Bearer {KEY}!"}, "d": None}
    assert log.redact(value, SECRETS) == {
        "a[redacted]": ["[redacted]", ["[redacted]", 1]],
        "b": {"c": "Bearer [redacted]!"},
        "d": None,
    }


def test_without_secrets_nothing_is_replaced():
    value = {"a": ["text"]}
    assert log.redact(value, ("", "")) is value


def test_a_line_says_its_level(stream):
    log.configure("warning", None, (), stream)
    log.logger().warning("slow: %d s", 9)
    assert stream.getvalue() == "kie-mcp WARNING: slow: 9 s\n"


def test_what_is_below_the_level_is_not_logged(stream):
    log.configure("error", None, (), stream)
    log.logger().warning("not shown")
    assert stream.getvalue() == ""


def test_text_and_traceback_have_no_secret(stream):
    log.configure("info", None, SECRETS, stream)
    log.logger().info("the key is %s", KEY)
    fail_with(KEY)
    assert KEY not in stream.getvalue()
    assert "ValueError: [redacted]" in stream.getvalue()


def test_a_line_of_the_file_is_json_without_secrets(stream, tmp_path):
    path = tmp_path / "logs" / "kie.jsonl"
    log.configure("debug", path, SECRETS, stream)
    log.logger().debug("line one\nline two \x1b[31m %s", KEY)
    fail_with(KEY)
    text = path.read_text(encoding="utf-8")
    first, second = (json.loads(line) for line in text.splitlines())
    assert first["message"] == "line one\nline two \x1b[31m [redacted]"
    assert first["level"] == "debug"
    assert first["thread"] == "MainThread"
    assert first["time"].endswith("Z")
    assert "traceback" not in first
    assert "ValueError: [redacted]" in second["traceback"]
    assert KEY not in text
    assert json.dumps(KEY)[1:-1] not in text


def test_a_text_that_is_not_utf_8_is_still_written(stream, tmp_path):
    path = tmp_path / "kie.jsonl"
    log.configure("info", path, SECRETS, stream)
    log.logger().info("half a character: %s", "\ud800")
    assert json.loads(path.read_text(encoding="utf-8"))["message"].startswith("half a character: ")


def test_what_cannot_be_written_is_dropped_without_a_word(capfd, tmp_path):
    class Broken(io.StringIO):
        def write(self, text):
            raise OSError("the disk is full")

    log.configure("info", tmp_path / "kie.jsonl", SECRETS, Broken())
    log.logger().handlers[1].setStream(Broken()).close()
    log.logger().info("the key is %s", KEY)
    assert capfd.readouterr() == ("", "")


def test_a_mistaken_log_call_does_not_show_its_arguments(capfd, tmp_path):
    log.configure("info", tmp_path / "kie.jsonl", SECRETS)
    log.logger().info("no place for it", KEY)
    assert KEY not in "".join(capfd.readouterr())


def test_the_log_goes_to_stderr_never_to_stdout(capfd):
    log.configure("info", None, ())
    log.logger().info("hello")
    assert capfd.readouterr() == ("", "kie-mcp INFO: hello\n")


def test_configuring_again_replaces_what_was_set_before(stream, tmp_path):
    log.configure("info", tmp_path / "old.jsonl", (), io.StringIO())
    old = log.logger().handlers[1]
    log.configure("info", None, (), stream)
    log.logger().info("once")
    assert stream.getvalue() == "kie-mcp INFO: once\n"
    assert old.stream is None
    assert (tmp_path / "old.jsonl").read_text(encoding="utf-8") == ""


def test_a_file_that_cannot_be_opened_is_an_error_and_changes_nothing(stream, tmp_path):
    log.configure("info", None, (), stream)
    with pytest.raises(OSError, match=r"."):
        log.configure("info", tmp_path, ())
    log.logger().info("still here")
    assert stream.getvalue() == "kie-mcp INFO: still here\n"


def test_the_programs_log_does_not_reach_other_loggers(stream):
    others = io.StringIO()
    handler = logging.StreamHandler(others)
    logging.getLogger().addHandler(handler)
    try:
        log.configure("info", None, (), stream)
        log.logger().info("ours")
    finally:
        logging.getLogger().removeHandler(handler)
    assert others.getvalue() == ""
