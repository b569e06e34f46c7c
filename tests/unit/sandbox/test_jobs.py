"""createTask and recordInfo, as recorded from the live API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

CREATE = "/api/v1/jobs/createTask"


def test_an_accepted_task_has_an_id_of_32_digits(bench: Bench):
    answer = bench.create()
    assert answer == {"code": 200, "msg": "success", "data": answer["data"]}
    assert re.fullmatch(r"[0-9a-f]{32}", answer["data"]["taskId"])
    assert answer["data"]["recordId"] == answer["data"]["taskId"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"nonsense", 400, "The request body is not a JSON object"),
        ({"input": {"prompt": "x"}}, 500, "This field is required"),
        ({"model": 7, "input": {}}, 500, "This field is required"),
        ({"model": "nano-banana", "input": {"prompt": "x"}}, 422, "The model name you specified is not supported."),
        ({"model": "Z-Image", "input": {"prompt": "x"}}, 422, "The model name you specified is not supported."),
        (
            {"model": "nano-banana-pro ", "input": {"prompt": "x"}},
            422,
            "The model name you specified is not supported.",
        ),
        ({"model": "nano-banana-pro", "input": {"prompt": "x"}, "callBackUrl": 3}, 422, "callBackUrl must be a string"),
        ({"model": "z-image"}, 500, "This field is required"),
        ({"model": "z-image", "input": {"prompt": "x"}}, 500, "aspect_ratio is required"),
        ({"model": "nano-banana-pro", "input": {}}, 500, "prompt is required"),
    ],
)
def test_what_kie_refuses_is_refused_in_the_body_on_http_200(bench: Bench, body: Any, code: int, message: str):
    answer = bench.json("POST", CREATE, body)
    assert (answer["code"], answer["data"]) == (code, None)
    assert answer["msg"].startswith(message)
    assert bench.sandbox.stats()["rejected"] == {str(code): 1}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"prompt": "x", "aspect_ratio": "7:3"}, "aspect_ratio"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x" * 10_001}, "prompt"),
        ({"prompt": "x", "image_input": ["data:image/png;base64,AAAA"]}, "image_input"),
        ({"prompt": "x", "image_input": ["/home/me/a.png"]}, "image_input"),
    ],
)
def test_a_wrong_value_is_a_422_that_names_the_field(bench: Bench, given: dict[str, Any], field: str):
    answer = bench.create(given)
    assert answer["code"] == 422
    assert field in answer["msg"]


def test_every_field_of_pictures_must_hold_urls(bench: Bench):
    url = "https://example.com/a.png"
    given = {"prompt": "x", "image_url": url, "mask_url": url}
    assert bench.create(given, "ideogram/v3-edit")["code"] == 200
    answer = bench.create({**given, "mask_url": "/home/me/mask.png"}, "ideogram/v3-edit")
    assert (answer["code"], answer["msg"]) == (422, "mask_url must hold http or https URLs")


def test_unknown_fields_are_tolerated(bench: Bench):
    assert bench.create({"prompt": "x", "platform": "web"})["code"] == 200


def test_the_rate_is_looked_at_before_the_model_and_the_model_before_the_credits(make_bench: Callable[..., Bench]):
    bench = make_bench(credits=0)
    assert bench.create({"prompt": "x"}, "no-such-model")["code"] == 422
    assert bench.create({})["code"] == 500
    assert bench.create()["code"] == 402
    assert [bench.create({}, "no-such-model")["code"] for _ in range(18)] == [422] * 17 + [429]


def test_pictures_by_url_are_accepted(bench: Bench):
    given = {"prompt": "x", "image_urls": ["https://example.com/a.png"]}
    assert bench.create(given, "google/nano-banana-edit")["code"] == 200


def test_a_task_goes_through_its_states(make_bench: Callable[..., Bench]):
    bench = make_bench(task_seconds=10)
    task_id = bench.task()
    seen = []
    for _ in range(140):
        state = bench.poll(task_id)["data"]["state"]
        seen += [state] if state not in seen else []
        bench.clock.advance(0.1)
    assert seen == ["waiting", "queuing", "generating", "success"]


def test_each_task_takes_its_own_time_around_the_usual(make_bench: Callable[..., Bench]):
    bench = make_bench(task_seconds=10)
    tasks = [bench.sandbox._state.task(bench.task()) for _ in range(20)]
    seconds = [task.seconds for task in tasks if task]
    assert min(seconds) >= 7
    assert max(seconds) <= 13
    assert len(set(seconds)) == 20


def test_a_finished_record_has_the_fields_of_the_live_api(make_bench: Callable[..., Bench]):
    bench = make_bench(task_seconds=60)
    answer = bench.create({"prompt": "x", "resolution": "2K"}, callBackUrl="https://example.com/cb")
    task_id = answer["data"]["taskId"]
    running = bench.poll(task_id)["data"]
    bench.clock.advance(100)
    record = bench.poll(task_id)["data"]
    urls = [f"{bench.origin}/files/{task_id}-0.png"]
    assert json.loads(record.pop("resultJson")) == {"resultUrls": urls}
    param = json.loads(record.pop("param"))
    assert json.loads(param.pop("input")) == {"prompt": "x", "resolution": "2K"}
    assert param == {"model": "nano-banana-pro", "callBackUrl": "https://example.com/cb"}
    took = record.pop("completeTime") - record["createTime"]
    assert record.pop("costTime") == round(took / 1000)
    assert 42_000 <= took <= 78_000
    assert record == {
        "taskId": task_id,
        "model": "nano-banana-pro",
        "state": "success",
        "failCode": None,
        "failMsg": None,
        "createTime": 1_789_126_694_807,
        "creditsConsumed": 18.0,
        "response": {"resultUrls": urls},
        "successFlag": 1,
    }
    assert (running["resultJson"], running["costTime"], running["completeTime"]) == ("", None, None)
    assert (running["response"], running["successFlag"], running["creditsConsumed"]) == (None, 0, 0.0)


def test_a_failed_task_stays_failed(bench: Bench):
    task_id = bench.task()
    bench.faults.add("poll", "fail", fail_code="422", fail_msg="prohibited content")
    first = bench.poll(task_id)
    bench.clock.advance(10)
    assert bench.poll(task_id) == first
    record = first["data"]
    assert (first["code"], record["state"], record["successFlag"]) == (200, "fail", 3)
    assert (record["failCode"], record["failMsg"]) == ("422", "prohibited content")
    assert (record["resultJson"], record["creditsConsumed"], record["response"]) == ("", 0.0, None)


def test_an_unknown_id_is_recordinfo_is_null_and_no_id_a_400(bench: Bench):
    assert bench.poll("0" * 32) == {"code": 422, "msg": "recordInfo is null", "data": None}
    assert bench.poll("") == {"code": 400, "msg": "taskId parameter is required"}


def test_a_new_task_may_be_invisible_at_first(make_bench: Callable[..., Bench]):
    bench = make_bench(visible_after_seconds=2)
    task_id = bench.task()
    assert bench.poll(task_id)["code"] == 422
    bench.clock.advance(2)
    assert bench.poll(task_id)["code"] == 200


@pytest.mark.parametrize(
    ("kind", "state"), [("unknown_state", "archived"), ("stuck", "generating"), ("not_visible", None)]
)
def test_a_poll_can_tell_something_else_for_once(bench: Bench, kind: str, state: str | None):
    task_id = bench.task()
    bench.clock.advance(10)
    bench.faults.add("poll", kind)
    assert (bench.poll(task_id)["data"] or {}).get("state") == state
    assert bench.poll(task_id)["data"]["state"] == "success"


def test_faults_of_the_result_wait_for_the_result(bench: Bench):
    task_id = bench.task()
    bench.faults.add("poll", "no_urls")
    bench.faults.add("poll", "bad_json")
    assert bench.poll(task_id)["data"]["state"] == "waiting"
    bench.clock.advance(10)
    empty, broken, whole = (bench.poll(task_id)["data"] for _ in range(3))
    assert (empty["state"], json.loads(empty["resultJson"])) == ("success", {"resultUrls": []})
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(broken["resultJson"])
    assert broken["response"] == json.loads(whole["resultJson"])


def test_faults_of_a_task_wait_until_there_is_one(bench: Bench):
    bench.faults.add("poll", "fail")
    assert bench.poll("0" * 32)["code"] == 422
    task_id = bench.task()
    assert [bench.poll(task_id)["data"]["state"] for _ in range(2)] == ["fail", "fail"]
    bench.faults.add("poll", "fail", fail_msg="again")
    assert bench.poll(task_id)["data"]["failMsg"] == "Internal Error"


def test_a_model_that_makes_two_pictures_gives_two_urls(bench: Bench):
    record = bench.finished({"prompt": "x", "aspect_ratio": "2:3"}, "grok-imagine/text-to-image")
    assert len(record["response"]["resultUrls"]) == 2
