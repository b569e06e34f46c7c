"""The server as a process, over real pipes."""

from __future__ import annotations

import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mcp_messages import Conversation

ROOT = Path(__file__).resolve().parents[2]
FAKE = [sys.executable, str(Path(__file__).with_name("stdio_server.py"))]
REAL = [sys.executable, "-m", "kie_mcp"]
SLOW_MODULES = [
    "argparse",
    "concurrent.futures",
    "dataclasses",
    "dotenv",
    "inspect",
    "jsonschema",
    "logging",
    "pathlib",
    "requests",
    "sqlite3",
    "tenacity",
    "typing",
]


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KIE_AI_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def request(request_id, method="ping", **params):
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def call(request_id, tool, arguments=None, token=None):
    meta = {} if token is None else {"_meta": {"progressToken": token}}
    return request(request_id, "tools/call", name=tool, arguments=arguments or {}, **meta)


INITIALIZE = request(0, "initialize", protocolVersion="2025-11-25", capabilities={})
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def lines_of(*messages):
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def run(command, data, cwd=None, **more):
    """Run a server over the whole input, all of which it answers; what it said, and the finished process."""
    done = subprocess.run(
        command, input=data, capture_output=True, timeout=60, check=False, env=environment(**more), cwd=cwd
    )
    return heard(data, done.stdout), done


def heard(data, output):
    """The messages in an output, which is what an input has to be answered with."""
    conversation = Conversation()
    for line in data.split(b"\n"):
        conversation.sent(line)
    messages = [conversation.received(line) for line in output.splitlines()]
    conversation.check()
    assert conversation.owed == []
    return messages


class Server:
    """A running process with its pipes in the test's hand."""

    def __init__(self):
        self.conversation = Conversation()
        self.process = subprocess.Popen(
            FAKE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )

    def send(self, *messages):
        self.write(lines_of(*messages))

    def write(self, data):
        for line in data.split(b"\n"):
            self.conversation.sent(line)
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self):
        message = self.conversation.received(self.process.stdout.readline())
        self.conversation.check()
        return message

    def end(self):
        """Let a process that still runs come to its end, and close the pipes."""
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def seconds_to_exit(self):
        start = time.monotonic()
        self.process.wait(30)
        return time.monotonic() - start


@pytest.fixture
def server():
    server = Server()
    yield server
    server.end()


def test_lines_that_are_piped_in_are_all_answered_and_the_process_ends_well():
    answers, done = run(FAKE, lines_of(INITIALIZE, INITIALIZED, call(1, "echo", {"a": "ü"}), request("p")))
    by_id = {answer["id"]: answer["result"] for answer in answers}
    assert set(by_id) == {0, "p", 1}
    assert by_id[1]["structuredContent"]["arguments"] == {"a": "ü"}
    assert done.returncode == 0
    assert b"a stray print" in done.stderr
    assert b"closed well" in done.stderr


def test_input_may_end_without_a_newline_and_have_carriage_returns():
    answers, done = run(
        FAKE, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n\r\n{"jsonrpc":"2.0","id":2,"method":"ping"}'
    )
    assert [answer["id"] for answer in answers] == [1, 2]
    assert done.returncode == 0


def test_calls_that_were_read_are_answered_after_the_end_of_input():
    answers, done = run(FAKE, lines_of(*(call(number, "wait", {"seconds": 0.3}) for number in range(3))))
    assert sorted(answer["id"] for answer in answers) == [0, 1, 2]
    assert done.returncode == 0


def test_the_application_is_built_once_and_only_for_a_call():
    answers, _ = run(FAKE, lines_of(*(call(number, "echo") for number in range(20))))
    assert {answer["result"]["structuredContent"]["built"] for answer in answers} == {1}
    _, done = run(FAKE, lines_of(INITIALIZE, request(1, "tools/list")))
    assert done.stderr == b""


def test_an_application_that_cannot_be_built_is_a_tool_error_of_each_call():
    data = lines_of(call(1, "echo"), call(2, "echo"))
    answers, done = run(FAKE, data, TEST_REFUSE_TO_BUILD="1")
    errors = [answer["result"]["structuredContent"]["error"] for answer in answers]
    assert [error["category"] for error in errors] == ["config", "config"]
    assert {error["message"] for error in errors} == {"refused 1", "refused 2"}
    assert done.returncode == 0


def test_sixty_four_calls_run_side_by_side_and_a_ping_does_not_wait_for_them(server):
    server.send(*(call(number, "meet") for number in range(63)), request("ping"))
    assert server.receive()["id"] == "ping"
    server.send(call(63, "meet"))
    assert {server.receive()["id"] for _ in range(64)} == set(range(64))


