"""``generate_visual``, ``create_visual_task`` and ``get_visual_task``: what goes in and what comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kie_mcp.errors import NetworkError, OutputError, TaskNotFoundError, UnknownOutcomeError
from kie_mcp.kie import TaskStatus

FINISHED = [
    "ok",
    "task_id",
    "status",
    "model",
    "platform",
    "output_path",
    "output_paths",
    "image_urls",
    "mime_type",
    "bytes",
    "width",
    "height",
    "credits_consumed",
    "elapsed_seconds",
    "warnings",
]


def generating(task_id):
    return TaskStatus(task_id, "generating")


def test_a_finished_picture_is_told_in_full(tools, png):
    answer = tools.call("generate_visual", prompt="a red fox", platform="linkedin")
    assert list(answer) == FINISHED
    assert (answer["ok"], answer["task_id"], answer["status"]) == (True, "task-1", "success")
    assert (answer["model"], answer["platform"]) == ("nano-banana-pro", "linkedin")
    assert Path(answer["output_path"]).is_absolute()
    assert Path(answer["output_path"]).read_bytes() == png
    assert answer["output_paths"] == [answer["output_path"]]
    assert answer["image_urls"] == ["https://result.example/task-1-0.png"]
    assert (answer["mime_type"], answer["bytes"], answer["width"], answer["height"]) == ("image/png", len(png), 40, 30)
    assert answer["credits_consumed"] == 18
    assert answer["elapsed_seconds"] > 0


def test_where_kie_does_not_say_the_cost_the_estimate_stands_under_a_name_of_its_own(tools, kie, success):
    kie.state = lambda task_id: replace(success(task_id), credits_consumed=None)
    answer = tools.call("generate_visual", prompt="a fox", resolution="4K")
    assert (answer["credits_consumed"], answer["credits_estimated"]) == (None, 24)
    again = tools.call("get_visual_task", task_id=answer["task_id"])
    assert (again["credits_consumed"], again["credits_estimated"]) == (None, 24)


def test_a_model_that_gives_data_gives_them_as_they_are(tools, kie):
    found = {"segments": [{"index": 0, "box": [1, 2, 3, 4]}]}
    kie.state = lambda task_id: TaskStatus(task_id, "success", result=found)
    model = "grok-imagine-image-2-0/segment-map"
    answer = tools.call(
        "generate_visual", prompt="what is there", model=model, image_input=["https://example.com/a.png"]
    )
    assert (answer["result"], answer["output_paths"], answer["status"]) == (found, [], "success")
    assert "next_step" not in answer
    assert tools.call("get_visual_task", task_id=answer["task_id"])["result"] == found


def test_links_in_data_are_told_to_be_short_lived(tools, kie):
    masks = {"mask_urls": ["https://result.example/mask.png"]}
    kie.state = lambda task_id: TaskStatus(task_id, "success", result=masks)
    answer = tools.call("generate_visual", prompt="a", model="z-image")
    assert answer["warnings"] == ["The result holds links of its own, which are not saved: they die within the hour."]


def test_every_file_is_linked(tools, kie, success, png):
    kie.state = lambda task_id: success(task_id, pictures=3)
    result = tools.result("generate_visual", prompt="a fox")
    assert [link.uri for link in result.links] == [Path(path).as_uri() for path in result.structured["output_paths"]]
    assert {(link.mime_type, link.size) for link in result.links} == {("image/png", len(png))}
    assert result.links[0].name == Path(result.structured["output_path"]).name


def test_several_pictures_are_each_described(tools, kie, success, png):
    kie.state = lambda task_id: success(task_id, pictures=2)
    answer = tools.call("generate_visual", prompt="a fox")
    assert answer["pictures"] == [
        {"path": path, "mime_type": "image/png", "bytes": len(png), "width": 40, "height": 30}
        for path in answer["output_paths"]
    ]


def test_every_argument_reaches_the_task(tools, kie, tmp_path):
    tools.call(
        "generate_visual",
        prompt="a fox",
        style="watercolour",
        platform="instagram-story",
        negative_prompt="people",
        model="nano-banana-2",
        resolution="2K",
        output_format="jpeg",
        image_input=["https://example.com/a.png"],
        callback_url="https://example.com/done",
        output_path=str(tmp_path / "fox.png"),
    )
    (body,) = kie.bodies
    assert body["model"] == "nano-banana-2"
    assert body["callBackUrl"] == "https://example.com/done"
    assert {"aspect_ratio": "9:16", "resolution": "2K", "image_input": ["https://example.com/a.png"]}.items() <= body[
        "input"
    ].items()
    assert all(word in body["input"]["prompt"] for word in ("a fox", "watercolour", "people"))
    assert (tmp_path / "fox.png").is_file()


def test_an_empty_optional_text_is_as_if_it_were_not_given(tools, kie):
    tools.call("generate_visual", prompt="a fox", style="", platform="", negative_prompt="")
    assert kie.bodies[0]["input"] == {"prompt": "a fox"}


def test_without_waiting_the_task_is_told_with_what_to_do(tools):
    answer = tools.call("generate_visual", prompt="a fox", wait_for_result=False)
    assert (answer["status"], answer["output_path"], answer["output_paths"]) == ("submitted", None, [])
    assert "get_visual_task" in answer["next_step"]


def test_a_wait_that_times_out_is_no_error_and_says_how_to_go_on(tools, kie):
    kie.state = generating
    answer = tools.call("generate_visual", prompt="a fox", poll_timeout_seconds=10)
    assert (answer["ok"], answer["status"], answer["task_id"]) == (True, "generating", "task-1")
    assert "do not ask for it again" in answer["next_step"]


def test_the_cap_on_blocking_hands_the_task_back(make_tools, kie):
    tools = make_tools(max_wait_seconds=5)
    kie.state = generating
    assert tools.call("generate_visual", prompt="a fox")["status"] == "generating"
    assert tools.clock.time <= 5


def test_a_client_that_gives_up_early_gets_the_task_back_before_it_does(tools, kie):
    tools.call_seconds = 54
    kie.state = generating
    answer = tools.call("generate_visual", prompt="a fox")
    assert (answer["status"], answer["task_id"]) == ("generating", "task-1")
    assert "do not ask for it again" in answer["next_step"]
    assert tools.clock.time <= 54


@pytest.mark.parametrize(("most", "client", "expected"), [(20, 54, 20), (100, 54, 100), (20, float("inf"), 20)])
def test_the_cap_of_the_user_decides_whatever_is_known_of_the_client(make_tools, kie, most, client, expected):
    tools = make_tools(max_wait_seconds=most)
    tools.call_seconds = client
    kie.state = generating
    tools.call("generate_visual", prompt="a fox")
    assert tools.clock.time == pytest.approx(expected, abs=3)


def test_a_failed_task_is_an_error_with_its_id(tools, kie):
    kie.state = lambda task_id: TaskStatus(task_id, "fail", fail_code="422", fail_message="prohibited content")
    error = tools.error("generate_visual", prompt="a fox")
    assert (error["category"], error["code"], error["task_id"]) == ("task_failed", "422", "task-1")
    assert "prohibited content" in error["message"]


def test_an_unknown_outcome_says_not_to_repeat_blindly(tools, kie):
    kie.refusals["a fox"] = UnknownOutcomeError("no answer")
    error = tools.error("generate_visual", prompt="a fox")
    assert error["category"] == "unknown_outcome"
    assert error["retryable"] is False
    assert "get_credits" in error["next_step"]


def test_a_price_above_the_limit_is_refused_and_an_unknown_one_is_told(make_tools, kie):
    tools = make_tools(max_credits_per_call=10)
    for name in ("generate_visual", "create_visual_task"):
        error = tools.error(name, prompt="a fox")
        assert (error["category"], "18 credits" in error["message"]) == ("input", True)
        assert "price is not known" in tools.call(name, prompt="a fox", model="new/model")["warnings"][-1]
    assert len(kie.bodies) == 2


def test_a_missing_key_is_an_error_that_says_how_to_set_it(make_tools):
    tools = make_tools(api_key=None)
    for name, arguments in (
        ("generate_visual", {"prompt": "a"}),
        ("create_visual_task", {"prompt": "a"}),
        ("get_credits", {}),
        ("get_visual_task", {"task_id": "t"}),
    ):
        error = tools.error(name, **arguments)
        assert error["category"] == "config"
        assert "KIE_AI_API_KEY=" in error["next_step"]


# create_visual_task


def test_a_task_is_made_and_told_at_once(tools, kie):
    answer = tools.call("create_visual_task", prompt="a fox", platform="x")
    assert list(answer) == [
        "ok",
        "task_id",
        "status",
        "model",
        "platform",
        "credits_estimated",
        "warnings",
        "next_step",
    ]
    assert (answer["task_id"], answer["status"], answer["platform"]) == ("task-1", "submitted", "x")
    assert tools.clock.time == 0


# get_visual_task


def test_a_task_is_fetched_once_and_told_alike_ever_after(tools):
    tools.call("create_visual_task", prompt="a fox")
    first = tools.call("get_visual_task", task_id="task-1")
    again = tools.call("get_visual_task", task_id="task-1")
    assert list(first) == FINISHED
    assert {**again, "elapsed_seconds": first["elapsed_seconds"]} == first


def test_a_task_that_runs_on_is_told_with_what_to_do(tools, kie):
    kie.state = generating
    tools.call("create_visual_task", prompt="a fox")
    answer = tools.call("get_visual_task", task_id="task-1", wait_seconds=5)
    assert answer["status"] == "generating"
    assert "wait_seconds" in answer["next_step"]
    assert tools.clock.time == pytest.approx(5)


def test_waiting_for_a_task_ends_before_the_client_gives_up(tools, kie):
    tools.call("create_visual_task", prompt="a fox")
    kie.state = generating
    tools.call_seconds = 54
    answer = tools.call("get_visual_task", task_id="task-1", wait_seconds=3600)
    assert (answer["ok"], answer["status"]) == (True, "generating")
    assert "get_visual_task" in answer["next_step"]
    assert tools.clock.time == pytest.approx(54, abs=2)


def test_without_download_the_links_are_told_and_that_they_die(tools):
    tools.call("create_visual_task", prompt="a fox")
    answer = tools.call("get_visual_task", task_id="task-1", download=False)
    assert (answer["output_path"], len(answer["image_urls"])) == (None, 1)
    assert "its link dies" in answer["next_step"]


def test_a_failed_task_is_an_error_that_still_tells_its_status(tools, kie):
    kie.state = lambda task_id: TaskStatus(task_id, "fail", fail_message="prohibited")
    for _ in range(2):
        result = tools.result("get_visual_task", task_id="t")
        assert result.is_error
        assert (result.structured["status"], result.structured["error"]["task_id"]) == ("fail", "t")


def test_a_structured_result_is_passed_on(tools, kie):
    kie.state = lambda task_id: TaskStatus(task_id, "success", result={"layers_data": [1]})
    assert tools.call("get_visual_task", task_id="t")["result"] == {"layers_data": [1]}


@pytest.mark.parametrize("trouble", [TaskNotFoundError("Kie knows no task 't'.", task_id="t"), NetworkError("broken")])
def test_trouble_with_a_task_is_an_error_of_its_kind(tools, kie, trouble):
    def fail(_):
        raise trouble

    kie.state = fail
    assert tools.error("get_visual_task", task_id="t")["category"] == trouble.category


def test_a_picture_that_cannot_be_written_names_the_task_and_can_be_fetched_elsewhere(tools, kie, monkeypatch):
    def full(*_):
        raise OutputError("The disk is full.")

    monkeypatch.setattr(kie, "fetch", full)
    error = tools.error("generate_visual", prompt="a fox")
    assert (error["category"], error["task_id"]) == ("output", "task-1")
    monkeypatch.undo()
    assert tools.call("get_visual_task", task_id="task-1")["output_path"]


@pytest.mark.parametrize("url", ["https://", "http://[x", "https://\ud800", "https://a b"])
def test_a_callback_without_a_host_is_refused(tools, url):
    result = tools.result("create_visual_task", prompt="a fox", callback_url=url)
    assert result.is_error
    assert result.structured["error"]["category"] == "input"
    assert "'callback_url'" in result.structured["error"]["message"]
