"""Pictures to work from: what is accepted, what leaves the machine and when."""

from __future__ import annotations

import base64

import pytest
from PIL import Image

from kie_mcp.catalogue import InputPicture
from kie_mcp.errors import AuthError, CancelledError, InputError, ServerError, TaskNotFoundError
from kie_mcp.kie import TaskStatus
from kie_mcp.ledger import SavedFile

TYPES = ("image/jpeg", "image/png", "image/webp")
LINK = "https://result.example/t.png"


def given(text, argument="image_input", max_bytes=None, mime_types=()):
    return InputPicture("image_input", 0, text, argument, max_bytes, mime_types)


@pytest.fixture
def picture(tmp_path, png):
    path = tmp_path / "my picture.png"
    path.write_bytes(png)
    return path


@pytest.fixture
def bmp(tmp_path):
    """A picture whose name says something else."""
    path = tmp_path / "fox.png"
    Image.new("RGB", (4, 4)).save(path, "BMP")
    return path


@pytest.fixture
def urls(bench):
    """What input pictures become."""

    def run(*texts, **limits):
        context = bench.context()
        pictures = [given(text, **limits) for text in texts]
        return bench.sources.urls(bench.sources.check(pictures, context), context)

    return run


@pytest.fixture
def refusal(bench):
    def run(text, *, offline=False, **limits):
        with pytest.raises(InputError) as caught:
            bench.sources.check([given(text, **limits)], bench.context(), offline=offline)
        return caught.value.message

    return run


@pytest.fixture
def saved(bench, picture):
    """A function that has a task succeed in the ledger, its picture saved."""

    def make(path=picture, *, mime_type="image/png", size=100, links=(LINK,), **more):
        bench.ledger.observed("t", "success", image_urls=links, **more)
        assert bench.custody.claim("t", "a call")
        assert bench.custody.saved("t", "a call", [SavedFile(str(path), mime_type, size, 40, 30)])

    return make


# URLs


@pytest.mark.parametrize("url", ["https://example.com/a.png?x=1", "HTTPS://EXAMPLE.COM/A.PNG"])
def test_an_https_url_goes_through_as_it_is(urls, downloads, url):
    assert urls(url) == (url,)
    assert downloads.looked_at == []


def test_an_http_url_of_the_sandbox_is_accepted_where_the_api_is_on_this_machine_only(make_bench, refusal):
    bench = make_bench(base_url="http://127.0.0.1:9/api/v1")
    (source,) = bench.sources.check([given("http://127.0.0.1:9/files/a.png")], bench.context())
    assert source.url == "http://127.0.0.1:9/files/a.png"
    assert "http URL" in refusal("http://127.0.0.1:9/files/a.png")


@pytest.mark.parametrize("text", ["https://", "https://[", "HTTPS:///etc/passwd", "http://[x]/a.png"])
def test_a_link_without_a_host_is_refused(refusal, text):
    assert "names no host" in refusal(text)


# local pictures


def test_a_local_picture_is_uploaded_once_and_its_url_used(urls, picture, client, link_to, png):
    inline = "data:image/png;base64," + base64.b64encode(png).decode()
    assert urls(str(picture), picture.as_uri(), inline) == (link_to(png),) * 3
    assert client.calls["upload"] == [(png, "image/png")]


def test_checking_uploads_nothing(bench, picture, client):
    (source,) = bench.sources.check([given(str(picture))], bench.context())
    assert source.local.path == picture
    assert client.calls["upload"] == []


def test_the_order_of_the_pictures_is_kept(urls, picture, link_to, png):
    assert urls("https://a/1", str(picture), "https://a/2") == ("https://a/1", link_to(png), "https://a/2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://example.com/a.png", "http URL; accepted are https URLs"),
        ("ftp://example.com/a.png", "ftp URL"),
        ("x" * 100_000 + "://example.com/a.png", "xxx… URL"),
        ("data:image/png;base64," + "A" * 100_000, "not those of a picture"),
        ("data:image/png;base64," + "A://" * 100_000, "not valid base64"),
        ("pictures/a.png", "must be absolute"),
        ("", "empty"),
        ("/nowhere/at/all.png", "no such file"),
        (__file__, "not those of a picture"),
    ],
)
@pytest.mark.parametrize("offline", [False, True])
def test_what_kie_could_not_read_or_nobody_meant_is_refused(refusal, text, reason, offline):
    message = refusal(text, argument="model_params.mask_url", offline=offline)
    assert reason in message
    assert message.startswith("model_params.mask_url '")
    assert len(message) < 400


