"""Input pictures: what of this place can be read, and what a task fails for."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

EDIT = "google/nano-banana-edit"
PNG = b"\x89PNG\r\n\x1a\n and so on"


def uploaded(bench: Bench, data: bytes = PNG, name: str = "a.png") -> str:
    body = {"base64Data": base64.b64encode(data).decode(), "uploadPath": "x", "fileName": name}
    url: str = bench.json("POST", "/api/file-base64-upload", body)["data"]["downloadUrl"]
    return url


def outcome(bench: Bench, *urls: str) -> dict[str, Any]:
    return bench.finished({"prompt": "x", "image_urls": list(urls)}, EDIT)


def assert_failed(record: dict[str, Any], code: str, *words: str) -> None:
    assert (record["state"], record["failCode"], record["creditsConsumed"]) == ("fail", code, 0)
    for word in words:
        assert word in record["failMsg"]


def test_uploads_results_and_pictures_of_others_are_read(bench: Bench):
    first = outcome(bench, uploaded(bench), "https://example.com/never-fetched.png")
    assert first["state"] == "success"
    (result,) = first["response"]["resultUrls"]
    assert outcome(bench, result)["state"] == "success"


@pytest.mark.parametrize("path", ["/kieai/100000/x/never.png", "/files/never.png", "/sandbox/stats", "/"])
def test_what_is_not_there_fails_the_task(bench: Bench, path: str):
    assert_failed(outcome(bench, uploaded(bench), f"{bench.origin}{path}"), "451", "image fetch failed", path)


def test_dead_uploads_and_dead_results_fail_the_task(make_bench: Callable[..., Bench]):
    bench = make_bench(upload_seconds=60, link_seconds=60)
    upload = uploaded(bench)
    (result,) = bench.finished()["response"]["resultUrls"]
    bench.clock.advance(60)
    for url in (upload, result):
        assert_failed(outcome(bench, url), "451", url)
    renewed = bench.json("POST", "/api/v1/common/download-url", {"url": result})["data"]
    assert outcome(bench, renewed)["state"] == "success"


def test_a_picture_over_the_limit_of_the_model_fails_the_task(bench: Bench):
    most = 10 * 1024 * 1024
    just_right, large = (outcome(bench, uploaded(bench, PNG.ljust(size, b"."))) for size in (most, most + 1))
    assert just_right["state"] == "success"
    assert_failed(large, "400", "image_urls", str(most))


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [(b"GIF89a and so on", "a.png", "image/gif"), (b"hello", "a.txt", "text/plain")],
)
def test_what_the_model_does_not_read_fails_the_task(bench: Bench, data: bytes, name: str, media_type: str):
    assert_failed(outcome(bench, uploaded(bench, data, name)), "400", media_type)


def test_a_task_fails_once_it_is_taken_up_and_costs_nothing(make_bench: Callable[..., Bench]):
    bench = make_bench(task_seconds=100)
    task_id = bench.task({"prompt": "x", "image_urls": [f"{bench.origin}/files/never.png"]}, EDIT)
    waiting = bench.poll(task_id)["data"]
    assert (waiting["state"], waiting["failCode"], waiting["failMsg"]) == ("waiting", None, None)
    bench.clock.advance(7)
    assert bench.poll(task_id)["data"]["state"] == "fail"
    assert bench.sandbox.stats()["credits"] == 5916.25


def test_a_fault_on_a_task_that_fails_anyway_gives_nothing_back(bench: Bench):
    task_id = bench.task({"prompt": "x", "image_urls": [f"{bench.origin}/files/never.png"]}, EDIT)
    bench.faults.add("poll", "fail", fail_msg="another reason")
    bench.poll(task_id)
    bench.clock.advance(10)
    assert_failed(bench.poll(task_id)["data"], "451", "image fetch failed")
    assert bench.sandbox.stats()["credits"] == 5916.25
