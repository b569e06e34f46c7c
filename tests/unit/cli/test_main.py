"""How command lines are read, and how the process ends."""

from __future__ import annotations

import errno
import io
import os
import sys

import pytest

from kie_mcp import __version__
from kie_mcp.errors import BundleError
from kie_mcp.schemas import load_tool


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["paint"], "invalid choice: 'paint'"),
        (["generate"], "the following arguments are required: PROMPT"),
        (["generate", "a", "fox"], "unrecognized arguments: fox (a prompt of several words needs quotes around it)"),
        (["credits", "now"], "unrecognized arguments: now\n"),
        (["generate", "a", "--aspect", "1:1"], "unrecognized arguments: --aspect 1:1"),
        (["generate", "a", "--output-format", "bmp"], "invalid choice: 'bmp'"),
        (["generate", "a", "--model-params", "seed"], "'seed' is not NAME=VALUE"),
        (["generate", "a", "--poll-timeout-seconds", "nan"], "'nan' is not a number"),
        (["generate", "a", "--poll-timeout-seconds", "soon"], "'soon' is not a number"),
        (["tasks", "--limit", "1.5"], "'1.5' is not a whole number"),
        (["config", "emacs"], "invalid choice: 'emacs'"),
        (["sandbox", "--port", "65536"], "'65536' is no port; accepted is 0 to 65535"),
        (["sandbox", "--port", "-1"], "'-1' is no port"),
        (["sandbox", "--task-seconds", "-1"], "'-1' is negative"),
    ],
)
def test_wrong_use_is_told_in_two_lines(command, words, reason):
    done = command(*words)
    assert (done.code, done.out) == (2, "")
    assert reason in done.err
    assert done.err.endswith("--help` shows what there is.\n")
    assert len(done.err.splitlines()) == 2


@pytest.mark.parametrize("name", ["generate", "batch", "collect", "tasks", "models", "credits", "call", "doctor"])
def test_help_names_the_options_that_all_commands_have(command, name):
    done = command(name, "--help")
    assert done.code == 0
    assert "--sandbox" in done.out
    assert "--json" in done.out


def test_help_says_what_the_exit_codes_mean(command):
    assert "130 interrupted" in " ".join(command("--help").out.split())


def test_the_sandbox_explains_its_faults(command):
    assert "create:code:429:2" in command("sandbox", "--help").out


def test_the_version_is_shown(command):
    assert command("tasks", "--version").code == 2
    assert command("--version").out == f"kie-mcp {__version__}\n"


def test_serve_is_the_server(command, monkeypatch):
    served = []
    monkeypatch.setattr("kie_mcp.cli.serve.serve", lambda *, sandbox: served.append(sandbox) or 0)
    assert command("serve", "--sandbox").code == 0
    assert served == [True]


def test_sandbox_is_the_stand_in(command, monkeypatch):
    given = {}
    monkeypatch.setattr("kie_mcp.cli.stand_in.stand_in", lambda **options: given.update(options) or 0)
    command("sandbox", "--port", "0", "--task-seconds", "0.5", "--fault", "a", "--fault", "b", "--json")
    assert given == {"port": 0, "task_seconds": 0.5, "faults": ["a", "b"], "as_json": True}


@pytest.mark.parametrize("as_json", [False, True])
def test_an_incomplete_installation_is_told(command, monkeypatch, as_json):
    def load(_name, _folder=None):
        raise BundleError("The bundled file is missing.")

    monkeypatch.setattr("kie_mcp.cli.main.parser", lambda: load("generate_visual"))
    done = command("tasks", *(["--json"] if as_json else []))
    assert done.code == 1
    assert "The bundled file is missing." in (done.out if as_json else done.err)
    assert load_tool("generate_visual")


def test_ctrl_c_outside_of_a_call_ends_quietly(command, application, monkeypatch):
    def read(_file):
        raise KeyboardInterrupt

    monkeypatch.setattr("kie_mcp.cli.commands._read_text", read)
    app = application()
    done = command("batch", "-", application=app)
    assert (done.code, done.out, done.err) == (130, "", "kie-mcp: interrupted.\n")
    assert app.closed == 1


class Unwritable(io.TextIOBase):
    """An output that cannot be written."""

    encoding = "utf-8"

    def __init__(self, error):
        self.error = error

    def write(self, _text):
        raise self.error

    def reconfigure(self, **_options):
        """Accept anything."""


def test_a_pipe_that_was_closed_ends_quietly(command, application, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Unwritable(BrokenPipeError()))
    done = command("credits", application=application({"ok": True, "credits": 1.0, "usd": 0.005}))
    assert (done.code, done.err) == (141, "")


def test_a_full_disk_is_told(command, application, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Unwritable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    done = command("credits", application=application({"ok": True, "credits": 1.0, "usd": 0.005}))
    assert (done.code, done.err) == (1, "kie-mcp: the output cannot be written: no space left on device.\n")


def test_streams_that_are_not_there_are_no_obstacle(command, application, generated, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert command("generate", "x", application=application(generated(warnings=["Cut."]))).code == 0
    sys.stdout.close()
    sys.stderr.close()


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("utf-8", b"/by\xff/\xe7\x8b\x90.png\n"), ("latin-1", b"/by\\udcff/\\u72d0.png\n")],
)
def test_a_file_name_is_printed_as_the_bytes_it_is_where_the_encoding_allows(
    command, application, generated, monkeypatch, encoding, written
):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    answer = generated(output_paths=["/by\udcff/狐.png"])
    assert command("generate", "x", application=application(answer)).code == 0
    assert stdout.buffer.getvalue() == written


def test_output_for_a_terminal_is_made_harmless(command, application, generated, terminal):
    screen = terminal("stdout")
    assert command("generate", "x", application=application(generated(output_paths=["/a\x1b[31m.png"]))).code == 0
    assert screen.shown() == ["/a\ufffd[31m.png", ""]


def test_a_mistake_while_printing_is_one_line(command, application):
    done = command("credits", application=application({"ok": True}))
    assert done.code == 1
    assert done.err.startswith("kie-mcp: Internal error (KeyError).\n")