def test_a_kind_of_picture_that_the_model_cannot_read_is_refused_by_its_bytes(refusal, bmp):
    message = refusal(str(bmp), mime_types=TYPES)
    assert "image/bmp; accepted are image/jpeg, image/png, image/webp" in message


def test_a_model_whose_limits_are_not_known_gets_any_kind_of_picture(urls, bmp, link_to):
    assert urls(str(bmp)) == (link_to(bmp.read_bytes()),)


@pytest.mark.parametrize(("own", "models", "limit"), [(1000, None, 1000), (1000, 2000, 1000), (2000, 1000, 1000)])
def test_the_smaller_limit_counts(make_bench, picture, own, models, limit):
    bench = make_bench(max_image_bytes=own)
    with pytest.raises(InputError, match=f"at most {limit} are accepted"):
        bench.sources.check([given(str(picture), max_bytes=models)], bench.context())


def test_a_picture_that_changed_after_the_check_is_not_sent(bench, picture, client):
    sources = bench.sources.check([given(str(picture))], bench.context())
    picture.write_text("secret", "ascii")
    with pytest.raises(InputError, match=r"image_input '.*my picture\.png' has changed since it was checked"):
        bench.sources.urls(sources, bench.context())
    assert client.calls["upload"] == []


# earlier tasks


def test_a_task_stands_for_its_link_while_that_lives(saved, urls, client, downloads):
    saved()
    assert urls("task:t") == (LINK,)
    assert downloads.looked_at == [LINK]
    assert (client.calls["poll"], client.calls["upload"]) == ([], [])


def test_a_task_whose_link_has_died_stands_for_its_saved_file(saved, urls, client, downloads, link_to, png):
    saved()
    downloads.dead.add(LINK)
    assert urls("task:t", "task:t") == (link_to(png),) * 2
    assert client.calls["upload"] == [(png, "image/png")]
    assert (client.calls["poll"], client.calls["renew"]) == ([], [])


def test_a_task_of_which_only_the_file_is_known_needs_no_poll(bench, urls, picture, client, link_to, png):
    bench.ledger.adopt("t")
    assert bench.custody.claim("t", "a call")
    assert bench.custody.saved("t", "a call", [SavedFile(str(picture), "image/png", 100, 40, 30)])
    assert urls("task:t") == (link_to(png),)
    assert client.calls["poll"] == []


def test_checking_a_task_looks_at_no_link(bench, saved, downloads):
    saved()
    bench.sources.check([given("task:t")], bench.context())
    assert downloads.looked_at == []


def test_a_task_without_a_file_gets_its_link_renewed(bench, urls, client, downloads):
    bench.ledger.observed("t", "success", image_urls=[LINK])
    downloads.dead.add(LINK)
    assert urls("task:t") == (LINK + "?renewed",)
    assert client.calls["poll"] == []


@pytest.mark.parametrize("answer", [LINK + "?gone", InputError("url is wrong", code=422)])
def test_a_task_without_a_file_whose_link_stays_dead_is_refused_with_what_to_do(
    bench, saved, client, downloads, answer
):
    saved("/gone.png")
    downloads.dead.update((LINK, LINK + "?gone"))
    client.scripts["renew"] = [answer]
    sources = bench.sources.check([given("task:t")], bench.context())
    with pytest.raises(
        InputError, match="image_input 'task:t' cannot be used: the link to its picture has died"
    ) as caught:
        bench.sources.urls(sources, bench.context())
    assert "get_visual_task" in caught.value.next_step


@pytest.mark.parametrize("error", [AuthError("401"), ServerError("HTTP 500"), CancelledError("cancelled")])
def test_a_renewal_that_fails_for_another_reason_says_so(bench, urls, client, downloads, error):
    bench.ledger.observed("t", "success", image_urls=[LINK])
    downloads.dead.add(LINK)
    client.scripts["renew"] = [error]
    with pytest.raises(type(error)):
        urls("task:t")


def test_a_task_that_only_kie_knows_stands_for_its_link(urls, client):
    assert urls("task:t") == (LINK,)
    assert len(client.calls["poll"]) == 1


def test_a_task_that_has_no_picture_yet_is_refused_with_what_to_do(bench, client):
    client.scripts["poll"] = [TaskStatus("t", "generating")]
    with pytest.raises(InputError, match="'task:t' has no picture to work from: its status is generating") as caught:
        bench.sources.check([given("task:t")], bench.context())
    assert "get_visual_task" in caught.value.next_step


