"""Answers that are too long for a host: what is left out of them, and what never is."""

from __future__ import annotations

import json

import pytest

from kie_mcp.jobs import News
from kie_mcp.jobs.recovery import MOST_NEWS
from kie_mcp.kie import TaskStatus
from kie_mcp.tools.fitting import ANSWER_BYTES, fitted, json_bytes

LINKS = [f"https://a.example/{number}/" + "x" * 8_000 for number in range(100)]


def test_what_fits_stays_as_it_is():
    told = {"ok": True, "result": "x" * 100}
    assert fitted(told, json_bytes(told)) is told


def test_the_longest_goes_first_and_no_more_than_has_to():
    told = {
        "ok": True,
        "task_id": "t1",
        "output_paths": ["/" + "p" * 3_000],
        "image_urls": ["u" * 2_000],
        "warnings": ["w" * 1_000],
        "result": {"mask": "r" * 3_000},
    }
    command = 'kie-mcp call get_visual_task \'{"task_id": "t1"}\''
    step = f"Too long for this answer: …. With the settings of this server, {command} shows all."
    one = {**told, "result": None, "left_out": ["result"], "next_step": step.replace("…", "result")}
    assert fitted(told, 7_000) == one
    two = {**one, "image_urls": [], "left_out": ["result", "image_urls"]}
    assert fitted(told, 5_000) == {**two, "next_step": step.replace("…", "result, image_urls")}
    assert fitted(told, 10) == fitted(told, 5_000)


def test_what_is_short_stays_even_where_the_rest_is_too_long():
    told = {"ok": True, "task_id": "t", "model": "m", "image_urls": ["u"], "output_paths": ["p" * 2_000]}
    assert fitted(told, 1_000) == told


def test_of_too_many_warnings_the_first_are_told_and_how_many_more_there_are():
    told = {"ok": True, "task_id": "t", "warnings": [f"{number} " + "w" * 990 for number in range(30)], "result": {}}
    shown = fitted(told, 5_000)
    assert json_bytes(shown) <= 5_000
    assert shown["warnings"] == [*told["warnings"][:4], "26 more warnings are too long to be told."]
    assert "left_out" not in shown


def test_a_next_step_stays_the_first():
    told = {"task_id": "t", "next_step": "Wait.", "result": "r" * 1_000}
    assert fitted(told, 500)["next_step"].startswith("Wait. Too long for this answer: result.")


def test_what_would_be_sent_is_shown_by_a_rehearsal_on_the_command_line():
    told = {"index": 0, "ok": True, "body": {"prompt": "x" * 60_000}, "warnings": []}
    step = "Too long for this answer: body. With the settings of this server, kie-mcp batch FILE --dry-run shows all."
    assert fitted(told, 1_000) == {**told, "body": None, "left_out": ["body"], "next_step": step}


def test_without_a_task_there_is_nowhere_to_look():
    told = {"index": 0, "ok": False, "result": {"mask": "x" * 60_000}}
    assert fitted(told, 1_000) == {**told, "result": None, "left_out": ["result"]}


@pytest.mark.parametrize(("text", "size"), [("ab", 4), ("ü", 4), ("狐", 5), ("🦊", 6), ("\ud800", 5), ('"', 4)])
def test_sizes_are_those_of_what_is_sent(text, size):
    assert json_bytes(text) == size


def test_lists_and_objects_are_sent_without_spaces():
    assert json_bytes({"a": ["x", 1, None]}) == len('{"a":["x",1,null]}')


# whole answers


@pytest.fixture
def lengthy(kie):
    """A task that succeeds with a hundred links of 8 kB and a long result."""
    kie.state = lambda task_id: TaskStatus(task_id, "success", "z-image", tuple(LINKS), {"mask": "ü" * 5_000})
    return kie


