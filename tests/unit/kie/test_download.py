"""Fetching pictures: no credentials, https only, never an address of the local network."""

from __future__ import annotations

import gzip
import socket

import pytest
import requests

from kie_mcp.errors import (
    CancelledError,
    DeadLinkError,
    NetworkError,
    NotAcceptedError,
    OutputError,
    RateLimitError,
    UnclearAnswerError,
)
from kie_mcp.kie.connections import refuse_local

URL = "https://tempfile.aiquickdraw.com/images/a.png"
LOCAL = ["127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.169.254", "100.64.0.1", "224.0.0.1", "::1", "fe80::1", "fd12::1"]
LOCAL += ["::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"]


@pytest.fixture
def downloader(make_downloader):
    """One for an API elsewhere: it refuses local addresses."""
    return make_downloader()


@pytest.fixture
def local_downloader(make_downloader, host):
    """One for an API on this machine, where pictures are too."""
    return make_downloader(base_url=host.url + "/api/v1", timeout_seconds=10)


def join(chunks):
    return b"".join(chunks)


def refuse(_):
    raise AssertionError


# addresses


@pytest.mark.parametrize("address", LOCAL)
def test_a_link_to_a_local_address_is_not_followed(mock, downloader, context, address):
    url = f"https://[{address}]/a.png" if ":" in address else f"https://{address}/a.png"
    with pytest.raises(OutputError, match="leads to the local address"):
        downloader.fetch(url, refuse, context)
    assert len(mock.calls) == 0


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "api.localhost",
        "127.0.0.1:8443",
        "127.0.0.1.",
        "user@127.0.0.1",
        "good.example@127.0.0.1",
        "good.example:443@localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "2852039166",
        "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
        "\uff11\uff12\uff17\u3002\uff10\u3002\uff10\u3002\uff11",
        "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54",
        "%31%32%37.0.0.1",
        "metadata",
        "metadata.google.internal",
        "printer.local",
        "router.home.arpa",
    ],
)
def test_a_link_to_this_machine_is_not_followed_however_it_is_written(mock, downloader, context, host):
    with pytest.raises(OutputError, match=r"local address|not a usable URL"):
        downloader.fetch(f"https://{host}/a.png", refuse, context)
    assert len(mock.calls) == 0


@pytest.mark.parametrize(
    "url", ["http://tempfile.test/a.png", "ftp://x/a.png", "file:///etc/passwd", "data:,x", "a.png", "", "//x/a.png"]
)
def test_a_link_that_is_not_https_is_not_followed(mock, downloader, context, url):
    with pytest.raises(OutputError, match="not followed"):
        downloader.fetch(url, refuse, context)
    assert len(mock.calls) == 0


@pytest.mark.parametrize(
    "url",
    ["https://[::1", "https://[x]/a", "https://", "https://a:port/", "https://*.x/", "https://a:99999/", "https:///a"],
)
def test_a_link_that_is_no_url_is_an_error_of_the_output(mock, downloader, context, url):
    with pytest.raises(OutputError, match="not followed"):
        downloader.fetch(url, refuse, context)
    assert len(mock.calls) == 0


