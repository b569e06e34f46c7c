"""What recordInfo's answers say of a task."""

from __future__ import annotations

import json

import pytest

from kie_mcp.kie.status import RUNNING, TERMINAL, TaskStatus, read_status

URL = "https://tempfile.aiquickdraw.com/images/chatgpt/file_1.png"
LIVE = {
    "taskId": "366e2065",
    "model": "gpt-image-2-5-flare-text-to-image",
    "state": "success",
    "param": '{"input":"{\\"aspect_ratio\\":\\"16:9\\"}","model":"gpt-image-2-5-flare-text-to-image"}',
    "resultJson": json.dumps({"resultUrls": [URL]}),
    "failCode": None,
    "failMsg": None,
    "costTime": 66,
    "completeTime": 1789126761759,
    "createTime": 1789126694807,
    "creditsConsumed": 6.0,
    "response": {"resultUrls": ["https://elsewhere.example/other.png"]},
    "successFlag": 1,
}


def read(**record):
    return read_status("t", record)


def test_a_recorded_success_is_read():
    assert read_status("366e2065", LIVE) == TaskStatus(
        task_id="366e2065",
        state="success",
        model="gpt-image-2-5-flare-text-to-image",
        image_urls=(URL,),
        credits_consumed=6.0,
        seconds=66.952,
    )


def test_a_documented_failure_is_read():
    status = read(state="fail", resultJson="", failCode="422", failMsg="Invalid prompt: prohibited content")
    assert status == TaskStatus(
        "t", "fail", fail_code="422", fail_message="Invalid prompt: prohibited content", credits_consumed=None
    )
    assert status.finished


@pytest.mark.parametrize("state", sorted(RUNNING))
def test_a_task_that_runs_has_not_ended(state):
    status = read(state=state, resultJson="", failCode=None, costTime=5)
    assert (status.state, status.finished, status.seconds) == (state, False, None)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_task_that_succeeded_or_failed_has_ended(state):
    assert read(state=state).finished


@pytest.mark.parametrize("state", ["paused", "", None, 1, ["success"], {"a": 1}, "SUCCESS"])
def test_an_unknown_state_has_not_ended(state):
    status = read(state=state)
    assert (status.state, status.finished) == ("unknown", False)


@pytest.mark.parametrize("data", [None, [], "text", 3, {}])
def test_an_answer_without_a_record_is_unknown(data):
    assert read_status("t", data) == TaskStatus("t", "unknown")


@pytest.mark.parametrize("broken", ["{", "[]", "null", '"x"', "", None, 7, "[" * 100_000, '{"a":' * 100_000])
def test_the_parsed_answer_stands_in_for_a_broken_string(broken):
    assert read(state="success", resultJson=broken, response={"resultUrls": [URL]}).image_urls == (URL,)
    assert read(state="success", resultJson=broken, response="no").image_urls == ()


@pytest.mark.parametrize("found", [None, "https://x/y.png", {"0": URL}, [], [None, 1, {"url": URL}, ""]])
def test_urls_that_are_no_list_of_urls_are_left_out(found):
    assert read(state="success", resultJson=json.dumps({"resultUrls": found})).image_urls == ()


def test_links_that_cannot_be_meant_are_left_out():
    given = [URL, "file:///etc/passwd", "javascript:x", "https://a/\x1b[2J", "https://a/" + "x" * 9000, "//a/b"]
    given += ["https://", "https://[", "https://a b/", "data:image/png;base64,x", URL]
    assert read(state="success", resultJson=json.dumps({"resultUrls": given})).image_urls == (URL,)


def test_there_are_at_most_a_hundred_pictures():
    many = [f"https://a/{number}.png" for number in range(1000)]
    assert read(state="success", resultJson=json.dumps({"resultUrls": many})).image_urls == tuple(many[:100])


def test_a_structured_result_is_passed_on():
    layers = {"layers_data": [{"z_index": 1, "url": URL}]}
    assert read(state="success", resultJson=json.dumps({"resultObject": layers})).result == layers


