"""From a prompt to files over real sockets, and every way in which Kie is known to fail on the way."""

from __future__ import annotations

import json
import logging
import socket
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp import log

CREATE = "POST /api/v1/jobs/createTask"
POLL = "GET /api/v1/jobs/recordInfo"


@pytest.fixture
def log_file(tmp_path, key):
    """The program's log at its most talkative, put back afterwards."""
    target = logging.getLogger(log.LOGGER)
    level, propagate = target.level, target.propagate
    log.configure("debug", tmp_path / "log.jsonl", (key,))
    yield tmp_path / "log.jsonl"
    for handler in list(target.handlers):
        target.removeHandler(handler)
        handler.close()
    target.setLevel(level)
    target.propagate = propagate


# what goes well


@pytest.mark.parametrize("ratio", ["1:1", "16:9", "9:16", "4:5"])
def test_a_prompt_becomes_a_whole_picture_of_the_ratio_that_was_asked_for(kie, ratio):
    answer = kie.call("generate_visual", prompt="a red fox", aspect_ratio=ratio)
    across, down = map(int, ratio.split(":"))
    with Image.open(answer["output_path"]) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.size == (answer["width"], answer["height"])
        assert picture.width / picture.height == pytest.approx(across / down, rel=0.01)
    assert answer["bytes"] == Path(answer["output_path"]).stat().st_size
    assert answer["credits_consumed"] == 18
    assert kie.billed == 1


def test_a_platform_sets_the_ratio(kie):
    answer = kie.call("generate_visual", prompt="a red fox", platform="instagram-story")
    assert answer["width"] / answer["height"] == pytest.approx(9 / 16, rel=0.01)


def test_a_task_with_several_pictures_makes_as_many_files(kie):
    answer = kie.call("generate_visual", prompt="a red fox", model="grok-imagine/text-to-image")
    assert len(answer["output_paths"]) == len(answer["pictures"]) == 2
    assert [Path(path).stem[-2:] for path in answer["output_paths"]] == ["-1", "-2"]
    first, second = (Path(path).read_bytes() for path in answer["output_paths"])
    assert first != second
    assert kie.billed == 1


def test_a_picture_that_was_made_serves_as_the_input_of_another(kie):
    made = kie.call("generate_visual", prompt="a red fox")
    for given in (f"task:{made['task_id']}", made["output_path"], Path(made["output_path"]).as_uri()):
        assert kie.call("generate_visual", prompt="in the snow", image_input=[given])["status"] == "success"
    assert kie.sandbox.stats()["uploads"] == 1


def test_submitting_and_fetching_apart_comes_to_the_same(kie):
    task_id = kie.call("create_visual_task", prompt="a red fox")["task_id"]
    first = kie.call("get_visual_task", task_id=task_id, wait_seconds=20)
    polls = kie.asked(POLL)
    assert kie.call("get_visual_task", task_id=task_id)["output_paths"] == first["output_paths"]
    assert (kie.asked(POLL), kie.sandbox.stats()["downloads"]) == (polls, 1)


def test_the_balance_is_that_of_the_account(kie):
    kie.call("generate_visual", prompt="a red fox")
    assert kie.call("get_credits")["credits"] == 5916.25 - 18


def test_a_task_that_is_not_visible_at_once_is_waited_for(make_kie):
    kie = make_kie(visible_after_seconds=0.3)
    assert kie.call("generate_visual", prompt="a red fox")["status"] == "success"


def test_a_state_that_nobody_knows_is_not_the_end(kie):
    kie.sandbox.faults.add("poll", "unknown_state", times=2)
    assert kie.call("generate_visual", prompt="a red fox")["status"] == "success"


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("http", {"status": 502}),
        ("code", {"code": 429}),
        ("code", {"code": 500}),
        ("drop", {}),
        ("html", {}),
        ("empty", {}),
        ("not_json", {}),
        ("bad_json", {}),
        ("not_visible", {}),
    ],
)
def test_polls_that_fail_in_passing_do_not_end_the_wait(kie, fault, detail):
    kie.sandbox.faults.add("poll", fault, times=2, **detail)
    assert kie.call("generate_visual", prompt="a red fox")["status"] == "success"
    assert kie.billed == 1