def resolving_to(monkeypatch, port):
    """Every name leads to this machine."""
    asked = []

    def look_up(host, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


@pytest.fixture
def _no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.usefixtures("_no_proxies")
@pytest.mark.parametrize("host", ["innocent.example", "innocent.example.", "127.0.0.1.nip.io"])
def test_a_name_that_leads_to_this_machine_is_hung_up_on_before_a_byte_is_sent(
    downloader, context, monkeypatch, listener, host
):
    port = listener.getsockname()[1]
    asked = resolving_to(monkeypatch, port)
    with pytest.raises(OutputError, match=r"leads to the local address 127\.0\.0\.1"):
        downloader.fetch(f"https://{host}:{port}/a.png", refuse, context)
    assert len(asked) == 1
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(100) == b""


@pytest.mark.usefixtures("_no_proxies")
def test_plain_connections_are_guarded_too(downloader, monkeypatch, listener):
    port = listener.getsockname()[1]
    resolving_to(monkeypatch, port)
    with pytest.raises(OutputError, match="local address"):
        downloader._session.get(f"http://innocent.example:{port}/", timeout=5)


def test_a_connection_to_a_public_address_is_left_alone():
    class Public:
        def getpeername(self):
            return ("93.184.216.34", 443)

    public = Public()
    assert refuse_local(public) is public


# the request


def test_a_picture_is_fetched_without_credentials(mock, downloader, context, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(URL)
    mock.get(URL, body=b"picture")
    assert downloader.fetch(URL, join, context) == b"picture"
    assert "Authorization" not in mock.calls[0].request.headers
    assert "Cookie" not in mock.calls[0].request.headers


def test_credentials_in_a_link_are_not_sent(local_downloader, host, answer, context):
    host.says(answer.page(body=b"picture"))
    assert local_downloader.fetch(host.url.replace("//", "//user:word@"), join, context) == b"picture"
    assert host.seen[0].headers["Authorization"] is None


def test_no_redirect_brings_credentials_back(local_downloader, host, start_host, answer, context, key):
    other = start_host().says(answer.page(body=b"picture"))
    host.says(answer.page(302, Location=other.url + "/b.png", Set_Cookie="a=b"))
    assert local_downloader.fetch(host.url + "/a.png", join, context) == b"picture"
    for seen in host.seen + other.seen:
        assert seen.headers["Authorization"] is None
        assert seen.headers["Cookie"] is None
        assert key not in str(seen.headers)


def test_a_host_of_pictures_is_told_nothing_but_the_link(local_downloader, host, start_host, answer, context):
    other = start_host().says(answer.page(body=b"picture"))
    host.says(answer.page(302, Location=other.url + "/b.png?x=1", Set_Cookie="a=b"))
    assert local_downloader.fetch(host.url + "/a.png#part", join, context) == b"picture"
    for seen, path in zip(host.seen + other.seen, ("/a.png", "/b.png?x=1"), strict=True):
        assert seen.path == path
        assert set(seen.headers) == {"Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"}
        assert seen.headers["User-Agent"].startswith("kie-mcp/")


def test_a_picture_is_asked_for_as_it_is(mock, downloader, context):
    mock.get(URL, body=b"picture")
    downloader.fetch(URL, join, context)
    assert mock.calls[0].request.headers["Accept-Encoding"] == "identity"


def test_the_receivers_result_is_returned(mock, downloader, context):
    mock.get(URL, body=b"picture")
    assert downloader.fetch(URL, lambda chunks: len(join(chunks)), context) == 7


# redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_https_redirect_is_followed(mock, downloader, context, status):
    mock.get(URL, status=status, headers={"Location": "/images/b.png?x=1"})
    mock.get("https://tempfile.aiquickdraw.com/images/b.png", body=b"picture")
    assert downloader.fetch(URL, join, context) == b"picture"


@pytest.mark.parametrize(
    "target",
    [
        "http://tempfile.test/a.png",
        "//169.254.169.254/latest",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::ffff:127.0.0.1]/",
        "file:///etc/passwd",
        "https://[::1",
        "https://a:port/",
    ],
)
def test_a_redirect_is_checked_as_the_link_was(mock, downloader, context, clock, target):
    mock.get(URL, status=302, headers={"Location": target})
    with pytest.raises(OutputError, match="not followed"):
        downloader.fetch(URL, refuse, context)
    assert (len(mock.calls), clock.waits) == (1, [])


def test_five_redirects_are_followed_and_no_more(mock, downloader, context):
    mock.get(URL, status=302, headers={"Location": URL})
    with pytest.raises(OutputError, match="more than 5 redirects"):
        downloader.fetch(URL, refuse, context)
    assert len(mock.calls) == 6
    mock.reset()
    for _ in range(5):
        mock.get(URL, status=302, headers={"Location": URL})
    mock.get(URL, body=b"picture")
    assert downloader.fetch(URL, join, context) == b"picture"


def test_a_redirect_to_nowhere_is_unclear(mock, downloader, context):
    mock.get(URL, status=302)
    with pytest.raises(UnclearAnswerError, match="HTTP 302"):
        downloader.fetch(URL, refuse, context)


def test_the_body_of_a_redirect_is_not_read(local_downloader, host, answer, context):
    def endless(handler):
        answer.page(302, Location="/b.png", Content_Length=str(10**12))(handler)
        handler.wfile.write(b"x")
        host.over.wait(30)

    host.says(endless, answer.page(body=b"picture"))
    assert local_downloader.fetch(host.url + "/a.png", join, context) == b"picture"


# answers


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_dead_link_is_told_at_once(mock, downloader, context, clock, status):
    mock.get(URL, status=status)
    with pytest.raises(DeadLinkError) as caught:
        downloader.fetch(URL, refuse, context)
    assert caught.value.code == status
    assert (len(mock.calls), clock.waits) == (1, [])


PASSING = {
    "HTTP 408": ({"status": 408}, NotAcceptedError),
    "HTTP 425": ({"status": 425}, NotAcceptedError),
    "HTTP 429": ({"status": 429}, RateLimitError),
    "HTTP 500": ({"status": 500}, UnclearAnswerError),
    "HTTP 502": ({"status": 502}, UnclearAnswerError),
    "HTTP 503": ({"status": 503}, NotAcceptedError),
    "HTTP 206": ({"status": 206, "body": b"part"}, UnclearAnswerError),
    "HTTP 204": ({"status": 204}, UnclearAnswerError),
    "time-out": ({"body": requests.ReadTimeout()}, NetworkError),
    "dropped": ({"body": requests.ConnectionError()}, NetworkError),
}


@pytest.mark.parametrize("failure", [failure for failure, _ in PASSING.values()], ids=PASSING)
def test_a_download_is_tried_again_after_any_passing_failure(mock, downloader, context, clock, failure):
    mock.get(URL, **failure)
    mock.get(URL, **failure)
    mock.get(URL, body=b"picture")
    assert downloader.fetch(URL, join, context) == b"picture"
    assert len(clock.waits) == 2


@pytest.mark.parametrize(("failure", "kind"), PASSING.values(), ids=PASSING)
def test_the_last_failure_is_told_when_the_attempts_are_used_up(mock, downloader, context, failure, kind):
    mock.get(URL, **failure)
    with pytest.raises(kind) as caught:
        downloader.fetch(URL, refuse, context)
    assert type(caught.value) is kind
    assert len(mock.calls) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_host_asks_for_is_honoured(mock, downloader, context, clock, status):
    mock.get(URL, status=status, headers={"Retry-After": "11"})
    mock.get(URL, body=b"picture")
    downloader.fetch(URL, join, context)
    assert clock.waits == [11]


def test_a_picture_that_says_it_is_over_the_limit_is_not_read(mock, make_downloader, context):
    mock.get(URL, body=b"x" * 101, auto_calculate_content_length=True)
    with pytest.raises(OutputError, match=r"has 101 bytes.*\(100\)") as caught:
        make_downloader(max_image_bytes=100).fetch(URL, refuse, context)
    assert "KIE_AI_MAX_IMAGE_BYTES" in caught.value.next_step


@pytest.mark.parametrize("digits", [12, 5000])
def test_a_length_of_any_number_of_digits_is_refused_in_a_short_message(mock, downloader, context, digits):
    mock.get(URL, body=b"x", headers={"Content-Length": "9" * digits})
    with pytest.raises(OutputError, match=r"has 9{12,19} bytes") as caught:
        downloader.fetch(URL, refuse, context)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "link", ["x" * 100_000 + ":a", "https://" + "x" * 100_000 + "/", "https://127.0.0.1" + "." * 5000]
)
def test_a_link_of_any_length_is_refused_in_a_short_message(mock, downloader, context, link):
    mock.get(URL, status=302, headers={"Location": link})
    with pytest.raises(OutputError, match="not followed") as caught:
        downloader.fetch(URL, refuse, context)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("length", ["100", "-5", "many", "1e3", ""])
