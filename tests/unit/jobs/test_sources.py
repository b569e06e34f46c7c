"""Pictures to work from: what is accepted, what leaves the machine and when."""

from __future__ import annotations

import pytest
from PIL import Image

from kie_mcp.errors import InputError, TaskNotFoundError
from kie_mcp.kie import TaskStatus
from kie_mcp.ledger import SavedFile


@pytest.fixture
def picture(tmp_path, png):
    path = tmp_path / "my picture.png"
    path.write_bytes(png)
    return path


@pytest.fixture
def urls(bench):
    """What one ``image_input`` becomes."""

    def run(*texts, model="nano-banana-pro"):
        context = bench.context()
        return bench.sources.urls(bench.sources.check(texts, model, context), context)

    return run


@pytest.fixture
def refusal(bench):
    def run(text, model="nano-banana-pro"):
        with pytest.raises(InputError) as caught:
            bench.sources.check((text,), model, bench.context())
        return caught.value.message

    return run


@pytest.mark.parametrize("url", ["https://example.com/a.png?x=1", "HTTPS://EXAMPLE.COM/A.PNG"])
def test_an_https_url_goes_through_as_it_is(urls, url):
    assert urls(url) == (url,)


def test_a_local_picture_is_uploaded_and_its_url_used(urls, picture, client):
    assert urls(str(picture), picture.as_uri()) == ("https://files.example/my picture.png",) * 2
    assert client.calls["upload"] == [(picture, "image/png")] * 2


def test_checking_uploads_nothing(bench, picture, client):
    (source,) = bench.sources.check((str(picture),), "nano-banana-pro", bench.context())
    assert source.local.path == picture
    assert client.calls["upload"] == []


def test_an_upload_is_told_as_progress(bench, picture):
    told = []
    context = bench.context(lambda *report: told.append(report[2]))
    bench.sources.urls(bench.sources.check((str(picture),), "x", context), context)
    assert told == ["uploading my picture.png"]


def test_the_order_of_the_pictures_is_kept(urls, picture):
    assert urls("https://a/1", str(picture), "https://a/2") == (
        "https://a/1",
        "https://files.example/my picture.png",
        "https://a/2",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://example.com/a.png", "http URL; accepted are https URLs"),
        ("ftp://example.com/a.png", "ftp URL"),
        ("data:image/png;base64," + "A" * 100_000, "data URL"),
        ("pictures/a.png", "must be absolute"),
        ("", "empty"),
        ("/nowhere/at/all.png", "no such file"),
        (__file__, "not those of a picture"),
    ],
)
def test_what_kie_could_not_read_or_nobody_meant_is_refused(refusal, text, reason):
    message = refusal(text)
    assert reason in message
    assert "image_input" in message
    assert len(message) < 400


def test_an_http_url_of_the_sandbox_is_accepted_where_the_api_is_on_this_machine_only(make_bench, refusal):
    bench = make_bench(base_url="http://127.0.0.1:9/api/v1")
    (source,) = bench.sources.check(("http://127.0.0.1:9/files/a.png",), "nano-banana-pro", bench.context())
    assert source.url == "http://127.0.0.1:9/files/a.png"
    assert "http URL" in refusal("http://127.0.0.1:9/files/a.png")


def test_a_kind_of_picture_that_the_model_cannot_read_is_refused_by_its_bytes(refusal, tmp_path):
    disguised = tmp_path / "fox.png"
    Image.new("RGB", (4, 4)).save(disguised, "BMP")
    message = refusal(str(disguised))
    assert "image/bmp" in message
    assert "image/jpeg, image/png, image/webp" in message


def test_a_model_that_is_not_known_gets_any_kind_of_picture(urls, tmp_path):
    path = tmp_path / "fox.bmp"
    Image.new("RGB", (4, 4)).save(path)
    assert urls(str(path), model="brand-new/model") == ("https://files.example/fox.bmp",)


def test_a_picture_over_the_limit_is_refused(make_bench, picture):
    bench = make_bench(max_image_bytes=1000)
    with pytest.raises(InputError, match="at most 1000 are accepted"):
        bench.sources.check((str(picture),), "nano-banana-pro", bench.context())


def test_a_task_stands_for_its_saved_file(bench, urls, picture, client):
    bench.ledger.saved("t", [SavedFile(str(picture), "image/png", 10, 4, 3)])
    assert urls("task:t") == ("https://files.example/my picture.png",)
    assert client.calls["poll"] == []


def test_a_task_whose_file_has_gone_stands_for_its_link(bench, urls, client):
    bench.ledger.saved("t", [SavedFile("/gone.png", "image/png", 10, 4, 3)])
    assert urls("task:t") == ("https://result.example/t.png",)


def test_a_task_that_has_no_picture_yet_is_refused_with_what_to_do(bench, client):
    client.scripts["poll"] = [TaskStatus("t", "generating")]
    with pytest.raises(InputError, match="'task:t' has no picture to work from: its status is generating") as caught:
        bench.sources.check(("task:t",), "nano-banana-pro", bench.context())
    assert "get_visual_task" in caught.value.next_step


def test_a_task_that_nobody_knows_is_refused(bench, client):
    client.scripts["poll"] = [TaskNotFoundError("Kie knows no task 't'.")]
    with pytest.raises(TaskNotFoundError):
        bench.sources.check(("task:t",), "nano-banana-pro", bench.context())


@pytest.mark.parametrize("text", ["https://", "https://[", "HTTPS:///etc/passwd", "http://[x]/a.png"])
def test_a_link_without_a_host_is_refused(bench, text):
    with pytest.raises(InputError, match="names no host"):
        bench.sources.check((text,), "nano-banana-pro", bench.context())
