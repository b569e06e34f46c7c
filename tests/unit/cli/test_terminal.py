"""What a person sees."""

from __future__ import annotations

import io
import json
import sys

import pytest

from kie_mcp.cli import terminal as shown
from kie_mcp.cli.terminal import Progress, clean, for_people, number, print_json, print_path, print_table, width


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a red fox", "a red fox"),
        ("two\nlines\tand \r\n tabs", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("bell\x07 and del\x7f and csi\x9b", "bell\ufffd and del\ufffd and csi\ufffd"),
        ("turned \u202egnp.exe\u2069\u200f", "turned \ufffdgnp.exe\ufffd\ufffd"),
        ("half \udcff", "half \ufffd"),
        ("狐 👩‍🚀 é نامه‌ای", "狐 👩‍🚀 é نامه‌ای"),
    ],
)
def test_nothing_that_a_terminal_would_obey_is_passed_on(text, harmless):
    assert clean(text) == harmless


@pytest.mark.parametrize(
    ("text", "columns"), [("fox", 3), ("狐", 2), ("e\u0301", 1), ("🦊", 2), ("a\u200db", 2), ("\uff46", 2)]
)
def test_the_width_of_a_text_is_what_a_terminal_needs(text, columns):
    assert width(text) == columns


@pytest.mark.parametrize(
    ("value", "text"),
    [(5916.25, "5916.25"), (0.8, "0.8"), (18.0, "18"), (1234567.5, "1234567.5"), (100, "100"), (0.0, "0")],
)
def test_a_number_has_no_exponent_and_no_needless_zeros(value, text):
    assert number(value) == text


def test_advice_names_commands_instead_of_tools():
    advice = "Call get_visual_task with the task id, or list_visual_tasks; see list_models and get_credits."
    assert for_people(advice) == (
        "Call `kie-mcp collect` with the task id, or `kie-mcp tasks`; see `kie-mcp models` and `kie-mcp credits`."
    )


def test_a_table_is_whole_where_nobody_watches(capsys):
    print_table(("id", "credits", "prompt"), [("a", 18.0, "x" * 300), ("狐", None, "two\nlines")])
    assert capsys.readouterr().out.splitlines() == [
        "id  credits  prompt",
        f"a   18       {'x' * 300}",
        "狐  -        two lines",
    ]


def test_a_table_on_a_terminal_is_cut_to_fit(terminal):
    screen = terminal("stdout", columns=40)
    print_table(
        ("id", "prompt"), [("a", "狐" * 40), ("b", "/pictures/of/many/things/in/long/folders/fox.png"), ("c", "x")]
    )
    assert screen.shown()[1:] == [f"a   {'狐' * 17}…", "b   …many/things/in/long/folders/fox.png", "c   x", ""]
    assert all(width(line) <= 40 for line in screen.shown())


def test_a_narrow_terminal_shows_the_last_column_below(terminal):
    screen = terminal("stdout", columns=30)
    print_table(("id", "prompt"), [("0123456789", "a red fox in the snow at night"), ("b", "short")])
    assert screen.shown() == [
        "id",
        "  prompt",
        "0123456789",
        "  a red fox in the snow at ni…",
        "b",
        "  short",
        "",
    ]


def test_a_path_is_left_alone_for_programs_and_made_harmless_for_terminals(capsys, terminal):
    print_path("/a\x1b[31m/b  c.png")
    assert capsys.readouterr().out == "/a\x1b[31m/b  c.png\n"
    screen = terminal("stdout")
    print_path("/a\x1b[31m/b.png")
    assert screen.getvalue() == "/a\ufffd[31m/b.png\n"


@pytest.mark.parametrize(("encoding", "value"), [("ascii", "狐"), ("utf-8", "/by\udcff"), ("utf-8", "狐")])
def test_json_can_be_read_back_whatever_the_encoding(monkeypatch, encoding, value):
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", written)
    print_json({"value": value})
    written.flush()
    assert json.loads(written.buffer.getvalue()) == {"value": value}


