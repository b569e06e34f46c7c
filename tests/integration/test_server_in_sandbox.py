"""The real server with its real tools, over real pipes, against a sandbox on a real socket."""

from __future__ import annotations

import json
import signal
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-that-must-not-be-seen"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture
def sandbox():
    """A sandbox whose tasks take a moment and whose rate window is wide."""
    with Sandbox(SandboxOptions(task_seconds=0.4, rate=Rate(1000, 10), api_key=KEY)) as running:
        yield running


@pytest.fixture
def environment(environment_for, sandbox, tmp_path):
    return environment_for(
        sandbox,
        tmp_path,
        KIE_AI_API_KEY=KEY,
        KIE_AI_LOG_FILE=str(tmp_path / "log.jsonl"),
        KIE_AI_LOG_LEVEL="debug",
        KIE_AI_RATE_LIMIT="1000/10",
        KIE_AI_POLL_INTERVAL_SECONDS="0.2",
    )


@pytest.fixture
def server(server_process, environment, tmp_path):
    with server_process(environment, tmp_path) as running:
        yield running


def assert_error(answer, category, *words):
    assert answer["ok"] is False
    error = answer["error"]
    assert error["category"] == category
    assert isinstance(error["retryable"], bool)
    assert error["next_step"]
    for word in words:
        assert word in error["message"]


def test_a_prompt_becomes_a_picture_of_the_asked_ratio(server, tmp_path):
    server.call(1, "generate_visual", {"prompt": "a fox", "platform": "youtube", "output_path": "pictures/fox.png"})
    made = server.answer()
    assert made["output_path"] == str(tmp_path / "pictures" / "fox.png")
    with Image.open(made["output_path"]) as picture:
        picture.load()
        assert (picture.width, picture.height) == (made["width"], made["height"])
        assert picture.width * 9 == picture.height * 16
    assert made["credits_consumed"] == 18
    assert server.end() == ([], 0)


def test_pings_and_lists_are_answered_while_ten_pictures_are_made(server, sandbox):
    sandbox.faults.add("poll", "stuck", times=0)
    for number in range(10):
        server.call(number, "create_visual_task", {"prompt": f"fox {number}"})
    answers = [server.answer() for _ in range(10)]
    assert all(answer["ok"] for answer in answers), answers
    tasks = [answer["task_id"] for answer in answers]
    for number, task_id in enumerate(tasks, 100):
        server.call(number, "get_visual_task", {"task_id": task_id, "wait_seconds": 60})
    for number in range(200, 220):
        server.send("ping", number)
        assert server.receive() == {"jsonrpc": "2.0", "id": number, "result": {}}
    server.send("tools/list", 300)
    assert server.receive()["id"] == 300
    sandbox.faults.clear()
    answers, code = server.end()
    assert {answer["id"] for answer in answers} == set(range(100, 110))
    assert all(answer["result"]["structuredContent"]["status"] == "success" for answer in answers)
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"prompt": 5}, ["'prompt' is 5", "a string"]),
        ({"promt": "a fox"}, ["Unknown argument 'promt'", "Did you mean 'prompt'?"]),
        ({"prompt": "a fox", "aspect_ratio": "7:3"}, ["7:3", "16:9"]),
        ({"prompt": "a fox", "output_format": "bmp"}, ["'output_format'", "png"]),
        ({"prompt": "a fox", "model": "z-image", "resolution": "4K"}, ["z-image", "resolution"]),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_sent(server, sandbox, arguments, words):
    server.call(1, "generate_visual", arguments)
    assert_error(server.answer(), "input", *words)
    assert sandbox.stats()["created"] == 0


def test_a_call_without_a_key_says_how_to_set_it(server_process, environment, tmp_path):
    del environment["KIE_AI_API_KEY"]
    with server_process(environment, tmp_path) as server:
        server.call(1, "generate_visual", {"prompt": "a fox"})
        answer = server.answer()
        assert_error(answer, "config", "KIE_AI_API_KEY")
        assert "--sandbox" in answer["error"]["next_step"]
        server.call(2, "describe_imager_interface")
        assert server.answer()["environment"]["api_key"] == "missing"


