"""The command line as people and programs use it: processes, pipes and terminals, with the sandbox for Kie."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "kie_mcp"]
ON_TERMINAL = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
PATIENCE = 60.0
"""Seconds after which a process that does not end is a failure."""


@pytest.fixture
def place(tmp_path):
    """An empty folder to work in, beside a home folder."""
    (tmp_path / "home").mkdir()
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(place):
    """Next to nothing, as hosts and cron jobs have it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE") or name == "PATH"}
    return {**kept, "HOME": str(place.parent / "home"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def kie(place, environment):
    """Run a command line to its end."""

    def run(*words, stdin=b"", cwd=place, **more):
        return subprocess.run(
            [*COMMAND, *words],
            input=stdin,
            cwd=cwd,
            env={**environment, **more},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    return run


@pytest.fixture
def stand_in(place, environment):
    """Start ``kie-mcp sandbox`` on a free port and return the variables it prints."""
    with contextlib.ExitStack() as ending:

        def start(*options):
            process = subprocess.Popen(
                [*COMMAND, "sandbox", "--port", "0", *options],
                cwd=place,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            ending.callback(end, process)
            return dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))

        def end(process):
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
            process.stdout.close()

        yield start


class Terminal:
    """A command line on a terminal of its own."""

    def __init__(self, words, *, cwd, env, columns):
        self.columns = columns
        self.output = ""
        self.fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, str(inner), *COMMAND, *words],
            cwd=cwd,
            env=env,
            pass_fds=[inner],
        )
        os.close(inner)

    def read_until(self, text):
        """Read on until ``text`` has been shown."""
        ends = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self._read(ends - time.monotonic()), f"{text!r} did not come: {self.output!r}"

    def press(self, keys):
        """Type on the keyboard."""
        os.write(self.fd, keys)

    def end(self):
        """Read to the end; the exit code."""
        ends = time.monotonic() + PATIENCE
        while self._read(ends - time.monotonic()):
            pass
        os.close(self.fd)
        return self.process.wait(PATIENCE)

    def _read(self, seconds):
        if not select.select([self.fd], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # Linux: the other side was closed
            data = b""
        self.output += data.decode()
        return bool(data)

    def screen(self):
        """What stands there in the end: one string for each line, blank ends left out."""
        lines = []
        for line in self.output.replace("\r\n", "\n").split("\n"):
            row: list[str] = []
            for part in line.split("\r"):
                row[: len(part)] = part
            lines.append("".join(row).rstrip())
        return lines


@pytest.fixture
def on_terminal(place, environment):
    """Start a command line on a terminal."""
    started = []

    def start(*words, columns=80, **more):
        started.append(Terminal(words, cwd=place, env={**environment, **more}, columns=columns))
        return started[-1]

    yield start
    for terminal in started:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()


def is_png(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.format == "PNG"


def test_a_picture_is_made_without_a_key_and_only_its_path_is_printed(kie, place):
    done = kie("generate", "--sandbox", "a red fox", "--output-path", "fox.png")
    assert done.returncode == 0
    assert done.stdout.decode() == f"{place / 'fox.png'}\n"
    assert is_png(place / "fox.png")
    listed = kie("tasks", "--sandbox")
    assert str(place / "fox.png") in listed.stdout.decode()
    assert kie("collect", "--sandbox").stderr.decode().startswith("kie-mcp: nothing to collect")


def test_two_programs_share_a_stand_in_through_its_variables(kie, place, stand_in):
    variables = stand_in("--task-seconds", "0.3")
    assert kie("doctor", **variables).returncode == 0
    assert list(place.iterdir()) == []
    submitted = kie("generate", "a lake", "--no-wait-for-result", "--json", **variables)
    assert submitted.returncode == 0
    task_id = json.loads(submitted.stdout)["task_id"]
    collected = kie("collect", "--wait-seconds", "30", **variables)
    assert collected.returncode == 0
    (path,) = collected.stdout.decode().splitlines()
    assert is_png(path)
    again = kie("collect", task_id, **variables)
    assert again.stdout.decode().splitlines() == [path]
    assert kie("credits", **variables).stdout.decode().endswith(")\n")


def test_a_batch_prints_a_path_for_each_picture_and_tells_what_failed(kie, place, stand_in):
    items = [{"prompt": "a"}, {"promt": "b"}, {"prompt": "c", "output_path": "c.png"}]
    done = kie("batch", "-", stdin=json.dumps(items).encode(), **stand_in("--task-seconds", "0.3"))
    assert done.returncode == 1
    paths = done.stdout.decode().splitlines()
    assert len(paths) == 2
    assert paths[1] == str(place / "c.png")
    assert all(is_png(path) for path in paths)
    assert "item 1: Unknown argument 'promt'. Did you mean 'prompt'?" in done.stderr.decode()


def test_a_wait_that_ends_first_hands_the_task_back(kie, stand_in):
    done = kie("generate", "x", "--poll-timeout-seconds", "0.2", **stand_in("--task-seconds", "60"))
    assert (done.returncode, done.stdout) == (3, b"")
    assert "`kie-mcp collect` saves it later" in done.stderr.decode()


def test_a_missing_key_says_how_to_set_one(kie):
    done = kie("generate", "x")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "KIE_AI_API_KEY" in done.stderr.decode()
    assert "--sandbox" in done.stderr.decode()


@pytest.mark.parametrize("words", [["tasks"], ["generate", "x"], ["credits"], ["collect"], ["doctor"], ["models"]])
def test_no_setting_however_wrong_shows_a_traceback(kie, words):
    nonsense = {
        "KIE_AI_BASE_URL": "kie",
        "KIE_AI_TIMEOUT_SECONDS": "-1",
        "KIE_AI_RATE_LIMIT": "many",
        "KIE_AI_LOG_LEVEL": "loud",
        "KIE_AI_SANDBOX": "maybe",
    }
    done = kie(*words, **nonsense)
    told = done.stdout.decode() + done.stderr.decode()
    assert "Traceback" not in told
    if words != ["models"]:  # which needs no settings
        assert done.returncode in (1, 2)
        assert all(name in told for name in nonsense)


@pytest.mark.parametrize("words", [["tasks"], ["doctor"], ["generate", "--sandbox", "x"]])
def test_a_working_directory_that_is_gone_is_told(environment, tmp_path, words):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(gone), *COMMAND, *words],
        env=environment,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        text=True,
    )
    assert done.returncode in (1, 2)
    assert "The working directory cannot be used" in done.stdout + done.stderr