def test_a_length_within_the_limit_or_without_a_meaning_is_left_to_the_receiver(mock, make_downloader, context, length):
    mock.get(URL, body=b"x" * 100, headers={"Content-Length": length})
    assert len(make_downloader(max_image_bytes=100).fetch(URL, join, context)) == 100


# the body


def test_a_picture_comes_in_bounded_pieces(local_downloader, host, answer, context):
    host.says(answer.page(body=b"x" * 1_000_000))
    pieces = local_downloader.fetch(host.url, list, context)
    assert sum(map(len, pieces)) == 1_000_000
    assert max(map(len, pieces)) <= 262_144


def test_a_picture_that_comes_packed_though_nobody_asked_is_unpacked(local_downloader, host, answer, context):
    host.says(answer.page(body=gzip.compress(b"picture") + b"\0" * 1_000_000, Content_Encoding="gzip"))
    pieces = local_downloader.fetch(host.url, list, context)
    assert pieces == [b"picture"]


def short(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"x" * 10)
    handler.close_connection = True


def test_a_short_body_is_fetched_again_from_the_start(local_downloader, host, answer, context):
    host.says(short, answer.page(body=b"picture"))
    started = []

    def receive(chunks):
        started.append(1)
        return join(chunks)

    assert local_downloader.fetch(host.url, receive, context) == b"picture"
    assert len(started) == 2


