"""What a killed process has left is collected by the next: real processes over real pipes, a stand-in on a socket."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

PROMPTS = ("a red fox", "a grey owl", "a green frog")


@pytest.fixture
def sandbox(key):
    with Sandbox(SandboxOptions(task_seconds=0.5, rate=Rate(1000, 1), api_key=key)) as running:
        yield running


@pytest.fixture
def environment(environment_for, sandbox, tmp_path):
    return environment_for(sandbox, tmp_path, KIE_AI_OUTPUT_DIR=str(tmp_path / "out"))


@pytest.fixture
def killed(server_process, environment, tmp_path):
    """The ids of tasks whose process was killed when it had just received them."""
    with server_process(environment, tmp_path) as server:
        for number, prompt in enumerate(PROMPTS):
            server.call(number, "generate_visual", {"prompt": prompt}, progressToken=number)
        ids = {server.submitted_task() for _ in PROMPTS}
        server.process.kill()
        server.process.wait()
    return ids


def files(folder):
    return sorted(path.name for path in (folder / "out").iterdir())


def run(environment, folder, *arguments):
    command = [sys.executable, "-m", "kie_mcp", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=False, text=True, timeout=60)


def test_the_first_call_of_the_next_server_starts_the_collecting(
    server_process, environment, tmp_path, killed, sandbox
):
    with server_process(environment, tmp_path) as server:
        assert server.result("describe_imager_interface")["structuredContent"]["ok"]
        finished = []
        while len(finished) < len(PROMPTS):
            answer = server.result("list_models", query="z-image")
            finished += answer["structuredContent"].get("finished_meanwhile", [])
            assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"]
    assert {entry["task_id"] for entry in finished} == killed
    assert {entry["prompt"] for entry in finished} == set(PROMPTS)
    assert len(files(tmp_path)) == len(PROMPTS)
    assert sandbox.stats()["created"] == len(PROMPTS)


def test_the_list_of_tasks_waits_for_what_can_be_collected(server_process, environment, tmp_path, killed):
    with server_process(environment, tmp_path) as server:
        tasks = []
        while not tasks or not all(task["output_paths"] for task in tasks):
            tasks = server.result("list_visual_tasks")["structuredContent"]["tasks"]
    assert {task["task_id"] for task in tasks} == killed
    assert sorted(path for task in tasks for path in task["output_paths"]) == [
        str(tmp_path / "out" / name) for name in files(tmp_path)
    ]


def test_collect_fetches_them_by_hand_and_once(environment, tmp_path, killed):
    collected = run(environment, tmp_path, "collect", "--wait-seconds", "20", "--json")
    assert collected.returncode == 0, collected.stderr
    assert {entry["task_id"] for entry in json.loads(collected.stdout)["results"]} == killed
    assert len(files(tmp_path)) == len(PROMPTS)
    again = run(environment, tmp_path, "collect")
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to collect" in again.stderr


def test_the_tasks_of_a_server_that_lives_are_left_to_it(server_process, environment, tmp_path):
    with server_process(environment, tmp_path) as one, server_process(environment, tmp_path) as other:
        made = one.result("create_visual_task", prompt="a red fox")["structuredContent"]
        waited = one.result("get_visual_task", task_id=made["task_id"], wait_seconds=20, download=False)
        assert waited["structuredContent"]["status"] == "success"
        (task,) = other.result("list_visual_tasks")["structuredContent"]["tasks"]
        assert (task["status"], task["output_paths"]) == ("success", [])
        fetched = one.result("get_visual_task", task_id=made["task_id"], output_path="fox.png")["structuredContent"]
    assert fetched["output_path"] == str(tmp_path / "fox.png")


def test_a_cancelled_call_has_its_picture_saved_all_the_same(server_process, environment, tmp_path):
    with server_process(environment, tmp_path) as server:
        server.call(1, "generate_visual", {"prompt": "a red fox"}, progressToken=1)
        task_id = server.submitted_task()
        server.send("notifications/cancelled", requestId=1)
        finished = []
        while not finished:
            finished = server.result("list_models", query="z-image")["structuredContent"].get("finished_meanwhile", [])
    assert [entry["task_id"] for entry in finished] == [task_id]
    assert finished[0]["output_paths"] == [str(tmp_path / "out" / name) for name in files(tmp_path)]


def test_the_tasks_of_another_key_are_left_out_and_told_of(environment, tmp_path, killed):
    other = {**environment, "KIE_AI_API_KEY": "k-another-one-altogether"}
    collected = run(other, tmp_path, "collect")
    assert collected.returncode == 0
    assert f"{len(killed)} unfinished task(s) that were made with another key" in collected.stderr