def test_a_reader_that_has_seen_enough_ends_the_output_quietly(environment, place):
    read, write = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, "models", "--json"], cwd=place, env=environment, stdout=write, stderr=subprocess.PIPE
    )
    os.close(read)
    os.close(write)
    _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (141, b"")


def test_a_full_disk_is_told(environment, place):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "models"],
            cwd=place,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"kie-mcp: the output cannot be written: no space left on device.\n"


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_obstacle(environment, place, closing):
    script = f'exec "$@" {closing}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, "generate", "--sandbox", "x", "--output-path", "x.png"],
        cwd=place, env=environment, capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert is_png(place / "x.png")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_prompt_can_be_listed_in_any_encoding(kie, stand_in, encoding):
    variables = {**stand_in("--task-seconds", "0.1"), "PYTHONIOENCODING": encoding}
    prompt = "狐 \x1b[31mred\x1b[0m\x07\nfox é"
    assert kie("generate", prompt, "--no-wait-for-result", **variables).returncode == 0
    table = kie("tasks", **variables)
    assert table.returncode == 0
    assert b"\x1b" not in table.stdout
    assert len(table.stdout.splitlines()) == 2
    assert json.loads(kie("tasks", "--json", **variables).stdout.decode(encoding))["tasks"][0]["prompt"] == prompt


def test_a_folder_whose_name_is_not_utf_8_comes_out_as_it_is(kie, place):
    folder = os.fsencode(place) + b"/by\xff"
    os.mkdir(folder)  # noqa: PTH102 - pathlib takes no bytes
    done = kie("generate", "--sandbox", "x", "--output-path", "x.png", cwd=folder)
    assert done.stdout == folder + b"/x.png\n"


