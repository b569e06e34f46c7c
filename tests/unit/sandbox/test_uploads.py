"""The three uploads."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from kie_mcp.clock import Clock
from kie_mcp.sandbox.store import Store, media_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

BASE64 = "/api/file-base64-upload"
URL = "/api/file-url-upload"
STREAM = "/api/file-stream-upload"
PNG = b"\x89PNG\r\n\x1a\n and so on"
TEXT = base64.b64encode(PNG).decode()


def test_an_upload_answers_as_the_live_api_does(bench: Bench):
    body = {"base64Data": TEXT, "uploadPath": "images/me", "fileName": "tést.png"}
    answer = bench.json("POST", BASE64, body)
    assert answer == {
        "success": True,
        "code": 200,
        "msg": "File uploaded successfully",
        "data": {
            "success": True,
            "fileName": "tést.png",
            "filePath": "kieai/100000/images/me/tést.png",
            "downloadUrl": f"{bench.origin}/kieai/100000/images/me/t%C3%A9st.png",
            "fileSize": len(PNG),
            "mimeType": "image/png",
            "uploadedAt": "2026-09-11T11:38:14.807Z",
        },
    }
    assert bench.file(answer["data"]["downloadUrl"]) == (200, PNG)
    assert bench.sandbox.stats()["uploads"] == 1


def test_without_a_name_a_random_one_is_used_and_the_same_name_overwrites(bench: Bench):
    body = {"base64Data": f"data:image/png;base64,{TEXT}", "uploadPath": "x"}
    first, second = (bench.json("POST", BASE64, body)["data"]["fileName"] for _ in range(2))
    assert first != second
    for data in (b"one", b"two"):
        named = {"base64Data": base64.b64encode(data).decode(), "uploadPath": "x", "fileName": "a.bin"}
        url = bench.json("POST", BASE64, named)["data"]["downloadUrl"]
    assert bench.file(url) == (200, b"two")


def test_a_path_cannot_leave_its_place(bench: Bench):
    body = {"base64Data": TEXT, "uploadPath": "../../etc", "fileName": "..\\..\\/passwd"}
    assert bench.json("POST", BASE64, body)["data"]["filePath"] == "kieai/100000/etc/passwd"


@pytest.mark.parametrize(
    ("endpoint", "body", "message"),
    [
        (BASE64, {}, "base64Data is required"),
        (BASE64, {"base64Data": "%%%", "uploadPath": "x"}, "base64Data is not valid base64"),
        (BASE64, {"base64Data": "é", "uploadPath": "x"}, "base64Data is not valid base64"),
        (BASE64, {"base64Data": TEXT}, "uploadPath is required"),
        (URL, {"fileUrl": "file:///etc/passwd", "uploadPath": "x"}, "fileUrl is not a valid URL"),
        (URL, {"uploadPath": "x"}, "fileUrl is not a valid URL"),
        (STREAM, {}, "the body is not multipart/form-data"),
    ],
)
def test_what_cannot_be_uploaded_is_refused(bench: Bench, endpoint: str, body: Any, message: str):
    answer = bench.json("POST", endpoint, body)
    assert answer == {"success": False, "code": 400, "msg": message, "data": None}


def form(*named: tuple[str, bytes]) -> bytes:
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), data) for n, data in named
    ]
    return b"".join([*parts, b"--B--\r\n"])


def test_a_form_may_have_its_parts_in_any_order(bench: Bench):
    data = form(('file"; filename="a.png', PNG), ("uploadPath", b"p"))
    answer = bench.json("POST", STREAM, data, content_type="multipart/form-data; boundary=B")
    assert answer["data"]["filePath"] == "kieai/100000/p/a.png"
    assert bench.file(answer["data"]["downloadUrl"]) == (200, PNG)


def test_a_form_needs_a_file_and_short_fields(bench: Bench):
    for data, message in (
        (form(("uploadPath", b"p")), "file is required"),
        (form(("uploadPath", b"p" * 200_000)), "uploadPath is longer than 65536 bytes"),
    ):
        answer = bench.json("POST", STREAM, data, content_type="multipart/form-data; boundary=B")
        assert answer["msg"] == message


def test_an_upload_by_url_copies_own_files_and_draws_others(bench: Bench):
    own = bench.json("POST", BASE64, {"base64Data": TEXT, "uploadPath": "x", "fileName": "a.png"})["data"]
    copy = bench.json("POST", URL, {"fileUrl": own["downloadUrl"], "uploadPath": "y"})["data"]
    assert copy["filePath"] == "kieai/100000/y/a.png"
    assert bench.file(copy["downloadUrl"]) == (200, PNG)
    drawn = bench.json("POST", URL, {"fileUrl": "https://example.com/b.png", "uploadPath": "y"})["data"]
    assert Image.open(io.BytesIO(bench.file(drawn["downloadUrl"])[1])).size == (512, 512)


def test_an_upload_dies_after_its_time_and_is_not_copied_any_more(make_bench: Callable[..., Bench]):
    bench = make_bench(upload_seconds=60)
    url = bench.json("POST", BASE64, {"base64Data": TEXT, "uploadPath": "x", "fileName": "a.png"})["data"][
        "downloadUrl"
    ]
    bench.clock.advance(59)
    assert bench.file(url)[0] == 200
    bench.clock.advance(1)
    assert [bench.file(url, method)[0] for method in ("GET", "HEAD")] == [404, 404]
    renewed = bench.json("POST", "/api/v1/common/download-url", {"url": url})["data"]
    assert bench.file(renewed)[0] == 404
    answer = bench.json("POST", URL, {"fileUrl": url, "uploadPath": "y"})
    assert (answer["code"], answer["msg"]) == (400, "fileUrl cannot be fetched")


def test_a_head_request_tells_the_size_of_an_upload(bench: Bench):
    url = bench.json("POST", BASE64, {"base64Data": TEXT, "uploadPath": "x", "fileName": "a.png"})["data"][
        "downloadUrl"
    ]
    answer = bench.send("HEAD", url.removeprefix(bench.origin))
    assert (answer.status, answer.length, answer.media_type) == (200, len(PNG), "image/png")


def test_what_was_not_uploaded_is_not_there(bench: Bench):
    assert bench.file("/kieai/100000/x/a.png")[0] == 404


def test_a_closed_store_leaves_nothing_on_disk():
    store = Store(Clock(), 60)
    store.close()
    kept = store.save("x", "a.bin", [b"1", b"2"])
    assert kept.file.read_bytes() == b"12"
    store.close()
    assert not kept.file.parent.exists()
    assert store.find(kept.path) is None


@pytest.mark.parametrize(
    ("head", "name", "found"),
    [
        (b"\xff\xd8\xff\xe0", "a.png", "image/jpeg"),
        (b"RIFF....WEBPVP8", "", "image/webp"),
        (b"GIF89a", "", "image/gif"),
        (b"hello", "a.txt", "text/plain"),
        (b"", "a", "application/octet-stream"),
    ],
)
def test_the_media_type_comes_from_the_bytes_then_from_the_name(head: bytes, name: str, found: str):
    assert media_type(head, name) == found
