"""Local pictures at Kie: each once, as long as its link lives."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kie_mcp.errors import AuthError, CancelledError, ConfigError, InputError, NetworkError, ServerError
from kie_mcp.files import local_picture
from kie_mcp.kie.upload import Uploaded


@pytest.fixture
def picture(tmp_path, png):
    path = tmp_path / "fox.png"
    path.write_bytes(png)
    return local_picture(str(path), max_bytes=10_000_000)


@pytest.fixture
def sha256(png):
    return hashlib.sha256(png).hexdigest()


@pytest.fixture
def url(bench, picture):
    """Where Kie finds the picture."""

    def run(context=None, picture=picture):
        return bench.uploads.url(picture, context or bench.context())

    return run


class Gate:
    """An upload that has begun, goes on when it is let, and then answers or fails."""

    def __init__(self):
        self.begun = threading.Event()
        self.opened = threading.Event()
        self.answer = None

    def __call__(self):
        self.begun.set()
        assert self.opened.wait(30)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def gate(client, sha256):
    """The first upload."""
    gate = Gate()
    gate.answer = Uploaded("https://files.example/fox", sha256)
    client.scripts["upload"] = [gate]
    return gate


def test_a_picture_is_uploaded_once(url, client, link_to, png):
    assert [url(), url(), url()] == [link_to(png)] * 3
    assert client.calls["upload"] == [(png, "image/png")]


def test_it_is_known_by_its_bytes_not_by_its_name(url, client, tmp_path, png):
    (tmp_path / "copy.png").write_bytes(png)
    url()
    url(picture=local_picture(str(tmp_path / "copy.png"), max_bytes=10_000_000))
    assert len(client.calls["upload"]) == 1


def test_another_server_process_knows_it_too(url, make_bench, picture, client):
    url()
    other = make_bench()
    other.uploads.url(picture, other.context())
    assert len(client.calls["upload"]) == 1


def test_another_upload_host_gets_it_again(url, make_bench, picture, client):
    url()
    other = make_bench(upload_base_url="https://upload.example")
    other.uploads.url(picture, other.context())
    assert len(client.calls["upload"]) == 2


def test_a_link_that_is_too_old_is_not_even_looked_at(url, clock, client, downloads):
    url()
    clock.time += 20 * 3600
    url()
    assert len(client.calls["upload"]) == 2
    assert downloads.looked_at == []


def test_a_link_that_has_died_is_replaced(url, client, downloads, link_to, png, sha256):
    url()
    downloads.dead.add(link_to(png))
    client.scripts["upload"] = [Uploaded("https://files.example/fresh", sha256)]
    assert url() == url() == "https://files.example/fresh"
    assert downloads.looked_at == [link_to(png), "https://files.example/fresh"]
    assert len(client.calls["upload"]) == 2


def test_a_dead_link_is_forgotten_even_if_the_upload_fails(url, client, downloads, link_to, png):
    url()
    downloads.dead.add(link_to(png))
    client.scripts["upload"] = [NetworkError("broken")]
    with pytest.raises(NetworkError):
        url()
    url()
    assert downloads.looked_at == [link_to(png)]


def test_an_upload_is_told_as_progress(bench, url):
    told = []
    url(bench.context(lambda *report: told.append(report[2])))
    url(bench.context(lambda *report: told.append(report[2])))
    assert told == ["uploading fox.png"]


def test_threads_with_the_same_picture_upload_it_once(url, client, gate, clock):
    clock.on_wait = gate.opened.set
    with ThreadPoolExecutor(8) as pool:
        urls = list(pool.map(lambda _: url(), range(8)))
    assert urls == ["https://files.example/fox"] * 8
    assert len(client.calls["upload"]) == 1


@pytest.mark.parametrize("answer", [CancelledError("no"), InputError("it became shorter")])
def test_where_the_first_of_them_fails_for_its_own_reasons_the_next_one_tries(
    bench, url, client, gate, link_to, png, answer
):
    clock = bench.clock
    gate.answer = answer
    clock.on_wait = gate.opened.set
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(url)
        assert gate.begun.wait(30)
        assert url() == link_to(png)
        with pytest.raises(type(answer), match=answer.message):
            first.result(30)
    assert len(client.calls["upload"]) == 2
    assert bench.uploads._under_way == {}


def test_a_failure_that_would_meet_everybody_is_shared_and_told_of_each_ones_picture(
    bench, url, client, gate, clock, tmp_path, png
):
    (tmp_path / "copy.png").write_bytes(png)
    copy = local_picture(str(tmp_path / "copy.png"), max_bytes=10_000_000)
    gate.answer = NetworkError("broken")
    clock.on_wait = gate.opened.set
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(url)
        assert gate.begun.wait(30)
        with pytest.raises(NetworkError, match=r"copy\.png' could not be uploaded .*: broken"):
            url(picture=copy)
        with pytest.raises(NetworkError, match=r"fox\.png' could not be uploaded .*: broken"):
            first.result(30)
    assert len(client.calls["upload"]) == 1
    assert bench.uploads._under_way == {}


@pytest.mark.parametrize(
    ("error", "kind", "advice"),
    [
        (NetworkError("The connection broke."), NetworkError, "nothing was made or billed"),
        (ServerError("Kie answered code 500: busy", code=500), ServerError, "nothing was made or billed"),
        (AuthError("Kie answered code 401: no", code=401), AuthError, "KIE_AI_API_KEY"),
        (InputError("Kie answered HTTP 404.", code=404), ConfigError, "KIE_AI_UPLOAD_BASE_URL"),
        (InputError("Kie answered HTTP 413: too large", code=413), InputError, "smaller picture"),
    ],
)
def test_a_failed_upload_says_that_it_is_one_and_of_what(url, client, picture, error, kind, advice):
    reason = error.message
    client.scripts["upload"] = [error]
    with pytest.raises(kind) as caught:
        url()
    assert caught.value.message == (
        f"image_input '{picture.path}' could not be uploaded to https://kieai.redpandaai.co: {reason}"
    )
    assert advice in caught.value.next_step


def test_where_the_first_of_them_sent_other_bytes_the_next_one_tries(url, client, gate, clock, link_to, png):
    gate.answer = Uploaded("https://files.example/another", "ab" * 32)
    clock.on_wait = gate.opened.set
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(url)
        assert gate.begun.wait(30)
        assert url() == link_to(png)
        assert first.result(30) == "https://files.example/another"


def test_who_waits_for_an_upload_of_others_is_woken_by_a_cancel(bench, url, gate, clock):
    context = bench.context()
    clock.on_wait = context.cancel
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(url)
        assert gate.begun.wait(30)
        with pytest.raises(CancelledError):
            url(context)
        gate.opened.set()
        assert first.result(30) == "https://files.example/fox"


def test_nobody_waits_for_others_longer_than_the_call_may_take(bench, url, gate, clock):
    context = bench.context()
    context.deadline = clock.time + 5
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(url)
        assert gate.begun.wait(30)
        with pytest.raises(NetworkError, match="being uploaded by another call") as caught:
            url(context)
        gate.opened.set()
        first.result(30)
    assert caught.value.retryable
    assert "nothing was made or billed" in caught.value.next_step
    assert sum(clock.waits) == pytest.approx(5, abs=0.2)


def test_what_was_sent_is_what_is_remembered(url, client, picture, png, monkeypatch):
    changed = png + b"more"
    send = client.upload

    def late(opened, mime_type, context):
        picture.path.write_bytes(changed)
        return send(opened, mime_type, context)

    monkeypatch.setattr(client, "upload", late)
    url()
    monkeypatch.setattr(client, "upload", send)
    assert client.calls["upload"] == [(changed, "image/png")]
    url()
    assert len(client.calls["upload"]) == 1
    picture.path.write_bytes(png)
    url()
    assert client.calls["upload"][1:] == [(png, "image/png")]


def test_a_file_that_is_no_picture_any_more_is_not_sent(url, client, picture):
    picture.path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----", "ascii")
    with pytest.raises(InputError, match="has changed since it was checked"):
        url()
    assert client.calls["upload"] == []