def test_a_task_with_very_many_long_links_is_told_within_the_limit(served, lengthy):
    answer = served.call("generate_visual", prompt="a fox")
    assert json_bytes(answer) <= ANSWER_BYTES
    assert len(answer["output_paths"]) == 100
    assert (answer["status"], answer["image_urls"], answer["left_out"][0]) == ("success", [], "image_urls")
    assert "result" not in answer["left_out"]
    assert "kie-mcp call get_visual_task" in answer["next_step"]


def test_a_long_result_is_left_out_for_a_host_and_is_there_on_the_command_line(served, kie):
    result = {"mask": "x" * 60_000}
    kie.state = lambda task_id: TaskStatus(task_id, "success", result=result)
    made = served.call("generate_visual", prompt="a fox")
    assert (made["result"], made["left_out"]) == (None, ["result"])
    served.services.serving = False
    assert served.call("get_visual_task", task_id=made["task_id"])["result"] == result


@pytest.mark.parametrize("length", [100, 480, 600, 700, 950, 1_100, 1_300, 1_900])
def test_a_batch_that_failed_with_news_beside_it_is_told_within_the_limit(served, length):
    long = [News("a" * 32, "success", "狐" * 200, (f"/home/u/{'p' * 230}.png",)) for _ in range(5)]
    short = [News("b" * 32, "success", "狐" * 200, ("/home/user/pictures/x.png",)) for _ in range(MOST_NEWS - 5)]
    served.services.jobs.recovery._news = [*long, *short]
    items = [{"prompt": "a", "output_path": "/" + "🦊" * length}] * 60
    answer = served.result("generate_visual_batch", items=items).structured
    assert json_bytes(answer) <= ANSWER_BYTES
    assert len(answer["finished_meanwhile"]) == MOST_NEWS
    assert answer["failed"] == 60


def test_on_the_command_line_nothing_is_left_out(tools, lengthy):
    answer = tools.call("generate_visual", prompt="a fox")
    assert answer["image_urls"] == LINKS
    assert "left_out" not in answer


LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("generate_visual", {"prompt": "a", "output_path": "/" + LONG}),
        ("generate_visual", {"prompt": "a", "aspect_ratio": LONG}),
        ("generate_visual", {"prompt": "a", "model_params": {LONG: 1}}),
        ("generate_visual", {"prompt": "a", "model_params": {f"{number}{LONG}": 1 for number in range(20)}}),
        ("generate_visual", {"prompt": "a", "image_input": [LONG + "."]}),
        ("generate_visual", {"prompt": "a", "image_input": ["task:" + LONG]}),
        ("generate_visual", {"prompt": "a", "callback_url": LONG}),
        ("generate_visual", {"prompt": "a", LONG: 1}),
        ("generate_visual_batch", {"items": LONG}),
        ("get_visual_task", {"task_id": "t", "output_path": "/" + LONG}),
        ("list_visual_tasks", {"cursor": LONG}),
        ("list_models", {"kind": LONG}),
    ],
)
def test_an_error_repeats_no_argument_at_length(served, tool, arguments):
    result = served.result(tool, **arguments)
    assert result.is_error
    assert json_bytes(result.structured) <= ANSWER_BYTES
    assert len(json.dumps(result.structured["error"])) < 10_000


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("generate_visual", {"prompt": LONG, "platform": LONG, "style": LONG}),
        ("create_visual_task", {"prompt": LONG, "platform": LONG}),
        ("generate_visual", {"prompt": "a", "model": LONG}),
        ("generate_visual_batch", {"items": [{"prompt": "a", "model": LONG}] * 50}),
        ("generate_visual_batch", {"items": [{"prompt": LONG, "platform": LONG}] * 3}),
        ("generate_visual_batch", {"items": [{"prompt": LONG, "platform": LONG}] * 3, "dry_run": True}),
        ("list_models", {"query": LONG}),
    ],
)
def test_an_answer_repeats_no_argument_at_length(served, tool, arguments):
    result = served.result(tool, **arguments)
    assert json_bytes(result.structured) <= ANSWER_BYTES
