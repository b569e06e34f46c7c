"""Batches over real sockets: Kie's limits are kept, every item has its own whole file, failures stay apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError


def batch(kie, *items, context=None, **arguments):
    return kie.run("generate_visual_batch", context, items=list(items), **arguments).structured


def whole(entries):
    """The paths of finished items, each of which is a picture from its first byte to its last."""
    paths = [path for entry in entries for path in entry["output_paths"]]
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
    return paths


@pytest.fixture
def make_kie(make_kie):
    """Tools and stand-in with a rate limit that batches reach, and tasks that take a while."""
    usual = {
        "task_seconds": 0.2,
        "rate": Rate(20, 1),
        "KIE_AI_RATE_LIMIT": "20/1",
        "KIE_AI_POLL_INTERVAL_SECONDS": "0.5",
        "KIE_AI_HTTP_RETRY_BACKOFF_SECONDS": "0.05",
    }
    return lambda **given: make_kie(**{**usual, **given})


def test_forty_items_with_one_prompt_keep_every_limit_of_kie_and_share_no_file(make_kie):
    kie = make_kie(rate=Rate(20, 10), KIE_AI_RATE_LIMIT="20/10")
    answer = batch(kie, *[{"prompt": "a red fox"}] * 40)
    assert (answer["total"], answer["succeeded"], answer["failed"]) == (40, 40, 0)
    assert [entry["index"] for entry in answer["results"]] == list(range(40))
    assert len(set(whole(answer["results"]))) == 40
    assert len(list(kie.output.iterdir())) == 40
    stats = kie.sandbox.stats()
    assert stats["created"] == 40
    assert stats["rate_limited"] == 0
    assert stats["max_polls_in_one_second"] <= 10
    assert stats["authorized_downloads"] == 0


def test_outcomes_stand_in_the_place_of_their_items(kie):
    prompts = [f"{colour} fox" for colour in ("red", "blue", "green", "white", "black", "grey")]
    answer = batch(kie, *[{"prompt": prompt} for prompt in prompts])
    made = {task["taskId"]: task["prompt"] for task in kie.sandbox.stats()["tasks"]}
    assert [made[entry["task_id"]] for entry in answer["results"]] == prompts
    assert [Path(entry["output_path"]).stem.split("-", 2)[2] for entry in answer["results"]] == [
        prompt.replace(" ", "-") for prompt in prompts
    ]


def test_one_file_name_for_all_items_is_shared_out(kie, tmp_path):
    answer = batch(kie, *[{"prompt": "a red fox"}] * 8, default_output_path=str(tmp_path / "fox.png"))
    names = sorted(Path(path).name for path in whole(answer["results"]))
    assert names == sorted(["fox.png", *[f"fox-{number}.png" for number in range(2, 9)]])


def test_items_of_several_pictures_keep_theirs_together(kie):
    answer = batch(kie, *[{"prompt": "a red fox"}] * 3, default_model="grok-imagine/text-to-image")
    assert [len(entry["output_paths"]) for entry in answer["results"]] == [2, 2, 2]
    assert len(set(whole(answer["results"]))) == 6


def test_failures_of_every_kind_leave_the_others_alone(kie):
    faults = kie.sandbox.faults
    faults.add("create", "code", code=402, match="poor")
    faults.add("create", "drop", accepted=True, match="lost")
    faults.add("poll", "fail", fail_code="422", fail_msg="prohibited", match="wicked")
    faults.add("download", "not_picture", match="page")
    prompts = ["poor fox", "red fox", "lost fox", "wicked fox", "page fox", "blue fox"]
    answer = batch(kie, *[{"prompt": prompt} for prompt in prompts], {"prompt": "x", "aspect_ratio": "99:1"})
    outcomes = [entry["error"]["category"] if "error" in entry else "fine" for entry in answer["results"]]
    assert outcomes == ["credits", "fine", "unknown_outcome", "task_failed", "output", "fine", "input"]
    assert (answer["ok"], answer["succeeded"], answer["failed"]) == (True, 2, 5)
    assert kie.billed == 5
    assert len(whole(entry for entry in answer["results"] if entry["ok"])) == 2


def test_too_many_requests_slow_a_batch_down_and_fail_nothing(make_kie):
    kie = make_kie(rate=Rate(5, 1), KIE_AI_RATE_LIMIT="100/1")
    answer = batch(kie, *[{"prompt": "a red fox"}] * 12)
    assert answer["succeeded"] == 12
    assert kie.billed == 12
    assert kie.sandbox.stats()["rate_limited"] > 0


def test_two_servers_of_one_user_share_the_window(make_kie):
    kie = make_kie(rate=Rate(6, 1), KIE_AI_RATE_LIMIT="6/1")
    other = kie.another()
    for one in (kie, other):
        answer = batch(one, *[{"prompt": "a red fox", "wait_for_result": False}] * 6)
        assert answer["succeeded"] == 6
    other.services.close()
    assert kie.billed == 12
    assert kie.sandbox.stats()["rate_limited"] == 0


def test_with_continue_on_error_off_the_rest_is_not_sent(kie):
    kie.sandbox.faults.add("create", "code", code=402, match="poor")
    answer = batch(
        kie,
        {"prompt": "red fox"},
        {"prompt": "poor fox"},
        {"prompt": "blue fox"},
        max_workers=1,
        continue_on_error=False,
    )
    assert (answer["ok"], answer["error"]["category"]) == (False, "credits")
    assert [entry["ok"] for entry in answer["results"]] == [True, False, False]
    assert len(whole(answer["results"][:1])) == 1
    assert kie.billed == 1


def test_a_cancelled_batch_ends_at_once_and_its_tasks_can_be_fetched(make_kie):
    kie = make_kie(task_seconds=1.0)

    def cancel_once_all_are_made(_done, _total, _message):
        if kie.billed == 4:
            context.cancel()

    context = CallContext(listener=cancel_once_all_are_made)
    with pytest.raises(CancelledError):
        batch(kie, *[{"prompt": "a red fox"}] * 4, context=context)
    made = [task["taskId"] for task in kie.sandbox.stats()["tasks"]]
    assert sorted(row.task_id for row in kie.services.jobs.ledger.recent(limit=10)) == sorted(made)
    for task_id in made:
        assert kie.call("get_visual_task", task_id=task_id, wait_seconds=20)["output_path"]
    assert kie.billed == len(made) == 4


def test_a_batch_that_must_let_go_hands_its_tasks_back(make_kie):
    kie = make_kie(task_seconds=30, KIE_AI_MAX_WAIT_SECONDS="0.5")
    answer = batch(kie, *[{"prompt": "a red fox"}] * 3)
    assert (answer["ok"], answer["succeeded"]) == (True, 3)
    assert all("get_visual_task" in entry["next_step"] for entry in answer["results"])
    assert list(kie.output.iterdir()) == []


def test_a_hundred_workers_and_a_hundred_tasks_at_once_share_the_polls(make_kie):
    kie = make_kie(rate=Rate(1000, 1), KIE_AI_RATE_LIMIT="1000/1", task_seconds=0.3)
    answer = batch(kie, *[{"prompt": "a red fox"}] * 60, max_workers=100)
    assert answer["succeeded"] == 60
    assert len(set(whole(answer["results"]))) == 60
    stats = kie.sandbox.stats()
    assert stats["max_polls_in_one_second"] <= 10
    assert max(stats["polls_per_task"].values()) <= 2