def test_an_error_is_told_with_what_to_do_and_its_task(capsys):
    shown.print_error({"message": "It\nfailed.", "next_step": "Call get_visual_task.", "task_id": "t-1"})
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "kie-mcp: It failed.\n  Call `kie-mcp collect`.\n  Task id: t-1\n"


class Gone(io.StringIO):
    """A terminal whose window was closed."""

    def isatty(self):
        return True

    def write(self, text):
        raise OSError(5, "Input/output error")

    def flush(self):
        raise OSError(5, "Input/output error")


def test_a_stderr_that_is_gone_ends_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Gone())
    shown.note("nobody hears this")
    shown.hint("nor this")
    with Progress() as progress:
        progress.show(1, None, "generating, 3 s")
        progress.write("a line of the log\n")
        progress.flush()


def test_progress_on_a_terminal_is_one_line_that_is_gone_in_the_end(terminal):
    screen = terminal("stderr", columns=40)
    with Progress() as progress:
        progress.show(0, None, "submitted as task 0123456789abcdef0123456789abcdef")
        progress.show(3, None, "generating, 3 s")
        assert "\n" not in screen.getvalue()
        assert screen.shown() == ["generating, 3 s"]
    assert screen.shown() == [""]
    assert "\x1b" not in screen.getvalue()


def test_progress_of_many_shows_a_bar_and_counts_once(terminal):
    screen = terminal("stderr", columns=100)
    with Progress() as progress:
        progress.show(1, 2, "1 of 2 done; item 0: generating, 3 s")
        assert screen.shown()[0].startswith("1/2 |██████████          | 00:00  item 0: generating, 3 s")
        progress.show(3, None, "alone")
        assert screen.shown() == ["alone"]


def test_progress_passes_no_escapes_on(terminal):
    screen = terminal("stderr")
    with Progress() as progress:
        progress.show(0, None, "saved /a\x1b[2J/b.png")
    assert "\x1b" not in screen.getvalue()


def test_a_log_line_stands_above_the_progress(terminal):
    screen = terminal("stderr")
    with Progress() as progress:
        progress.show(0, None, "generating, 3 s")
        progress.write("kie-mcp WARNING: a poll failed\n")
        progress.flush()
        assert screen.shown() == ["kie-mcp WARNING: a poll failed", "generating, 3 s"]
    progress.write("afterwards\n")
    assert screen.shown() == ["kie-mcp WARNING: a poll failed", "afterwards", ""]


def test_what_late_threads_report_is_not_shown(terminal):
    screen = terminal("stderr")
    progress = Progress()
    progress.show(0, None, "too early")
    with progress:
        pass
    progress.show(0, None, "too late")
    assert screen.getvalue() == ""


def test_elsewhere_progress_is_a_line_for_each_state(capsys):
    with Progress() as progress:
        for message in ("generating, 1 s", "generating, 2 s", "success, 3 s"):
            progress.show(1, None, message)
    assert capsys.readouterr().err == "kie-mcp: generating, 1 s\nkie-mcp: success, 3 s\n"


def test_elsewhere_progress_of_many_is_a_line_for_each_that_is_done(capsys):
    with Progress() as progress:
        for done, message in ((0, "item 0: a"), (0, "item 1: b"), (1, "item 1: c"), (1, "item 0: d")):
            progress.show(done, 2, message)
    assert capsys.readouterr().err == "kie-mcp: item 0: a\nkie-mcp: item 1: c\n"


def test_quiet_progress_is_for_terminals_only(capsys, terminal):
    with Progress(quiet=True) as progress:
        progress.show(1, None, "generating, 1 s")
    assert capsys.readouterr().err == ""
    screen = terminal("stderr")
    with Progress(quiet=True) as progress:
        progress.show(1, None, "generating, 1 s")
        assert screen.shown() == ["generating, 1 s"]
