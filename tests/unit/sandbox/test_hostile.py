"""Answers that mean ill."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from kie_mcp.sandbox.faults import TARGETS, Faults
from kie_mcp.sandbox.hostile import DEEP, ESCAPES, HUGE, LINKS, MANY, PROMPT, VARIANTS

if TYPE_CHECKING:
    from conftest import Bench

HOSTS = {
    "create": ("POST", "/api/v1/jobs/createTask"),
    "credits": ("GET", "/api/v1/chat/credit"),
    "upload": ("POST", "/api/file-stream-upload"),
    "download_url": ("POST", "/api/v1/common/download-url"),
}


def answered(bench: Bench, target: str, variant: str) -> bytes:
    """The body that an endpoint sends in a variant; always on HTTP 200."""
    url = f"/api/v1/jobs/recordInfo?taskId={bench.task()}"
    bench.faults.add(target, "hostile", variant=variant)
    answer = bench.send(*(("GET", url) if target == "poll" else HOSTS[target]))
    assert (answer.status, answer.media_type) == (200, "application/json")
    body = b"".join(answer.body)
    assert answer.length in (None, len(body))
    return body


@pytest.mark.parametrize("target", ["poll", *HOSTS])
@pytest.mark.parametrize("variant", ["types", "escapes", "prompt", "urls"])
def test_a_hostile_answer_has_the_shape_of_kies(bench: Bench, target: str, variant: str):
    found = json.loads(answered(bench, target, variant))
    assert set(found) == {"code", "msg", "data"}


@pytest.mark.parametrize("target", ["poll", *HOSTS])
def test_it_may_be_nested_deeper_than_anybody_reads(bench: Bench, target: str):
    body = answered(bench, target, "deep")
    assert body.count(b"[") == DEEP
    with pytest.raises(RecursionError):
        json.loads(body)


@pytest.mark.parametrize("target", ["poll", *HOSTS])
def test_it_may_be_larger_than_anybody_reads(bench: Bench, target: str):
    body = answered(bench, target, "huge")
    assert HUGE - 65536 < len(body) < HUGE + 65536
    assert json.loads(body)["code"] == 200


@pytest.mark.parametrize(("variant", "text"), [("escapes", ESCAPES), ("prompt", PROMPT)])
def test_its_text_stands_where_a_reason_is_shown(bench: Bench, variant: str, text: str):
    failed = json.loads(answered(bench, "poll", variant))["data"]
    refused = json.loads(answered(bench, "create", variant))
    start = text.encode("utf-8", "replace").decode()
    assert (failed["state"], refused["code"]) == ("fail", 422)
    assert failed["failMsg"].startswith(start)
    assert refused["msg"].startswith(start)


def test_its_links_lead_to_where_nobody_may_go(bench: Bench):
    record = json.loads(answered(bench, "poll", "urls"))["data"]
    urls = json.loads(record["resultJson"])["resultUrls"]
    assert tuple(urls[: len(LINKS)]) == LINKS
    assert len(urls) == len(LINKS) + 1 + MANY
    assert len(set(urls)) == len(LINKS) + MANY
    assert json.loads(answered(bench, "create", "urls"))["data"]["taskId"].startswith("../../etc/passwd\n")


def test_a_structured_result_may_be_larger_than_anybody_reads(bench: Bench):
    record = json.loads(answered(bench, "poll", "result"))["data"]
    found = json.loads(record["resultJson"])
    assert (record["state"], found["resultUrls"]) == ("success", [])
    assert len(json.dumps(found["resultObject"])) > 6_000_000
    assert json.loads(answered(bench, "create", "result"))["msg"] == PROMPT


def test_a_task_may_have_been_made_before(bench: Bench):
    bench.faults.add("create", "hostile", accepted=True)
    bench.create()
    assert bench.sandbox.stats()["created"] == 1


def test_an_unknown_variant_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="hostile has no 'rude'; known are types, deep"):
        Faults().add("poll", "hostile", variant="rude")


def test_short_text_names_the_variant():
    for variant in VARIANTS:
        assert Faults.parse(f"poll:hostile:{variant}:2").detail == {"variant": variant}
    assert {on for on in TARGETS if "hostile" in _kinds(on)} == set(TARGETS) - {"download"}


def _kinds(on: str) -> list[str]:
    from kie_mcp.sandbox.faults import kinds_of

    return kinds_of(on)


# downloads that mean ill


def link(bench: Bench) -> str:
    url: str = json.loads(bench.finished()["resultJson"])["resultUrls"][0]
    return url.removeprefix(bench.origin)


def sent(bench: Bench, kind: str, **detail: Any) -> Any:
    url = link(bench)
    whole = b"".join(bench.send("GET", url).body)
    bench.faults.add("download", kind, **detail)
    return bench.send("GET", url), whole


def test_a_file_can_drip(bench: Bench):
    answer, whole = sent(bench, "drip", seconds=3)
    pieces = list(answer.body)
    assert (answer.pause, answer.length, {len(piece) for piece in pieces}) == (3, len(whole), {1})
    assert b"".join(pieces) == whole


@pytest.mark.parametrize(
    ("says", "length"), [("half", lambda size: str(size // 2)), ("double", lambda size: str(size * 2))]
)
def test_a_file_can_have_another_length_than_it_says(bench: Bench, says: str, length: Any):
    answer, whole = sent(bench, "wrong_length", says=says)
    assert (answer.headers, b"".join(answer.body)) == ({"Content-Length": length(len(whole))}, whole)


def test_a_length_can_be_no_number(bench: Bench):
    assert sent(bench, "wrong_length", says="-5")[0].headers == {"Content-Length": "-5"}


def test_a_file_can_be_packed_to_next_to_nothing(bench: Bench):
    answer, _ = sent(bench, "gzip_bomb", bytes=30_000_000)
    packed = b"".join(answer.body)
    assert (answer.headers, answer.length) == ({"Content-Encoding": "gzip"}, None)
    assert len(packed) < 300_000
    assert len(gzip.decompress(packed)) == 30_000_000


def test_a_file_can_be_followed_by_trailers_without_end(bench: Bench):
    answer, whole = sent(bench, "trailers", seconds=3)
    pieces = iter(answer.body)
    assert next(pieces) == b"%x\r\n%b\r\n0\r\n" % (len(whole), whole)
    assert {next(pieces) for _ in range(1000)} == {b"X-More: yes\r\n"}
    assert (answer.headers, answer.length, answer.pause) == ({"Transfer-Encoding": "chunked"}, None, 3)