def test_a_structured_result_that_is_too_deep_is_left_out():
    deep: list = []
    for _ in range(60):
        deep = [deep]
    assert read(state="success", resultJson=json.dumps({"resultObject": deep})).result is None


@pytest.mark.parametrize(
    ("value", "text"),
    [("500", "500"), ("GENERATION_FAILED", "GENERATION_FAILED"), (422, "422"), ("", None), (None, None), (True, None)],
)
def test_a_fail_code_is_text_however_it_is_spelled(value, text):
    assert read(state="fail", failCode=value).fail_code == text


def test_hostile_text_is_data_only():
    hostile = "\x1b]0;owned\x07\u202e" + "x" * 1_000_000
    status = read(state="fail", failMsg=hostile, failCode=hostile, model=hostile)
    for text in (status.fail_message, status.fail_code, status.model):
        assert text.isprintable()
        assert len(text) <= 500


@pytest.mark.parametrize(("value", "number"), [(6, 6.0), (0, 0.0), (-1, None), (True, None), ("6", None), (None, None)])
def test_credits_are_a_number_or_unknown(value, number):
    assert read(state="success", creditsConsumed=value).credits_consumed == number


@pytest.mark.parametrize(
    ("record", "seconds"),
    [
        ({"createTime": 1000, "completeTime": 4500, "costTime": 99}, 3.5),
        ({"createTime": 1000, "completeTime": None, "costTime": 66}, 66),
        ({"createTime": 5000, "completeTime": 1000, "costTime": 66}, 66),
        ({"createTime": "x", "completeTime": 1, "costTime": "y"}, None),
        ({}, None),
    ],
)
def test_the_time_taken_comes_from_the_time_stamps(record, seconds):
    assert read(state="success", **record).seconds == seconds


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (None, False),
        ({"subject_status": 1}, False),
        ({"layers_data": [{"url": "https://r.example/1.png"}]}, False),
        ({"mask_urls": ["https://r.example/mask.png"]}, True),
        ([["http://r.example/1.png"]], True),
    ],
)
def test_links_in_a_structured_result_are_told_from_those_of_the_pictures(result, named):
    assert TaskStatus("t", "success", image_urls=("https://r.example/1.png",), result=result).names_other_links is named


@pytest.mark.parametrize(
    "record", [{"createTime": 1, "completeTime": 10**17}, {"costTime": 1e300}, {"costTime": 86401}]
)
def test_a_time_that_nothing_takes_is_not_learned_from(record):
    assert read(state="success", **record).seconds is None


def test_an_equal_link_is_the_same_picture():
    given = [URL, "https://a/b.png", URL, "https://a/b.png"]
    assert read(state="success", resultJson=json.dumps({"resultUrls": given})).image_urls == (URL, "https://a/b.png")


def test_the_text_in_a_structured_result_is_made_safe_to_show():
    result = {"name\x1b[31m": ["a\u202eb\nc", {"n": 1.5}], "url": URL}
    found = read(state="success", resultJson=json.dumps({"resultObject": result})).result
    assert found == {"name [31m": ["a b c", {"n": 1.5}], "url": URL}


@pytest.mark.parametrize("value", ["\x1b\u202e", " ", ""])
def test_text_of_which_nothing_can_be_shown_is_none(value):
    assert read(state="fail", failMsg=value, failCode=value).fail_message is None


@pytest.mark.parametrize("size", [65_536 - 4, 65_536])
def test_a_structured_result_is_shown_up_to_64_kib(size):
    result = [["é" * 8000] * 8 + ["x" * (size - 8 * 8004 - 6)]]
    given = json.dumps(result, ensure_ascii=False)
    assert len(given) == size
    assert read(state="success", resultJson=json.dumps({"resultObject": result})).result == result


def test_of_a_structured_result_that_is_too_large_there_is_a_note_where_to_find_it():
    result = {"text": ["x" * 8000] * 9, "url": URL}
    status = read(state="success", resultJson=json.dumps({"resultUrls": [URL], "resultObject": result}))
    assert (list(status.result), status.image_urls, status.names_other_links) == (["left_out"], (URL,), False)
    assert "kie.ai/logs" in status.result["left_out"]