@pytest.mark.parametrize("error", [TaskNotFoundError("Kie knows no task 't'."), InputError("'t' cannot be a task id.")])
def test_a_task_that_nobody_knows_is_refused(refusal, client, error):
    client.scripts["poll"] = [error]
    assert refusal("task:t", argument="model_params.mask_url") == (
        f"model_params.mask_url 'task:t' cannot be used: {error.message}"
    )


@pytest.mark.parametrize("offline", [False, True])
def test_a_task_that_gave_no_picture_is_refused_without_asking(bench, refusal, client, offline):
    bench.ledger.observed("data", "success", result={"boxes": []})
    bench.ledger.observed("failed", "fail", error={"message": "prohibited"})
    assert "its result is data" in refusal("task:data", offline=offline)
    with pytest.raises(InputError) as caught:
        bench.sources.check([given("task:data")], bench.context(), offline=offline)
    assert caught.value.next_step == "Name another picture."
    assert "it failed" in refusal("task:failed", offline=offline)
    assert client.calls["poll"] == []


def test_offline_a_task_that_is_not_known_here_is_left_unchecked(bench, client, downloads):
    bench.ledger.observed("running", "generating")
    sources = bench.sources.check([given("task:running"), given("task:x")], bench.context(), offline=True)
    assert [(source.url, source.local) for source in sources] == [(None, None)] * 2
    assert (client.calls["poll"], downloads.looked_at) == ([], [])


def test_offline_a_task_that_is_known_here_is_checked(bench, refusal, saved):
    saved(mime_type="image/bmp")
    bench.sources.check([given("task:t")], bench.context(), offline=True)
    saved("/gone.bmp", mime_type="image/bmp")
    assert "is image/bmp" in refusal("task:t", mime_types=TYPES, offline=True)


# earlier tasks, and the limits of the model


def test_the_link_of_a_picture_that_does_not_fit_is_not_used(saved, refusal, bmp, client):
    saved(bmp, mime_type="image/bmp")
    message = refusal("task:t", mime_types=TYPES)
    assert message.startswith("image_input 'task:t', saved as '")
    assert "is image/bmp; accepted are image/jpeg" in message
    assert client.calls["poll"] == []


def test_what_has_been_put_in_the_place_of_a_picture_that_does_not_fit_is_used(saved, urls, png, link_to):
    saved(mime_type="image/bmp")
    assert urls("task:t", mime_types=TYPES) == (link_to(png),)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"mime_types": ("image/jpeg",)}, "it is image/png; accepted are image/jpeg."),
        ({"max_bytes": 99}, "it has 100 bytes, at most 99 are accepted."),
    ],
)
def test_a_picture_that_does_not_fit_is_refused_even_where_its_file_has_gone(saved, refusal, limits, reason):
    saved("/gone.png")
    assert refusal("task:t", **limits) == f"image_input 'task:t' cannot be used: {reason}"


def test_a_saved_file_that_is_broken_by_now_is_no_reason_to_refuse_its_link(saved, urls, picture, downloads, client):
    saved()
    picture.write_text("broken", "ascii")
    assert urls("task:t", mime_types=TYPES) == (LINK,)
    downloads.dead.add(LINK)
    assert urls("task:t", mime_types=TYPES) == (LINK + "?renewed",)
    assert client.calls["upload"] == []


@pytest.mark.parametrize("text", ["task:", "task: ", "task:a b", "task:\n", "task:" + "x" * 300])
@pytest.mark.parametrize("offline", [True, False])
def test_a_task_without_an_id_is_refused(refusal, client, text, offline):
    assert "names no task" in refusal(text, offline=offline)
    assert client.calls["poll"] == []


def test_spaces_around_a_picture_do_no_harm(bench, urls, picture, client):
    bench.ledger.observed("t", "success", image_urls=["https://result.example/t.png"])
    assert urls(" https://example.com/a.png\n", " task: t ") == (
        "https://example.com/a.png",
        "https://result.example/t.png",
    )
    assert urls(f" {picture.as_uri()} ") == urls(str(picture))


def test_bare_base64_is_told_what_is_missing_and_not_repeated(refusal):
    message = refusal("iVBORw0KGgo" * 100)
    assert "write data:image/png;base64, before it" in message
    assert "iVBOR" not in message


@pytest.mark.parametrize(
    "url", ["https://me:s3cret@host.example/a.png", "https://s3cret@host.example/", "https://@host.example/"]
)
def test_a_url_with_a_password_in_it_is_told_to_nobody(refusal, url):
    message = refusal(url)
    assert "of host.example with a user name or password in it" in message
    assert "s3cret" not in message