def test_a_body_that_stays_short_is_a_broken_connection(local_downloader, host, context):
    host.says(short)
    with pytest.raises(NetworkError):
        local_downloader.fetch(host.url, join, context)
    assert len(host.seen) == 3


def test_a_failure_of_the_receiver_is_not_tried_again(mock, downloader, context):
    def full(_):
        raise OutputError("the disk is full")

    mock.get(URL, body=b"picture")
    with pytest.raises(OutputError, match="the disk is full"):
        downloader.fetch(URL, full, context)
    assert len(mock.calls) == 1


def test_a_slow_picture_is_handed_on_as_it_arrives(local_downloader, host, answer, context):
    def slow(handler):
        answer.page(Content_Length="1000000")(handler)
        handler.wfile.write(b"first")
        host.over.wait(30)

    host.says(slow)

    def first(chunks):
        return next(chunks)

    assert local_downloader.fetch(host.url, first, context) == b"first"


def test_a_picture_that_drips_is_a_passing_failure(local_downloader, host, answer, context, clock):
    def drip(handler):
        answer.page(Content_Length="1000000")(handler)
        while not host.over.wait(0.001):
            handler.wfile.write(b"x")

    clock.step = 1
    host.says(drip, answer.page(body=b"picture"))
    assert local_downloader.fetch(host.url, join, context) == b"picture"
    assert len(host.seen) == 2


def test_a_picture_that_comes_fast_enough_may_take_longer_than_the_time_out(
    local_downloader, host, answer, context, clock
):
    host.says(answer.page(body=b"x" * 3_000_000))

    def receive(pieces):
        size = 0
        for piece in pieces:
            size += len(piece)
            clock.time += len(piece) / 5000
        return size

    assert local_downloader.fetch(host.url, receive, context) == 3_000_000
    assert clock.time > 1590


def test_a_download_ends_with_its_call(local_downloader, host, answer, context, clock):
    host.says(answer.page(body=b"x" * 3_000_000))
    context.deadline = clock.time + 5

    def receive(pieces):
        for _ in pieces:
            clock.time += 2

    with pytest.raises(NetworkError, match="call's time ended"):
        local_downloader.fetch(host.url, receive, context)
    assert len(host.seen) == 1


def test_what_arrives_at_once_is_taken_though_the_call_has_no_time_left(local_downloader, host, answer, context, clock):
    host.says(answer.page(body=b"picture"))
    context.deadline = clock.time
    assert local_downloader.fetch(host.url, join, context) == b"picture"


# cancelling


def test_nothing_is_fetched_for_a_call_that_was_cancelled(mock, downloader, context):
    context.cancel()
    with pytest.raises(CancelledError):
        downloader.fetch(URL, refuse, context)
    assert len(mock.calls) == 0


def test_a_cancel_ends_a_download_between_two_pieces(local_downloader, host, answer, context):
    host.says(answer.page(body=b"x" * 5_000_000))

    def receive(chunks):
        for _ in chunks:
            context.cancel()

    with pytest.raises(CancelledError):
        local_downloader.fetch(host.url, receive, context)
    assert len(host.seen) == 1


def test_no_attempt_is_made_after_a_cancel(mock, downloader, context, clock):
    clock.on_wait = context.cancel
    mock.get(URL, status=503)
    with pytest.raises(CancelledError):
        downloader.fetch(URL, refuse, context)
    assert len(mock.calls) == 1


# with an API on this machine


def test_plain_http_is_for_pictures_on_this_machine_only(local_downloader, host, answer, context):
    host.says(answer.page(body=b"picture"))
    assert local_downloader.fetch(host.url + "/a.png", join, context) == b"picture"
    for url in ("http://tempfile.test/a.png", "https://10.0.0.1/a.png", "https://169.254.169.254/"):
        with pytest.raises(OutputError, match="not followed"):
            local_downloader.fetch(url, refuse, context)