def test_progress_on_a_terminal_is_one_line_that_is_gone_in_the_end(on_terminal, place, stand_in):
    terminal = on_terminal("generate", "x", "--output-path", "x.png", **stand_in("--task-seconds", "0.5"))
    assert terminal.end() == 0
    assert "submitted as task" in terminal.output
    assert "saved x.png" in terminal.output
    assert "\x1b" not in terminal.output
    assert "".join(terminal.screen()) == f"{place / 'x.png'}kie-mcp: 18 credits ($0.09)."


def test_progress_fits_a_narrow_terminal(on_terminal, place, stand_in):
    (place / "items.json").write_text('[{"prompt": "a"}, {"prompt": "b"}]')
    terminal = on_terminal("batch", "items.json", "--json", columns=30, **stand_in("--task-seconds", "0.5"))
    assert terminal.end() == 0
    shown, _, answer = terminal.output.partition("{")
    assert "/2 |" in shown
    assert all(len(part) <= 30 for part in shown.split("\r"))
    assert shown.endswith("\r")
    assert json.loads("{" + answer)["succeeded"] == 2


def test_ctrl_c_ends_a_wait_within_a_second_and_says_that_the_task_goes_on(on_terminal, kie, stand_in):
    variables = stand_in("--task-seconds", "1")
    terminal = on_terminal("generate", "a fox", **variables)
    terminal.read_until("submitted as task")
    pressed = time.monotonic()
    terminal.press(b"\x03")
    assert terminal.end() == 130
    assert time.monotonic() - pressed < 1
    told = terminal.screen()
    assert told[0] == "kie-mcp: Interrupted; the task goes on."
    assert told[2].startswith("  Task id: ")
    assert "Traceback" not in terminal.output
    collected = kie("collect", "--wait-seconds", "30", **variables)
    assert collected.returncode == 0
    assert is_png(collected.stdout.decode().strip())


def test_ctrl_c_ends_a_poll_that_hangs_within_a_second(on_terminal, stand_in):
    terminal = on_terminal("generate", "a fox", **stand_in("--fault", "poll:hang:60:0"))
    terminal.read_until("submitted as task")
    pressed = time.monotonic()
    terminal.press(b"\x03")
    assert terminal.end() == 130
    assert time.monotonic() - pressed < 1
    assert terminal.screen()[0] == "kie-mcp: Interrupted; the task goes on."


def test_ctrl_c_while_a_task_is_being_made_waits_for_its_id(on_terminal, stand_in, kie):
    variables = stand_in("--task-seconds", "0.1", "--fault", "create:hang:2")
    terminal = on_terminal("generate", "a fox", **variables)
    wait_until_submitting(terminal, kie, variables)
    terminal.press(b"\x03")
    terminal.read_until("waiting for the id of a task")
    assert terminal.end() == 130
    assert "Task id: " in terminal.output
    assert kie("collect", "--wait-seconds", "30", **variables).returncode == 0


def wait_until_submitting(terminal, kie, variables):
    """Look at the ledger until createTask is under way."""
    ends = time.monotonic() + PATIENCE
    while not json.loads(kie("tasks", "--json", "--status", "submitting", **variables).stdout)["tasks"]:
        assert terminal.process.poll() is None
        assert time.monotonic() < ends


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_a_wait_as_well(environment, place, stand_in, signum):
    process = subprocess.Popen(
        [*COMMAND, "generate", "a fox"],
        cwd=place,
        env={**environment, **stand_in("--task-seconds", "60")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr.readline().startswith(b"kie-mcp: submitted as task ")
    process.send_signal(signum)
    answer, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, answer) == (128 + signum, b"")
    assert b"kie-mcp: Interrupted; the task goes on.\n" in told


def test_ctrl_c_at_a_prompt_for_input_ends_quietly(on_terminal):
    terminal = on_terminal("batch", "-", "--sandbox")
    terminal.read_until("Ctrl-D ends it")
    terminal.press(b"\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.output


def test_a_table_fits_the_terminal(on_terminal, kie, stand_in):
    variables = stand_in()
    kie("generate", "狐" * 100, "--no-wait-for-result", **variables)
    terminal = on_terminal("tasks", columns=120, **variables)
    assert terminal.end() == 0
    assert terminal.screen()[1].endswith("狐…")
    assert len(terminal.screen()[1]) + terminal.screen()[1].count("狐") <= 120