def test_a_setting_that_cannot_be_used_is_named_and_the_server_still_describes_itself(
    server_process, environment, tmp_path
):
    with server_process({**environment, "KIE_AI_POLL_TIMEOUT_SECONDS": "soon"}, tmp_path) as server:
        server.call(1, "generate_visual", {"prompt": "a fox"})
        assert_error(server.answer(), "config", "KIE_AI_POLL_TIMEOUT_SECONDS", "'soon'", "seconds")
        server.call(2, "describe_imager_interface")
        assert "KIE_AI_POLL_TIMEOUT_SECONDS" in server.answer()["environment"]["config_error"]["message"]
        server.call(3, "list_models", {"query": "banana"})
        found = server.answer()
        assert found["total"] == len(found["models"]) > 3


def test_progress_tells_the_states_and_ends_before_the_result(server):
    server.call(1, "generate_visual", {"prompt": "a fox"}, progressToken=0)
    messages = [server.receive()]
    while "id" not in messages[-1]:
        messages.append(server.receive())
    seen = [message["params"] for message in messages[:-1]]
    assert [params["progressToken"] for params in seen] == [0] * len(seen)
    values = [params["progress"] for params in seen]
    assert values == sorted(set(values))
    assert any("generating" in params["message"] for params in seen)
    assert messages[-1]["result"]["structuredContent"]["ok"] is True


def test_a_cancelled_call_gets_no_answer_and_its_task_is_picked_up_later(server, sandbox):
    sandbox.faults.add("poll", "stuck", times=0)
    server.call("slow", "generate_visual", {"prompt": "a fox"}, progressToken="t")
    task_id = server.submitted_task()
    server.send("notifications/cancelled", requestId="slow")
    sandbox.faults.clear()
    server.call(2, "get_visual_task", {"task_id": task_id, "wait_seconds": 30})
    while "result" not in (answer := server.receive()):
        assert answer["method"] == "notifications/progress"
    assert answer["id"] == 2
    assert Path(answer["result"]["structuredContent"]["output_path"]).is_file()
    assert server.end() == ([], 0)
    assert sandbox.stats()["created"] == 1


def test_the_stateless_era_makes_a_picture_without_a_handshake(server):
    server.send("server/discover", "probe", _meta=META)
    assert "2026-07-28" in server.receive()["result"]["supportedVersions"]
    server.call(1, "generate_visual", {"prompt": "a fox"}, **META)
    result = server.receive()["result"]
    assert result["resultType"] == "complete"
    assert [block["type"] for block in result["content"]] == ["text", "image", "resource_link"]
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    assert result["content"][2]["uri"] == Path(result["structuredContent"]["output_path"]).as_uri()


def test_a_host_that_goes_away_loses_no_task(server, server_process, sandbox, environment, tmp_path):
    sandbox.faults.add("poll", "stuck", times=0)
    server.call(1, "generate_visual", {"prompt": "a fox"}, progressToken=1)
    task_id = server.submitted_task()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 128 + signal.SIGTERM
    with server_process(environment, tmp_path) as other:
        other.call(1, "list_visual_tasks", {"status": "running"})
        assert [task["task_id"] for task in other.answer()["tasks"]] == [task_id]
        sandbox.faults.clear()
        other.call(2, "get_visual_task", {"task_id": task_id, "wait_seconds": 30})
        assert Path(other.answer()["output_path"]).is_file()
    assert sandbox.stats()["created"] == 1


def test_the_key_is_nowhere_but_in_the_requests_to_the_api(server, sandbox, tmp_path):
    sandbox.faults.add("create", "code", code=401, msg=f"Unauthorized: {KEY}")
    server.call(1, "generate_visual", {"prompt": f"a fox {KEY}"})
    first = server.answer()
    assert_error(first, "auth", "401")
    server.call(2, "generate_visual", {"prompt": f"a fox {KEY}"})
    server.call(3, "describe_imager_interface")
    answers, _ = server.end()
    assert len(answers) == 2
    shown = json.dumps([first, answers]) + server.process.stderr.read().decode()
    assert KEY not in shown
    assert sandbox.stats()["authorized_downloads"] == 0
    for file in tmp_path.rglob("*"):
        assert KEY not in file.name
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file
    rows = sqlite3.connect(tmp_path / "state" / "ledger-sandbox.sqlite3")
    assert rows.execute("SELECT count(*) FROM tasks").fetchone() == (2,)
    rows.close()
