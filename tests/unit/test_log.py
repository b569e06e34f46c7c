"""The log: where it goes, and that no secret goes with it."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import subprocess
from urllib.parse import quote

import pytest

from kie_mcp import log
from kie_mcp.text import Base64

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


def test_nothing_is_looked_for_in_a_picture():
    picture = Base64("c2VjcmV0LWtleS0xMjM0")
    assert log.redact({"data": picture}, ("secret-key-1234",)) == {"data": picture}
    assert log.redact({"data": str(picture)}, ("secret-key-1234",)) == {"data": log.MASK}


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


PERCENT = "".join(f"%{byte:02x}" for byte in KEY.encode())
ESCAPED = "".join(f"\\u{byte:04x}" for byte in KEY.encode())
SPELLED = {
    "percent-encoded": quote(KEY, safe=""),
    "percent-encoded twice": quote(quote(KEY, safe=""), safe=""),
    "percent-encoded whole": PERCENT,
    "in capital digits": PERCENT.upper(),
    "in part": KEY[:3] + PERCENT[9:],
    "in JSON": json.dumps(KEY)[1:-1],
    "in JSON in JSON": json.dumps(json.dumps(KEY))[3:-3],
    "as escapes of JSON": ESCAPED,
    "as escapes of JSON in capital digits": ESCAPED.upper().replace("\\U", "\\u"),
    "in HTML": html.escape(KEY),
    "as numbers of HTML": "".join(f"&#{byte};" for byte in KEY.encode()),
    "as hexadecimal numbers of HTML": "".join(f"&#X{byte:02X};" for byte in KEY.encode()),
}


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
def test_a_secret_is_replaced_however_it_is_spelled(spelled):
    assert log.redact(f"<{spelled}>", SECRETS) == "<[redacted]>"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "!", "!!"])
@pytest.mark.parametrize("key", [KEY, "k-0123456789abcdef", "????>>>>~~~~"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_is_replaced_wherever_it_stands(encode, key, before, after):
    text = encode(f"{before}{key}{after}".encode()).decode()
    shown = log.redact(text, (key,))
    assert log.MASK in shown
    left = shown.replace(log.MASK, "")
    assert len(left) <= len(text) - len(key) * 4 // 3 + 4


def test_a_secret_that_is_like_another_text_does_not_change_it():
    assert log.redact("k3y with odd signs %6b", SECRETS) == "k3y with odd signs %6b"


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        (
            "test",
            "the latest test, Bearer test, redis://me:test@host",
            "the latest test, Bearer [redacted], redis://me:[redacted]@host",
        ),
        ("1234", "1234 of 51234; Bearer 1234", "1234 of 51234; Bearer [redacted]"),
        ("sk-1", "the key is sk-1, not sk-12, task-1 or sk-1x", "the key is [redacted], not sk-12, task-1 or sk-1x"),
        ("a", "a fox", "a fox"),
    ],
)
def test_a_secret_too_short_to_be_one_is_replaced_only_where_it_surely_is_meant(secret, text, shown):
    assert log.redact(text, (secret,)) == shown


@pytest.mark.parametrize("spell", [str, lambda text: quote(text, safe=""), lambda text: json.dumps(text)[1:-1]])
def test_a_secret_may_have_any_characters(spell):
    secret = "gehéim-\U0001f98a/word"
    assert log.redact(f"redis://me:{spell(secret)}@host", (secret,)) == "redis://me:[redacted]@host"


def test_several_secrets_are_replaced_in_one_go():
    assert log.redact("one-secret two-secret", ("one-secret", "two-secret")) == "[redacted] [redacted]"


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
    assert "\x1b" not in text
    assert first["message"] == "line one\nline two \x1b[31m [redacted]"
    assert first["level"] == "debug"
    assert first["thread"] == "MainThread"
    assert first["time"].endswith("Z")
    assert "traceback" not in first
    assert "ValueError: [redacted]" in second["traceback"]
    assert KEY not in text
    assert json.dumps(KEY)[1:-1] not in text


HARMFUL = "\x1b]0;owned\x07 \x9b2J \u202e \u2028 \U000e0041 \r\nkie-mcp ERROR: made up"


def test_nothing_that_is_logged_moves_a_cursor_or_begins_a_line_of_its_own(stream, tmp_path):
    path = tmp_path / "kie.jsonl"
    log.configure("info", path, (), stream)
    log.logger().info(HARMFUL)
    fail_with(HARMFUL)
    lines = stream.getvalue().splitlines()
    assert all(line.isprintable() for line in lines)
    assert [line[:20] for line in lines if not line.startswith("  ")] == [
        "kie-mcp INFO: \\u001b",
        "kie-mcp ERROR: it fai"[:20],
    ]
    text = path.read_text(encoding="utf-8")
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text.split("\n")[0])["message"] == HARMFUL


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


@pytest.mark.parametrize(
    "piece", ["\\", "%25", "&#0", "&#x0", "k-"], ids=["JSON", "percent", "HTML", "HTML hex", "itself"]
)
def test_a_long_text_that_is_made_to_be_searched_slowly_is_searched_all_the_same(piece):
    """Searched in the square of its length it would take hours, and the time-out of the tests would end it."""
    text = piece * 2_000_000
    assert log.redact(text, ("k-0123456789abcdef",)) == text


BACKSLASHES = "a\\b\\\\\\\\c"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(json.dumps(text))[3:-3],
        lambda text: quote(text, safe=""),
        lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
        lambda text: text.replace("b", "\\u0062").replace("c", "\\\\u0063"),
        lambda text: text.replace("\\\\", "\\%5c"),
    ],
    ids=["itself", "JSON", "JSON twice", "percent", "escapes", "letters escaped", "in part"],
)
@pytest.mark.parametrize("secret", ["12345678" + BACKSLASHES, BACKSLASHES + "12345678", "\\\\12345678", "1" + "\\" * 9])
def test_a_secret_with_backslashes_is_replaced_however_they_are_doubled(secret, spell):
    assert log.redact(f"<{spell(secret)}>", (secret,)) == "<[redacted]>"


@pytest.mark.parametrize("secret", ["\\" * 20 + "ab", "ab" + "\\" * 20 + "cd", "\\a" * 6, '/"\\/"\\/"\\'])
@pytest.mark.parametrize(
    "text", ["\\" * 1_000_000, "ab" + "\\" * 1_000_000, ("ab" + "\\" * 500) * 2000, "\\a" * 500_000]
)
def test_many_backslashes_are_searched_in_little_time_for_a_secret_that_has_some(secret, text):
    """Tried in every way of sharing them out, twenty would take longer than the time-out of the tests."""
    assert log.redact(text + "x", (secret,)).endswith("x")


# the file


@pytest.mark.parametrize(
    "content", [b"export PATH=/usr/bin\n", b"\n", b"\0" * 300, b'{"time": "now"}\n', b'{"a": 1}\n', b"\xff\xfe"]
)
def test_a_file_that_holds_something_else_gets_no_line(tmp_path, content):
    (tmp_path / "profile").write_bytes(content)
    with pytest.raises(OSError, match="it holds something else than a log of this program"):
        log.configure("info", tmp_path / "profile", ())
    assert (tmp_path / "profile").read_bytes() == content


def test_a_log_of_ours_and_an_empty_file_are_added_to(stream, tmp_path):
    path = tmp_path / "kie.jsonl"
    path.touch()
    for text in ("one", "two"):
        log.configure("info", path, SECRETS, stream)
        log.logger().info(text)
    assert [json.loads(line)["message"] for line in path.read_text("utf-8").splitlines()] == ["one", "two"]


def test_a_link_to_a_file_that_holds_something_else_gets_no_line(tmp_path):
    (tmp_path / "profile").write_text("export PATH", encoding="ascii")
    (tmp_path / "kie.jsonl").symlink_to(tmp_path / "profile")
    with pytest.raises(OSError, match="something else"):
        log.configure("info", tmp_path / "kie.jsonl", ())


def test_a_shell_that_reads_a_line_of_the_file_runs_nothing_in_it(stream, tmp_path):
    path = tmp_path / "kie.jsonl"
    log.configure("info", path, (), stream)
    text = f'"; touch {tmp_path}/a; $(touch {tmp_path}/b) `touch {tmp_path}/c` \\$(touch {tmp_path}/d) \\'
    log.logger().info(text)
    assert json.loads(path.read_text("utf-8"))["message"] == text
    subprocess.run(["sh", str(path)], capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60)
    assert [found.name for found in tmp_path.iterdir()] == ["kie.jsonl"]