def test_a_cancelled_call_gets_no_answer(server):
    server.send(call(1, "wait", {"seconds": 60}, token=0))
    assert server.receive()["method"] == "notifications/progress"
    server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}, request(2))
    assert server.receive()["id"] == 2
    server.process.stdin.close()
    assert server.process.stdout.read() == b""
    assert server.process.wait(30) == 0


def test_progress_comes_before_the_answer(server):
    server.send(call(1, "echo", token="t"))
    progress = server.receive()
    first = time.monotonic()
    assert progress["params"] == {"progressToken": "t", "progress": 1, "total": 1, "message": "echoed"}
    assert "result" in server.receive()
    assert time.monotonic() - first > 0.02


def test_an_unexpected_error_is_told_on_stderr_and_not_to_the_client():
    answers, done = run(FAKE, lines_of(call(1, "fail")))
    assert answers[0]["result"]["structuredContent"]["error"]["category"] == "internal"
    assert b"inner detail" not in done.stdout
    assert b"inner detail" in done.stderr
    assert b"Traceback" in done.stderr


def test_secrets_of_the_application_are_taken_out_of_answers():
    answers, done = run(FAKE, lines_of(call(1, "secret")))
    assert answers[0]["result"]["structuredContent"]["arguments"] == {"said": "the key is [redacted]"}
    assert b"sk-secret" not in done.stdout


def test_secrets_are_taken_out_of_protocol_errors_before_the_first_call_too():
    answers, done = run(FAKE, lines_of(call(1, "sk-secret" * 3), request(2, "sk-secret/list")))
    assert [answer["error"]["message"] for answer in answers] == [
        "Unknown tool: [redacted][redacted][redacted]",
        "Method not found: [redacted]/list",
    ]
    assert b"sk-secret" not in done.stdout


def test_what_cannot_be_closed_is_told_and_changes_nothing():
    answers, done = run(FAKE, lines_of(call(1, "echo")), TEST_REFUSE_TO_CLOSE="1")
    assert answers[0]["result"]["structuredContent"]["ok"]
    assert done.returncode == 0
    assert b"something hangs" in done.stderr


def test_garbage_gets_errors_and_the_server_goes_on(server):
    server.write(b"\n\xff\xfe\n{\n[]\n" + b"[" * 100_000 + b"\n")
    server.send(request(1))
    codes = [server.receive()["error"]["code"] for _ in range(4)]
    assert codes == [-32700, -32700, -32600, -32700]
    assert server.receive()["id"] == 1


def test_a_line_over_the_limit_gets_one_error_and_the_server_goes_on(server):
    server.write(b'{"x":"' + b"x" * (17 * 1024 * 1024) + b'"}\n')
    server.send(request(1))
    answer = server.receive()
    assert answer["error"]["code"] == -32700
    assert "id" not in answer
    assert server.receive()["id"] == 1


def test_an_unread_stderr_blocks_nothing(server):
    server.send(call(1, "noisy"), call(2, "noisy"))
    assert {server.receive()["id"], server.receive()["id"]} == {1, 2}
    server.process.stdin.close()
    assert server.process.wait(30) == 0


@pytest.mark.parametrize(("number", "tool"), [(signal.SIGTERM, "wait"), (signal.SIGINT, "stubborn")])
def test_a_signal_ends_the_process_at_once_whatever_is_in_flight(server, number, tool):
    server.send(call(1, tool, {"seconds": 60}, token=0))
    server.receive()
    server.process.send_signal(number)
    assert server.seconds_to_exit() < 2
    assert server.process.returncode == 128 + number


def test_a_signal_ends_a_process_whose_output_is_full(server):
    server.send(request(0))
    server.receive()
    text = "x" * 300_000
    server.send(call(1, "echo", {"text": text}), call(2, "echo", {"text": text}))
    assert select.select([server.process.stdout], [], [], 30)[0]
    server.send(request(3))
    server.process.send_signal(signal.SIGTERM)
    assert server.seconds_to_exit() < 2
    assert server.process.returncode == 128 + signal.SIGTERM


def test_a_signal_ends_a_draining_process(server):
    server.send(call(1, "wait", {"seconds": 60}, token=0))
    server.receive()
    server.process.stdin.close()
    server.process.send_signal(signal.SIGTERM)
    assert server.seconds_to_exit() < 2


