"""A hostile or broken Kie behind real sockets: whatever it says is data, and what was paid for is not lost."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata

import pytest

from kie_mcp.sandbox import Sandbox, SandboxOptions
from kie_mcp.sandbox.hostile import VARIANTS

PNG = b"\x89PNG"


def strings_in(value):
    if isinstance(value, str):
        yield value
    for item in value.items() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from strings_in(item)


def is_fit_to_be_shown(answer):
    """No text that a terminal obeys, not too much of it, and JSON that any host can read."""
    assert all(text.isprintable() for text in strings_in(answer.structured))
    assert len(json.dumps(answer.structured, allow_nan=False)) < 20_000
    return True


@pytest.fixture
def quick(make_kie):
    """One attempt at each request, so that every fault is met."""
    return make_kie(KIE_AI_HTTP_RETRIES="1")


CREATED = {
    "types": "unknown_outcome",
    "deep": "unknown_outcome",
    "huge": "unknown_outcome",
    "urls": "unknown_outcome",
    "result": "input",
    "escapes": "input",
    "prompt": "input",
}


@pytest.mark.parametrize(("variant", "category"), CREATED.items())
def test_a_hostile_answer_to_createtask_is_an_error_and_never_sent_again(kie, variant, category):
    kie.sandbox.faults.add("create", "hostile", variant=variant, accepted=True)
    answer = kie.result("generate_visual", prompt="a red fox")
    assert is_fit_to_be_shown(answer)
    assert answer.structured["error"]["category"] == category
    assert (kie.billed, kie.asked("POST /api/v1/jobs/createTask"), kie.files()) == (1, 1, [])


@pytest.mark.parametrize("variant", ["types", "deep", "huge"])
def test_a_poll_that_makes_no_sense_is_followed_by_the_next(quick, variant):
    quick.sandbox.faults.add("poll", "hostile", variant=variant)
    answer = quick.result("generate_visual", prompt="a red fox")
    assert is_fit_to_be_shown(answer)
    assert (answer.structured["status"], len(quick.files()), quick.billed) == ("success", 1, 1)


@pytest.mark.parametrize("variant", ["escapes", "prompt"])
def test_what_kie_says_of_a_failed_task_is_shown_harmless_and_as_its_words(quick, variant):
    quick.sandbox.faults.add("poll", "hostile", variant=variant, times=0)
    answer = quick.result("generate_visual", prompt="a red fox")
    assert is_fit_to_be_shown(answer)
    error = answer.structured["error"]
    assert error["category"] == "task_failed"
    who, _, said = error["message"].partition(": ")
    assert (who, said[0], said[-1], said.count('"')) == ("Kie could not make the picture", '"', '"', 2)
    assert is_fit_to_be_shown(quick.result("list_visual_tasks"))


def test_a_structured_result_that_is_too_large_is_a_note_where_to_find_it(quick):
    quick.sandbox.faults.add("poll", "hostile", variant="result", times=0)
    answer = quick.result("generate_visual", prompt="a red fox")
    assert is_fit_to_be_shown(answer)
    assert (answer.structured["status"], list(answer.structured["result"])) == ("success", ["left_out"])
    quick.sandbox.faults.clear()
    again = quick.call("get_visual_task", task_id=answer.structured["task_id"])
    assert "kie.ai/logs" in again["result"]["left_out"]


def test_links_to_the_local_network_are_not_opened(quick):
    quick.sandbox.faults.add("poll", "hostile", variant="urls", times=0)
    answer = quick.result("generate_visual", prompt="a red fox")
    assert is_fit_to_be_shown(answer)
    assert answer.structured["error"]["category"] == "output"
    assert "not followed" in answer.structured["error"]["message"]
    (task,) = quick.call("list_visual_tasks")["tasks"]
    looked = quick.call("get_visual_task", task_id=task["task_id"], download=False)
    assert len(looked["image_urls"]) == 100
    assert all(url.startswith(("http://10.0.0.1/", "https://")) for url in looked["image_urls"])
    assert quick.files() == []
    quick.sandbox.faults.clear()
    assert quick.call("get_visual_task", task_id=task["task_id"])["output_path"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_hostile_balance_is_an_error(quick, variant):
    quick.sandbox.faults.add("credits", "hostile", variant=variant)
    answer = quick.result("get_credits")
    assert is_fit_to_be_shown(answer)
    assert answer.structured["error"]["category"] == "server"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_hostile_answer_to_an_upload_ends_the_call_before_anything_is_billed(quick, tmp_path, variant):
    made = quick.call("generate_visual", prompt="a picture to upload")["output_path"]
    quick.sandbox.faults.add("upload", "hostile", variant=variant)
    answer = quick.result("generate_visual", prompt="a red fox", image_input=[made])
    assert is_fit_to_be_shown(answer)
    assert answer.structured["error"]["category"] == "server"
    assert quick.billed == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_hostile_renewal_of_a_link_leads_nowhere(quick, variant):
    quick.sandbox.faults.add("download", "dead")
    quick.sandbox.faults.add("download_url", "hostile", variant=variant)
    answer = quick.result("generate_visual", prompt="a red fox")
    assert is_fit_to_be_shown(answer)
    assert answer.structured["error"]["category"] in ("output", "server")
    assert quick.files() == []
    task_id = answer.structured["error"]["task_id"]
    assert quick.call("get_visual_task", task_id=task_id)["output_path"]


# what comes out of a process


@pytest.mark.parametrize("on", ["create", "poll", "credits"])
def test_nothing_of_it_reaches_a_terminal_raw(tmp_path, catalogue, environment_for, on):
    with Sandbox(SandboxOptions(task_seconds=0.05), catalogue=catalogue) as sandbox:
        sandbox.faults.add(on, "hostile", variant="escapes", times=0)
        command = ["credits"] if on == "credits" else ["generate", "a red fox", "--output-path", str(tmp_path / "out")]
        settings = {"KIE_AI_LOG_LEVEL": "debug", "KIE_AI_LOG_FILE": str(tmp_path / "log"), "KIE_AI_HTTP_RETRIES": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "kie_mcp", *command],
            env=environment_for(sandbox, tmp_path, **settings),
            cwd=tmp_path,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    shown = (done.stdout + done.stderr + (tmp_path / "log").read_bytes()).decode()
    assert "Kie" in shown
    assert {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} <= {"\n"}
