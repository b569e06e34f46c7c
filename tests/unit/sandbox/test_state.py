"""Rates, balance and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.config import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench


def codes(bench: Bench, count: int) -> list[int]:
    return [bench.create()["code"] for _ in range(count)]


def test_the_21st_task_within_10_seconds_is_refused_and_not_queued(bench: Bench):
    assert codes(bench, 22) == [200] * 20 + [429] * 2
    stats = bench.sandbox.stats()
    assert (stats["created"], stats["rate_limited"], stats["rejected"]) == (20, 2, {"429": 2})


def test_the_window_slides(make_bench: Callable[..., Bench]):
    bench = make_bench(rate=Rate(2, 10))
    assert codes(bench, 1) == [200]
    bench.clock.advance(6)
    assert codes(bench, 2) == [200, 429]
    bench.clock.advance(4)
    assert codes(bench, 2) == [200, 429]


def test_credits_are_taken_on_acceptance_and_given_back_once_on_failure(make_bench: Callable[..., Bench]):
    bench = make_bench(credits=30)
    task_id = bench.task()
    assert bench.json("GET", "/api/v1/chat/credit")["data"] == 12
    refused = bench.create()
    assert (refused["code"], refused["msg"]) == (402, "Credits insufficient")
    bench.faults.add("poll", "fail", times=2)
    bench.poll(task_id)
    bench.poll(task_id)
    assert bench.json("GET", "/api/v1/chat/credit") == {"code": 200, "msg": "success", "data": 30}


def test_the_price_follows_what_was_asked(bench: Bench):
    bench.task({"prompt": "x", "resolution": "4K"})
    assert bench.sandbox.stats()["credits"] == 5916.25 - 24


def test_stats_know_the_busiest_second_and_the_polls_of_each_task(bench: Bench):
    first, second = bench.task(), bench.task()
    for _ in range(3):
        bench.poll(first)
    bench.clock.advance(1)
    bench.poll(second)
    stats = bench.sandbox.stats()
    assert (stats["polls"], stats["max_polls_in_one_second"]) == (4, 3)
    assert stats["polls_per_task"] == {first: 3, second: 1}
    assert stats["requests"] == {"GET /api/v1/jobs/recordInfo": 4, "POST /api/v1/jobs/createTask": 2}


def test_stats_list_the_tasks(bench: Bench):
    task_id = bench.task()
    bench.clock.advance(10)
    assert bench.sandbox.stats()["tasks"] == [
        {
            "taskId": task_id,
            "model": "nano-banana-pro",
            "state": "success",
            "prompt": "a red apple on a table",
            "createTime": 1_789_126_694_807,
        }
    ]