def test_an_input_that_ends_with_nothing_in_flight_ends_the_process_at_once(server):
    server.send(request(1))
    server.receive()
    server.process.stdin.close()
    assert server.seconds_to_exit() < 2
    assert server.process.returncode == 0


def test_a_closed_output_ends_an_idle_process_quietly(server):
    server.send(request(1))
    server.receive()
    server.process.stdout.close()
    assert server.seconds_to_exit() < 2
    assert server.process.returncode == 0
    assert server.process.stderr.read() == b""


def test_a_closed_output_ends_the_calls_in_flight(server):
    server.send(call(1, "wait", {"seconds": 60}, token=0))
    server.receive()
    server.process.stdout.close()
    assert server.seconds_to_exit() < 4
    assert server.process.returncode == 0


def test_with_both_pipes_gone_the_process_is_gone_within_ten_seconds(server):
    server.send(call(1, "stubborn", token=0))
    server.receive()
    server.process.stdin.close()
    server.process.stdout.close()
    assert server.seconds_to_exit() < 10
    assert server.process.returncode == 0


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "</dev/null", "<&- >&- 2>&-"])
def test_descriptors_that_are_missing_from_the_start_do_no_harm(closed):
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *FAKE]
    answers, done = run(command, lines_of(request(1)) if "<" not in closed else b"")
    assert [answer["id"] for answer in answers] == ([1] if "<" not in closed else [])
    assert done.returncode == 0


def test_an_idle_server_uses_no_processor_time_and_says_nothing(server):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    server.send(request(1))
    server.receive()
    assert select.select([server.process.stdout], [], [], 1.5)[0] == []
    server.process.stdin.close()
    server.process.wait(30)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.2


def test_the_program_lists_its_tools_and_prints_its_version():
    answers, done = run(REAL, lines_of(INITIALIZE, INITIALIZED, request(1, "tools/list")))
    assert answers[0]["result"]["serverInfo"]["name"] == "kie-mcp"
    assert "generate_visual" in [tool["name"] for tool in answers[1]["result"]["tools"]]
    assert done.returncode == 0
    version = subprocess.run([*REAL, "--version"], capture_output=True, check=True, text=True, env=environment())
    assert version.stdout == f"kie-mcp {answers[0]['result']['serverInfo']['version']}\n"


@pytest.mark.parametrize("arguments", [[], ["--sandbox"], ["serve", "--sandbox"]])
def test_the_program_answers_a_call_without_a_key(tmp_path, arguments):
    data = lines_of(INITIALIZE, call(1, "describe_imager_interface"))
    answers, done = run([*REAL, *arguments], data, tmp_path, KIE_AI_STATE_DIR=str(tmp_path / "state"))
    assert answers[1]["result"]["isError"] is False
    assert done.returncode == 0


def test_other_arguments_go_to_the_command_line():
    done = subprocess.run([*REAL, "--help"], capture_output=True, check=True, text=True, env=environment())
    assert "doctor" in done.stdout


def test_nothing_slow_is_imported_before_the_first_call():
    probe = """
import os, sys
reader, writer = os.pipe()
os.dup2(reader, 0)
os.write(writer, sys.argv.pop().encode())
os.close(writer)
leave = os._exit
def tell(code):
    os.write(2, " ".join(sys.modules).encode())
    leave(code)
os._exit = tell
from kie_mcp.__main__ import main
main()
"""
    data = lines_of(INITIALIZE, INITIALIZED, request(1, "tools/list"))
    kept = {name: value for name, value in environment().items() if not name.startswith("COV")}
    command = [sys.executable, "-c", probe, data.decode()]
    done = subprocess.run(command, capture_output=True, check=True, env=kept, timeout=60)
    assert [answer["id"] for answer in heard(data, done.stdout)] == [0, 1]
    loaded = done.stderr.decode().split()
    assert "kie_mcp.protocol.server" in loaded
    assert [name for name in SLOW_MODULES if name in loaded] == []


def test_a_person_who_starts_it_in_a_terminal_is_told_what_it_is():
    master, terminal = pty.openpty()
    pipes = {"stdin": terminal, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(REAL, env=environment(), **pipes) as process:
        os.close(terminal)
        os.write(master, lines_of(request(1)))
        assert json.loads(process.stdout.readline()) == {"jsonrpc": "2.0", "id": 1, "result": {}}
        os.write(master, b"\x04")
        rest, told = process.communicate()
    os.close(master)
    assert (rest, process.returncode) == (b"", 0)
    assert b"kie-mcp --help" in told
