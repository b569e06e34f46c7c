"""Result files and their links."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

RENEW = "/api/v1/common/download-url"


def link(bench: Bench, **given: str) -> str:
    url: str = bench.finished({"prompt": "a red apple on a table", **given})["response"]["resultUrls"][0]
    return url


def renewed(bench: Bench, url: str) -> str:
    answer: str = bench.json("POST", RENEW, {"url": url})["data"]
    return answer


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def test_a_result_is_a_png_of_the_asked_shape(bench: Bench):
    status, data = bench.file(link(bench, aspect_ratio="16:9"))
    picture = opened(data)
    assert (status, picture.format, picture.size) == (200, "PNG", (1408, 792))
    assert picture.info["Description"] == "a red apple on a table"
    assert bench.sandbox.stats()["downloads"] == 1


def test_a_result_may_be_a_jpeg(bench: Bench):
    url = link(bench, output_format="jpg")
    assert url.endswith(".jpg")
    assert opened(bench.file(url)[1]).format == "JPEG"


def test_a_result_is_there_once_its_task_has_succeeded(bench: Bench):
    task_id = bench.task()
    path = f"/files/{task_id}-0.png"
    assert bench.file(path)[0] == 404
    bench.clock.advance(10)
    assert bench.file(path)[0] == 200
    assert [bench.file(f"/files/{name}")[0] for name in (f"{task_id}-1.png", "x.png", "0" * 32 + "-0.png")] == [404] * 3


def test_a_key_sent_along_to_a_file_is_counted(bench: Bench):
    url = link(bench).removeprefix(bench.origin)
    bench.send("GET", url)
    assert bench.sandbox.stats()["authorized_downloads"] == 1


def test_a_link_dies_and_can_be_renewed_which_lasts_as_long_again(bench: Bench):
    url = link(bench)
    bench.clock.advance(1200)
    status, data = bench.file(url)
    assert (status, b"AccessDenied" in data) == (403, True)
    again = renewed(bench, url)
    assert bench.file(again)[0] == 200
    bench.clock.advance(1200)
    assert bench.file(again)[0] == 403
    assert bench.file(renewed(bench, again))[0] == 200


def test_a_signature_cannot_be_made_up(bench: Bench):
    signed = renewed(bench, link(bench))
    assert [bench.file(url)[0] for url in (signed[:-1] + "x", signed.replace("until=", "until=9"))] == [403, 403]
    assert bench.file(signed.replace("until=1", "until=x"))[0] == 403


def test_renewing_signs_made_up_files_of_this_place_and_refuses_every_other(bench: Bench):
    assert bench.file(renewed(bench, f"{bench.origin}/files/never.png"))[0] == 404
    for url in ("https://example.com/a.png", f"{bench.origin}/other", 7, None):
        assert bench.json("POST", RENEW, {"url": url}) == {"code": 422, "msg": "url is wrong", "data": None}


def test_a_head_request_is_no_download(bench: Bench):
    url = link(bench)
    answer = bench.send("HEAD", url.removeprefix(bench.origin))
    assert answer.length == len(bench.file(url)[1])
    assert bench.sandbox.stats()["downloads"] == 1


def test_a_head_request_meets_no_fault_and_uses_none_up(bench: Bench):
    url = link(bench)
    bench.faults.add("download", "http")
    assert [bench.file(url, method)[0] for method in ("HEAD", "GET", "GET")] == [200, 500, 200]


def test_a_file_can_be_dead_or_no_picture_or_elsewhere(bench: Bench):
    url = link(bench)
    bench.faults.add("download", "dead")
    bench.faults.add("download", "not_picture", match="red apple")
    bench.faults.add("download", "redirect", location="http://10.0.0.1/x")
    assert bench.file(url)[0] == 403
    page = bench.send("GET", url.removeprefix(bench.origin))
    assert (page.media_type, b"".join(page.body)[:9]) == ("image/png", b"<!DOCTYPE")
    elsewhere = bench.send("GET", url.removeprefix(bench.origin))
    assert (elsewhere.status, elsewhere.headers) == (302, {"Location": "http://10.0.0.1/x"})
    assert bench.sandbox.stats()["downloads"] == 0


def test_a_file_can_be_cut_off_or_another_format(bench: Bench):
    url = link(bench)
    whole = bench.file(url)[1]
    bench.faults.add("download", "truncate")
    bench.faults.add("download", "jpeg")
    short = bench.send("GET", url.removeprefix(bench.origin))
    assert (short.length, b"".join(short.body)) == (len(whole), whole[: len(whole) // 2])
    other = bench.send("GET", url.removeprefix(bench.origin))
    assert (other.media_type, opened(b"".join(other.body)).format) == ("image/png", "JPEG")


@pytest.mark.parametrize(("declared", "length"), [(True, 300_000), (False, None)])
def test_a_file_can_be_huge_and_still_a_picture(bench: Bench, declared: bool, length: int | None):
    url = link(bench)
    bench.faults.add("download", "huge", bytes=300_000, declared=declared)
    answer = bench.send("GET", url.removeprefix(bench.origin))
    data = b"".join(answer.body)
    assert (answer.length, len(data)) == (length, 300_000)
    assert opened(data).size == (1024, 1024)


def test_the_same_seed_and_prompt_give_the_same_picture(make_bench: Callable[..., Bench]):
    first, same, other = (make_bench(seed=seed) for seed in (1, 1, 2))
    files = [bench.file(link(bench))[1] for bench in (first, same, other)]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_the_pictures_of_one_task_differ(bench: Bench):
    record = bench.finished({"prompt": "x", "aspect_ratio": "1:1"}, "grok-imagine/text-to-image")
    first, second = (bench.file(url)[1] for url in json.loads(record["resultJson"])["resultUrls"])
    assert first != second
