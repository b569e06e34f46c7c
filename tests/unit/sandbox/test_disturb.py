"""Faults that any endpoint can have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

CREATE = "/api/v1/jobs/createTask"
BODY = {"model": "nano-banana-pro", "input": {"prompt": "a cat"}}
CALLS = {
    "create": ("POST", CREATE),
    "poll": ("GET", "/api/v1/jobs/recordInfo?taskId=1"),
    "download": ("GET", "/files/x.png"),
    "credits": ("GET", "/api/v1/chat/credit"),
    "upload": ("POST", "/api/file-base64-upload"),
    "download_url": ("POST", "/api/v1/common/download-url"),
    "models": ("GET", "/api/v1/models"),
}


@pytest.mark.parametrize("target", CALLS)
def test_every_endpoint_can_fail_in_every_common_way(bench: Bench, target: str):
    method, url = CALLS[target]
    for kind in ("http", "code", "drop", "html", "empty", "not_json", "retry_after", "hang"):
        bench.faults.add(target, kind)
    answers = [bench.send(method, url, BODY) for _ in range(8)]
    bodies = [b"".join(answer.body) for answer in answers]
    assert [answer.status for answer in answers[:7]] == [500, 200, 200, 200, 200, 200, 429]
    assert b"<h1>500" in bodies[0]
    assert json.loads(bodies[1])["code"] == 500
    assert answers[2].dropped
    assert bodies[3].startswith(b"<!DOCTYPE html>")
    assert bodies[4] == b""
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(bodies[5])
    assert answers[6].headers == {"Retry-After": "1"}
    assert answers[7].delay == 60


@pytest.mark.parametrize(("accepted", "created"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("kind", ["drop", "http", "html", "empty", "not_json", "code", "retry_after"])
def test_a_disturbed_createtask_may_have_made_the_task(bench: Bench, kind: str, accepted: bool, created: int):
    bench.faults.add("create", kind, accepted=accepted)
    bench.send("POST", CREATE, BODY)
    assert bench.sandbox.stats()["created"] == created


def test_a_hanging_createtask_has_made_the_task(bench: Bench):
    bench.faults.add("create", "hang", seconds=3)
    assert bench.send("POST", CREATE, BODY).delay == 3
    assert bench.sandbox.stats()["created"] == 1


def test_a_fault_can_be_meant_for_one_prompt_or_model(bench: Bench):
    bench.faults.add("create", "code", code=455, match="cat", times=0)
    bench.faults.add("create", "code", code=550, msg="queue full", match="z-image", times=0)
    assert bench.create({"prompt": "a dog"})["code"] == 200
    assert bench.create({"prompt": "a cat"})["msg"] == "The service is under maintenance"
    assert bench.create({}, "z-image") == {"code": 550, "msg": "queue full", "data": None}


def test_a_status_without_a_name_of_its_own_is_fine(bench: Bench):
    bench.faults.add("credits", "http", status=418)
    bench.faults.add("credits", "code", code=499)
    assert bench.file("/api/v1/chat/credit")[0] == 418
    assert bench.json("GET", "/api/v1/chat/credit")["code"] == 499
