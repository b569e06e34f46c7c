"""Items, defaults, one outcome per item, and when a batch as a whole is an error."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from kie_mcp.config import Rate
from kie_mcp.errors import AuthError, ServerError
from kie_mcp.kie import TaskStatus


@pytest.fixture
def batch(tools):
    def run(*items, **arguments):
        return tools.result("generate_visual_batch", items=list(items), **arguments).structured

    return run


def test_every_item_has_an_outcome_in_order(batch):
    answer = batch(*[{"prompt": f"fox {number}"} for number in range(12)])
    assert (answer["ok"], answer["total"], answer["succeeded"], answer["failed"]) == (True, 12, 12, 0)
    assert [entry["index"] for entry in answer["results"]] == list(range(12))
    assert [f"fox-{number}" in entry["output_path"] for number, entry in enumerate(answer["results"])] == [True] * 12


def test_an_outcome_has_the_fields_of_a_single_picture(tools, batch):
    single = tools.call("generate_visual", prompt="a fox")
    (entry,) = batch({"prompt": "a fox"})["results"]
    assert list(entry) == ["index", *single]


def test_every_file_of_every_item_is_linked(tools):
    result = tools.result("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}])
    assert [link.name for link in result.links] == [
        entry["output_path"].rpartition("/")[2] for entry in result.structured["results"]
    ]


@pytest.mark.parametrize(
    "items", [[{"prompt": "a"}, {"prompt": "b"}], [{"prompt": "ä 狐", "poll_timeout_seconds": 60.5}]]
)
def test_the_items_may_come_as_a_string_of_json(tools, items):
    answer = tools.call("generate_visual_batch", items=json.dumps(items))
    assert answer["succeeded"] == len(items)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"prompt": "a"}', "'items' is a string that is not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"prompt": "a"}', "it must be a list of at least one object"),
        ("[]", "it must be a list of at least one object"),
        ("null", "'items' holds null"),
        ('[{"prompt": "a", "model_params": {"seed": NaN}}]', "NaN is no number"),
        ('[{"prompt": "a", "model_params": {"seed": -Infinity}}]', "-Infinity is no number"),
        ('[{"prompt": "a", "model_params": {"seed": 1e999}}]', "1e999 is no number"),
    ],
)
def test_a_string_that_holds_no_items_is_explained(tools, text, expected):
    error = tools.error("generate_visual_batch", items=text)
    assert error["category"] == "input"
    assert expected in error["message"]
    assert len(error["message"]) < 400


def test_defaults_serve_every_item_that_does_not_set_its_own(tools, kie, tmp_path):
    tools.call(
        "generate_visual_batch",
        items=[{}, {"prompt": "b", "style": "own", "model": "z-image", "aspect_ratio": "1:1"}],
        default_prompt="a",
        default_style="shared",
        default_platform="linkedin",
        default_negative_prompt="people",
        default_model="nano-banana-2",
        default_aspect_ratio="4:3",
        default_model_params={},
        default_callback_url="https://example.com/done",
        default_output_path=str(tmp_path / "there"),
        default_wait_for_result=True,
        default_poll_interval_seconds=1,
        default_poll_timeout_seconds=60,
    )
    first, second = sorted(kie.bodies, key=lambda body: body["model"])
    assert (first["model"], first["input"]["aspect_ratio"]) == ("nano-banana-2", "4:3")
    assert all(word in first["input"]["prompt"] for word in ("a", "shared", "people"))
    assert (second["model"], second["input"]["aspect_ratio"]) == ("z-image", "1:1")
    assert "own" in second["input"]["prompt"]
    assert first["callBackUrl"] == second["callBackUrl"] == "https://example.com/done"
    assert len(list((tmp_path / "there").iterdir())) == 2


def test_defaults_for_the_model_only_serve_too(tools, kie):
    tools.call(
        "generate_visual_batch",
        items=[{"prompt": "a"}],
        default_resolution="2K",
        default_output_format="jpg",
        default_image_input=["https://example.com/a.png"],
    )
    assert kie.bodies[0]["input"] == {
        "prompt": "a",
        "resolution": "2K",
        "output_format": "jpg",
        "image_input": ["https://example.com/a.png"],
    }


def test_items_that_are_not_waited_for_are_told_as_submitted(batch):
    answer = batch({"prompt": "a"}, {"prompt": "b", "wait_for_result": False})
    assert [entry["status"] for entry in answer["results"]] == ["success", "submitted"]
    assert answer["succeeded"] == 2


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, "'prompt' is missing or empty"),
        ({"promt": "a"}, "Did you mean 'prompt'?"),
        ({"prompt": 5}, "'prompt' is 5; it must be a string."),
        ("a fox", 'The value is "a fox"; it must be an object.'),
        (None, "The value is null; it must be an object."),
        ({"prompt": "a", "poll_timeout_seconds": 1e300}, "at most 1000000000 seconds"),
        ({"prompt": "a", "aspect_ratio": "17:3"}, "17:3"),
    ],
)
def test_a_bad_item_fails_alone(batch, item, expected, error_schema):
    answer = batch({"prompt": "before"}, item, {"prompt": "after"})
    assert [entry["ok"] for entry in answer["results"]] == [True, False, True]
    entry = answer["results"][1]
    assert list(entry) == ["index", "ok", "error"]
    Draft202012Validator(error_schema).validate(entry["error"])
    assert entry["error"]["category"] == "input"
    assert expected in entry["error"]["message"]
    assert (answer["ok"], answer["succeeded"], answer["failed"]) == (True, 2, 1)


def test_a_batch_is_an_error_where_every_item_failed(tools, kie):
    kie.refusals = {"a": AuthError("The key was refused.", code=401), "b": ServerError("busy")}
    result = tools.result("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}])
    assert result.is_error
    assert result.structured["failed"] == 2
    assert result.structured["error"]["category"] == "auth"
    assert result.structured["error"]["message"] == "2 of 2 items failed; item 0: The key was refused."
    assert [entry["error"]["category"] for entry in result.structured["results"]] == ["auth", "server"]


def test_a_batch_that_was_to_stop_at_an_error_is_one_and_lists_what_was_finished(tools, kie):
    kie.refusals = {"bad": AuthError("The key was refused.")}
    items = [{"prompt": "a"}, {"prompt": "bad"}, {"prompt": "b"}]
    result = tools.result("generate_visual_batch", items=items, max_workers=1, continue_on_error=False)
    assert result.is_error
    assert [entry["ok"] for entry in result.structured["results"]] == [True, False, False]
    assert result.structured["results"][0]["output_path"]
    assert result.structured["results"][2]["error"]["category"] == "cancelled"
    assert len(result.links) == 1
    assert len(kie.bodies) == 1


def test_a_batch_that_was_to_stop_and_met_no_error_is_none(batch):
    assert batch({"prompt": "a"}, continue_on_error=False)["ok"]


def test_a_failed_task_is_told_with_its_id(batch, kie, success):
    kie.state = lambda task_id: (
        TaskStatus(task_id, "fail", fail_message="prohibited") if task_id == "task-1" else success(task_id)
    )
    answer = batch({"prompt": "a"}, {"prompt": "b"}, max_workers=1)
    assert answer["results"][0]["error"]["task_id"] == "task-1"
    assert answer["results"][1]["ok"]


def test_the_cap_on_blocking_hands_every_task_back(make_tools, kie, monkeypatch):
    tools = make_tools(max_wait_seconds=5)
    kie.state = lambda task_id: TaskStatus(task_id, "generating")
    # Time runs as fast as the items poll: no item polls before both are made, else the call might end before.
    both, create = threading.Barrier(2), kie.create_task
    monkeypatch.setattr(kie, "create_task", lambda *asked: (both.wait(60), create(*asked))[1])
    answer = tools.call("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}])
    assert {entry["status"] for entry in answer["results"]} <= {"generating", "submitted"}
    assert len(kie.bodies) == 2
    assert all("get_visual_task" in entry["next_step"] for entry in answer["results"])


def test_what_a_batch_could_not_send_before_its_client_gives_up_says_that_nothing_was_sent(make_tools, kie):
    tools = make_tools(rate_limit=Rate(2, 100))
    tools.call_seconds = 54
    kie.state = lambda task_id: TaskStatus(task_id, "generating")
    answer = tools.call("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}])
    running = [entry for entry in answer["results"] if entry["ok"]]
    refused = [entry["error"] for entry in answer["results"] if not entry["ok"]]
    assert {entry["status"] for entry in running} <= {"generating", "submitted"}
    for error in refused:
        assert error["category"] in ("rate_limit", "cancelled"), "whether the window or the end of the call came first"
        assert error["retryable"]
        assert "nothing was sent" in f"{error['message']} {error['next_step']}".lower()
        assert "task_id" not in error
    # Time runs as fast as the first item polls, so that the call may end before the second one has its turn.
    assert len(kie.bodies) == len(running) in (1, 2)
    assert (answer["ok"], answer["succeeded"], answer["failed"]) == (True, len(running), 3 - len(running))


def test_a_batch_above_the_price_limit_is_refused_as_a_whole(make_tools, kie):
    tools = make_tools(max_credits_per_call=20)
    error = tools.error("generate_visual_batch", items=[{"prompt": "a"}, {"prompt": "b"}])
    assert "at least 36 credits" in error["message"]
    assert kie.bodies == []


def test_the_error_of_a_batch_is_that_of_the_item_that_was_wrong(tools, kie):
    items = [{"prompt": "a"}, {"prompt": "b", "aspect_ratio": "7:9"}, {"prompt": "c"}]
    result = tools.result("generate_visual_batch", items=items, continue_on_error=False)
    assert result.structured["error"]["category"] == "input"
    assert "item 1" in result.structured["error"]["message"]
    assert kie.bodies == []


def test_the_cost_of_all_items_is_summed_up(tools, batch, kie, success):
    answer = batch({"prompt": "a"}, {"prompt": "b"}, {"prompt": ""})
    assert answer["credits_consumed"] == 36
    assert "credits_estimated" not in answer
    kie.state = lambda task_id: replace(success(task_id), credits_consumed=None)
    answer = batch({"prompt": "a", "model": "z-image"}, {"prompt": "b", "wait_for_result": False})
    assert answer["credits_estimated"] == 18.8
    assert "credits_consumed" not in answer
