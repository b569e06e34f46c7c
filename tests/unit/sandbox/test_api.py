"""Who may ask, what there is, and the control of the stand-in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

CREDIT = "/api/v1/chat/credit"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic key", "bearer-key"])
def test_without_a_key_the_answer_is_a_401_without_data(bench: Bench, header: str):
    answer = bench.json("GET", CREDIT, authorization=header)
    assert answer == {
        "code": 401,
        "msg": "Unauthorized – Authentication failed. "  # noqa: RUF001 - Kie's own dash
        "Please check that your Authorization and Content-Type headers are correctly set.",
    }


def test_only_the_right_key_is_right(make_bench: Callable[..., Bench]):
    bench = make_bench(api_key="right")
    assert bench.json("GET", CREDIT, authorization="Bearer wrong")["code"] == 401
    assert bench.json("GET", CREDIT, authorization="Bearer right")["data"] == 5916.25
    assert "right" not in repr(bench.sandbox.options)


def test_python_urllib_is_not_let_in(bench: Bench):
    answer = bench.send("GET", CREDIT, user_agent="Python-urllib/3.11")
    assert (answer.status, b"".join(answer.body)) == (403, b"error code: 1010")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/api/v1/jobs/createTask"), ("POST", CREDIT), ("POST", "/files/x.png")]
)
def test_everything_else_is_a_404_in_the_body(bench: Bench, method: str, path: str):
    assert bench.json(method, path) == {"code": 404, "msg": "No message available", "data": None}
    assert bench.sandbox.stats()["requests"] == {"other": 1}


def test_the_control_needs_no_key(bench: Bench):
    def control(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = bench.send(method, f"/sandbox/{path}", body, authorization="")
        return answer.status, json.loads(b"".join(answer.body))

    two = [{"on": "credits", "kind": "code", "code": 455, "times": 2, "after": 1}, "poll:drop"]
    assert control("POST", "faults", two) == (200, {"ok": True, "added": 2})
    assert [bench.json("GET", CREDIT)["code"] for _ in range(2)] == [200, 455]
    assert control("DELETE", "faults") == (200, {"ok": True})
    assert bench.json("GET", CREDIT)["code"] == 200
    status, stats = control("GET", "stats")
    assert (status, stats) == (200, bench.sandbox.stats())
    assert stats["faults_applied"] == 1
    assert control("GET", "nothing")[0] == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "Expecting"),
        ({"on": "lunch", "kind": "drop"}, "known are create"),
        ([7], "a fault is an object or a text, not 7"),
        ({}, "known are create"),
    ],
)
def test_faults_that_cannot_be_used_are_refused_whole(bench: Bench, body: Any, error: str):
    answer = bench.send("POST", "/sandbox/faults", body)
    assert answer.status == 400
    assert error in json.loads(b"".join(answer.body))["error"]


def test_what_is_no_object_is_refused_on_create_with_or_without_faults(bench: Bench):
    bench.faults.add("create", "code", code=429, match="never")
    assert bench.json("POST", "/api/v1/jobs/createTask", {"model": "z-image", "input": [1]})["code"] == 500