# whether a link works


def test_a_link_that_answers_is_alive(local_downloader, host, answer, context):
    host.says(answer.page(body=b"picture"))
    assert local_downloader.alive(host.url + "/a.png", context)
    (seen,) = host.seen
    assert (seen.method, seen.path) == ("HEAD", "/a.png")
    assert seen.headers["Authorization"] is None
    assert seen.headers["Cookie"] is None


@pytest.mark.parametrize("status", [200, 204, 206])
def test_any_good_status_is_a_sign_of_life(mock, downloader, context, status):
    mock.head(URL, status=status)
    assert downloader.alive(URL, context)


@pytest.mark.parametrize("status", [302, 304, 400, 401, 403, 404, 405, 408, 410, 425, 429, 500, 502, 503])
def test_any_other_status_of_both_methods_is_none_and_is_not_asked_again(mock, downloader, context, clock, status):
    mock.head(URL, status=status)
    mock.get(URL, status=status)
    assert not downloader.alive(URL, context)
    assert [call.request.method for call in mock.calls] == ["HEAD", "GET"]
    assert clock.waits == []


def test_a_host_that_drops_the_first_look_gets_a_second(mock, downloader, context):
    mock.head(URL, body=requests.ConnectionError("dropped"))
    mock.get(URL, body=b"picture")
    assert downloader.alive(URL, context)


def test_a_link_that_is_signed_for_getting_alone_is_alive(mock, downloader, context):
    mock.head(URL, status=403)
    mock.get(URL, body=b"picture")
    assert downloader.alive(URL, context)


@pytest.mark.parametrize(
    "url",
    [
        "http://tempfile.test/a.png",
        "https://127.0.0.1/a.png",
        "https://10.0.0.1/",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_a_link_that_must_not_be_followed_is_not_alive(mock, downloader, context, url):
    assert not downloader.alive(url, context)
    assert len(mock.calls) == 0


def test_the_redirects_of_a_link_are_followed_under_the_same_rules(mock, downloader, context):
    mock.head(URL, status=302, headers={"Location": "https://other.test/b.png"})
    mock.head("https://other.test/b.png")
    assert downloader.alive(URL, context)
    mock.head("https://other.test/inner", status=302, headers={"Location": "https://192.168.0.1/b.png"})
    assert not downloader.alive("https://other.test/inner", context)
    mock.head("https://other.test/circle", status=302, headers={"Location": "https://other.test/circle"})
    assert not downloader.alive("https://other.test/circle", context)


@pytest.mark.usefixtures("_no_proxies")
def test_a_name_that_leads_to_this_machine_is_not_alive(downloader, context, monkeypatch, listener):
    port = listener.getsockname()[1]
    resolving_to(monkeypatch, port)
    assert not downloader.alive(f"https://innocent.example:{port}/a.png", context)
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(100) == b""


def test_a_connection_that_breaks_is_no_sign_of_life(local_downloader, host, answer, context, refused_port):
    host.says(answer.hang_up, answer.hang_up)
    assert not local_downloader.alive(host.url, context)
    assert not local_downloader.alive(f"http://127.0.0.1:{refused_port}/", context)
    assert [seen.method for seen in host.seen] == ["HEAD", "GET"]


@pytest.mark.parametrize(("left", "seconds"), [(1000.0, 10.0), (4.0, 4.0), (0.0, 1.0)])
def test_a_look_at_a_link_takes_ten_seconds_or_what_the_call_has_left(
    mock, downloader, context, clock, monkeypatch, left, seconds
):
    mock.head(URL)
    context.deadline = clock.time + left
    asked = []
    request = downloader._session.request
    monkeypatch.setattr(
        downloader._session, "request", lambda *given, **more: asked.append(more["timeout"]) or request(*given, **more)
    )
    assert downloader.alive(URL, context)
    assert asked == [(seconds, seconds)]


def test_no_link_is_looked_at_for_a_call_that_was_cancelled(mock, downloader, context):
    context.cancel()
    with pytest.raises(CancelledError):
        downloader.alive(URL, context)
    assert len(mock.calls) == 0