# createTask: a paid task is made once and never lost


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("http", {"status": 500}),
        ("http", {"status": 502}),
        ("http", {"status": 504}),
        ("http", {"status": 524}),
        ("drop", {}),
        ("html", {}),
        ("empty", {}),
        ("not_json", {}),
    ],
)
@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_that_leaves_it_open_is_an_unknown_outcome_and_sent_once(kie, fault, detail, accepted):
    kie.sandbox.faults.add("create", fault, accepted=accepted, **detail)
    error = kie.error("generate_visual", prompt="a red fox")
    assert (error["category"], error["retryable"]) == ("unknown_outcome", False)
    assert kie.asked(CREATE) == 1
    assert kie.billed == int(accepted)
    (task,) = kie.call("list_visual_tasks")["tasks"]
    assert task["status"] == "unknown_outcome"


def test_a_time_out_is_an_unknown_outcome_and_sent_once(make_kie):
    kie = make_kie(KIE_AI_TIMEOUT_SECONDS="0.3")
    kie.sandbox.faults.add("create", "hang", seconds=30)
    assert kie.error("generate_visual", prompt="a red fox")["category"] == "unknown_outcome"
    assert kie.asked(CREATE) == 1
    assert kie.billed == 1


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("http", {"status": 408}),
        ("http", {"status": 425}),
        ("http", {"status": 429}),
        ("http", {"status": 503}),
        ("code", {"code": 429}),
        ("code", {"code": 455}),
        ("code", {"code": 550}),
        ("retry_after", {"seconds": 0, "status": 503}),
        ("retry_after", {"seconds": 0, "status": 429}),
    ],
)
def test_what_was_certainly_not_accepted_is_sent_again_and_billed_once(kie, fault, detail):
    kie.sandbox.faults.add("create", fault, times=2, **detail)
    assert kie.call("generate_visual", prompt="a red fox")["status"] == "success"
    assert kie.asked(CREATE) == 3
    assert kie.billed == 1


@pytest.mark.parametrize(
    ("fault", "detail", "category"),
    [
        ("http", {"status": 400}, "input"),
        ("http", {"status": 401}, "auth"),
        ("http", {"status": 403}, "auth"),
        ("http", {"status": 404}, "input"),
        ("http", {"status": 422}, "input"),
        ("code", {"code": 401}, "auth"),
        ("code", {"code": 402}, "credits"),
        ("code", {"code": 404}, "input"),
        ("code", {"code": 422}, "input"),
        ("code", {"code": 433}, "credits"),
        ("code", {"code": 501}, "server"),
        ("code", {"code": 505}, "server"),
        ("code", {"code": 500}, "server"),
        ("code", {"code": 500, "msg": "aspect_ratio is required"}, "input"),
        ("code", {"code": 500, "msg": "Credits insufficient"}, "credits"),
    ],
)
def test_a_definite_refusal_is_an_error_of_its_kind_and_sent_once(kie, fault, detail, category):
    kie.sandbox.faults.add("create", fault, **detail)
    error = kie.error("generate_visual", prompt="a red fox")
    assert error["category"] == category
    assert (kie.asked(CREATE), kie.billed) == (1, 0)
    (task,) = kie.call("list_visual_tasks")["tasks"]
    assert task["status"] == "refused"


def test_a_connection_that_was_never_made_is_a_network_error(make_kie):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kie = make_kie(KIE_AI_BASE_URL=f"http://127.0.0.1:{port}/api/v1")
    error = kie.error("generate_visual", prompt="a red fox")
    assert (error["category"], error["retryable"]) == ("network", True)
    (task,) = kie.call("list_visual_tasks")["tasks"]
    assert task["status"] == "refused"


def test_too_many_requests_for_the_whole_time_of_the_call_are_an_error(kie):
    kie.sandbox.faults.add("create", "code", times=0, code=429)
    error = kie.error("generate_visual", prompt="a red fox", poll_timeout_seconds=0.3)
    assert error["category"] == "rate_limit"
    assert kie.billed == 0


def test_a_key_that_kie_refuses_is_an_error_that_does_not_show_it(make_kie, key):
    kie = make_kie(api_key="another")
    error = kie.error("generate_visual", prompt="a red fox")
    assert error["category"] == "auth"
    assert key not in json.dumps(error)


def test_an_account_without_credits_is_told_as_such(make_kie):
    assert make_kie(credits=1).error("generate_visual", prompt="a red fox")["category"] == "credits"


def test_a_task_that_kie_fails_is_an_error_with_its_reason(kie):
    kie.sandbox.faults.add("poll", "fail", fail_code="422", fail_msg="prohibited content", match="fox")
    error = kie.error("generate_visual", prompt="a red fox")
    assert (error["category"], error["code"]) == ("task_failed", "422")
    assert "prohibited content" in error["message"]
    assert kie.error("get_visual_task", task_id=error["task_id"])["message"] == error["message"]


