"""What real clients have sent to a server, in the order in which they sent it, sent to this one.

``client_traffic.json`` has for each client the processes that it started: what it sent to each, and whether it closed
the input then or sent a signal. Names and arguments of tools are ours in the place of those of the server that the
traffic was recorded with: one that takes its time, one with a long answer, and one that is not there.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

TRAFFIC = json.loads(Path(__file__).with_name("client_traffic.json").read_text("utf-8"))


@pytest.fixture
def start(server_process, environment_for, key, tmp_path):
    """Start a server; the pictures that a client gives up are never done."""
    with Sandbox(SandboxOptions(task_seconds=0.2, rate=Rate(1000, 1), api_key=key)) as sandbox:
        sandbox.faults.add("poll", "stuck", times=0, match="given up")
        yield lambda: server_process(environment_for(sandbox, tmp_path), tmp_path)


def send(server, *messages):
    server.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))


def given_up(sent):
    """The ids of the requests that the client cancels."""
    return {each["params"]["requestId"] for each in sent if each["method"] == "notifications/cancelled"}


def begun(server, request):
    """Wait until a call is on its way; nothing else is under way."""
    while "submitted as task" not in (message := server.receive())["params"]["message"]:
        assert message["params"]["progressToken"] == request["params"]["_meta"]["progressToken"]


def answer(server, request):
    while "id" not in (message := server.receive()):
        assert message["method"] == "notifications/progress"
    assert message["id"] == request["id"]
    return message


def expected(request):
    """The code of the error that a request is answered with, if any."""
    return -32602 if request.get("params", {}).get("name") == "nope" else None


def end(server, how):
    """Let the process end as the client did; it says nothing more."""
    if how == "eof":
        assert server.end() == ([], 0)
        return
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 128 + signal.SIGTERM
    assert server.process.stdout.read() == b""


@pytest.mark.parametrize("client", TRAFFIC)
def test_each_request_of_a_client_is_answered_unless_it_was_cancelled(client, start):
    for process in TRAFFIC[client]:
        sent = process["sent"]
        with start() as server:
            for message in sent:
                send(server, message)
                if message.get("id") in given_up(sent):
                    begun(server, message)
                elif "id" in message:
                    got = answer(server, message)
                    assert got.get("error", {}).get("code") == expected(message)
                    assert got.get("result", {}).get("isError", False) is False
            assert server.conversation.owed == []
            end(server, process["end"])


@pytest.mark.parametrize("client", TRAFFIC)
def test_the_same_all_at_once_has_the_same_answers(client, start):
    for sent in (process["sent"] for process in TRAFFIC[client]):
        with start() as server:
            send(server, *sent)
            messages, code = server.end()
        answers = {message["id"]: message for message in messages if "id" in message}
        asked = {message["id"]: message for message in sent if "id" in message}
        assert answers.keys() == asked.keys() - given_up(sent)
        assert all(answer.get("error", {}).get("code") == expected(asked[number]) for number, answer in answers.items())
        assert code == 0