def test_a_wait_that_ends_early_loses_nothing(make_kie):
    kie = make_kie(task_seconds=1.0)
    handed_back = kie.call("generate_visual", prompt="a red fox", poll_timeout_seconds=0.2)
    assert handed_back["status"] in ("submitted", "waiting", "queuing", "generating")
    picture = kie.call("get_visual_task", task_id=handed_back["task_id"], wait_seconds=20)
    assert Path(picture["output_path"]).is_file()
    assert kie.billed == 1


# downloads


def test_a_dead_link_is_renewed(kie):
    kie.sandbox.faults.add("download", "dead")
    assert kie.call("generate_visual", prompt="a red fox")["status"] == "success"
    assert kie.asked("POST /api/v1/common/download-url") == 1
    assert len(kie.files()) == 1


def test_a_link_that_stays_dead_is_told_and_the_task_can_be_fetched_later(kie):
    kie.sandbox.faults.add("download", "dead", times=0)
    error = kie.error("generate_visual", prompt="a red fox")
    assert error["category"] == "output"
    assert kie.files() == []
    kie.sandbox.faults.clear()
    assert kie.call("get_visual_task", task_id=error["task_id"])["output_path"]
    assert kie.billed == 1


@pytest.mark.parametrize("fault", ["truncate", "drop"])
def test_a_download_that_broke_is_tried_again(kie, fault):
    kie.sandbox.faults.add("download", fault)
    answer = kie.call("generate_visual", prompt="a red fox")
    with Image.open(answer["output_path"]) as picture:
        picture.load()
    assert len(kie.files()) == 1


@pytest.mark.parametrize(
    ("fault", "detail", "category"),
    [
        ("truncate", {}, "network"),
        ("drop", {}, "network"),
        ("not_picture", {}, "output"),
        ("html", {}, "output"),
        ("empty", {}, "output"),
        ("http", {"status": 500}, "server"),
        ("redirect", {"location": "http://10.0.0.1/a.png"}, "output"),
        ("redirect", {"location": "file:///etc/passwd"}, "output"),
        ("huge", {"bytes": 3_000_000, "declared": True}, "output"),
        ("huge", {"bytes": 3_000_000, "declared": False}, "output"),
    ],
)
def test_what_is_no_whole_picture_leaves_no_file(make_kie, fault, detail, category):
    kie = make_kie(KIE_AI_MAX_IMAGE_BYTES="2000000")
    kie.sandbox.faults.add("download", fault, times=0, **detail)
    error = kie.error("generate_visual", prompt="a red fox")
    assert error["category"] == category
    assert error["task_id"]
    assert kie.files() == []


def test_a_jpeg_in_the_place_of_a_png_is_named_by_its_bytes_and_told(kie, tmp_path):
    kie.sandbox.faults.add("download", "jpeg")
    wanted = tmp_path / "fox.png"
    answer = kie.call("generate_visual", prompt="a red fox", output_format="png", output_path=str(wanted))
    assert answer["output_path"] == str(tmp_path / "fox.jpg")
    assert answer["mime_type"] == "image/jpeg"
    assert any("image/jpeg" in warning for warning in answer["warnings"])
    with Image.open(answer["output_path"]) as picture:
        assert picture.format == "JPEG"
    assert not wanted.exists()


# the key


def test_the_key_is_found_nowhere_after_a_run(make_kie, key, log_file, tmp_path, capsys):
    kie = make_kie()
    kie.sandbox.faults.add("create", "code", code=401, msg=f"Bad key {key}", match="refused")
    kie.sandbox.faults.add("create", "drop", match="dropped")
    kie.sandbox.faults.add("poll", "http", times=2)
    kie.sandbox.faults.add("poll", "fail", fail_msg=f"failed with {key}", match="failing")
    kie.sandbox.faults.add("download", "dead")
    results = [
        kie.result(name, **arguments).structured
        for name, arguments in (
            ("generate_visual", {"prompt": "a red fox"}),
            ("generate_visual", {"prompt": "refused"}),
            ("generate_visual", {"prompt": "dropped"}),
            ("generate_visual", {"prompt": "failing"}),
            ("create_visual_task", {"prompt": f"a fox and {key}"}),
            ("list_visual_tasks", {}),
            ("describe_imager_interface", {}),
        )
    ]
    assert [result["ok"] for result in results] == [True, False, False, False, True, True, True]
    kie.services.close()
    assert log_file.read_text(encoding="utf-8")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 4
    assert [path.name for path in written if key.encode() in path.read_bytes()] == []
    assert key not in "".join(capsys.readouterr())
    assert key not in repr(kie.services.config)
