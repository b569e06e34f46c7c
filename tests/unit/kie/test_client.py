"""The authorised calls, and above all: a paid task is asked for once."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import socket

import pytest
import requests
import responses
import urllib3
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, SSLError

from kie_mcp.errors import (
    AuthError,
    CancelledError,
    ConfigError,
    CreditsError,
    InputError,
    KieMcpError,
    NetworkError,
    NotAcceptedError,
    NotConnectedError,
    RateLimitError,
    ServerError,
    TaskNotFoundError,
    UnclearAnswerError,
    UnknownOutcomeError,
)
from kie_mcp.kie import TaskStatus

API = "https://api.kie.ai/api/v1"
CREATE = API + "/jobs/createTask"
INFO = API + "/jobs/recordInfo"
CREDIT = API + "/chat/credit"
LINK = API + "/common/download-url"
UPLOAD = "https://kieai.redpandaai.co/api/file-stream-upload"
BODY = {"model": "nano-banana-pro", "input": {"prompt": "a red apple"}}
MADE = {"code": 200, "msg": "success", "data": {"taskId": "task_1", "recordId": "task_1"}}
RUNNING = {"code": 200, "msg": "success", "data": {"taskId": "task_1", "state": "generating"}}
POOL = urllib3.HTTPSConnectionPool("api.kie.ai")


def code(number, msg="a reason"):
    return {"json": {"code": number, "msg": msg, "data": None}}


def refused():
    return {"body": requests.ConnectionError(MaxRetryError(POOL, CREATE, NewConnectionError(POOL, "refused")))}


def queue(mock, method, url, *answers):
    for answer in answers:
        mock.add(method, url, **answer)


# createTask: what is sent again


SENT_AGAIN = {
    "connection refused": refused(),
    "connection timed out": {"body": requests.ConnectTimeout()},
    "HTTP 408": {"status": 408},
    "HTTP 425": {"status": 425},
    "HTTP 503": {"status": 503, "body": "<h1>503</h1>"},
    "code 455": code(455),
    "code 550": code(550),
}


@pytest.mark.parametrize("failure", SENT_AGAIN.values(), ids=SENT_AGAIN)
def test_a_task_that_was_certainly_not_accepted_is_sent_again(mock, client, context, clock, failure):
    queue(mock, "POST", CREATE, failure, failure, {"json": MADE})
    assert client.create_task(BODY, context) == "task_1"
    assert len(mock.calls) == 3
    assert 1.5 <= clock.waits[0] <= 2.5
    assert 3 <= clock.waits[1] <= 5
    assert {call.request.body for call in mock.calls} == {json.dumps(BODY).encode()}


@pytest.mark.parametrize("failure", SENT_AGAIN.values(), ids=SENT_AGAIN)
def test_when_the_attempts_are_used_up_nothing_was_made(mock, client, context, failure):
    queue(mock, "POST", CREATE, failure)
    with pytest.raises((NotConnectedError, NotAcceptedError)):
        client.create_task(BODY, context)
    assert len(mock.calls) == 3


@pytest.mark.parametrize("failure", [{"status": 429, "headers": {"Retry-After": "9"}}, code(429)])
def test_too_many_requests_is_told_at_once(mock, client, context, clock, failure):
    queue(mock, "POST", CREATE, failure)
    with pytest.raises(RateLimitError) as caught:
        client.create_task(BODY, context)
    assert (len(mock.calls), clock.waits) == (1, [])
    assert caught.value.code == 429
    assert caught.value.retry_after == (9 if "headers" in failure else None)


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("3600", 60)])
def test_the_wait_that_kie_asks_for_is_honoured_and_capped(mock, client, context, clock, asked, waited):
    queue(mock, "POST", CREATE, {"status": 503, "headers": {"Retry-After": asked}}, {"json": MADE})
    assert client.create_task(BODY, context) == "task_1"
    assert clock.waits == [waited]


# createTask: what nobody can tell

UNKNOWN = {
    "time-out": {"body": requests.ReadTimeout()},
    "dropped": {"body": requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError()))},
    "tls broke": {"body": requests.exceptions.SSLError(MaxRetryError(POOL, CREATE, SSLError("eof")))},
    "broken body": {"body": requests.exceptions.ChunkedEncodingError()},
    "HTTP 500": {"status": 500},
    "HTTP 500 with an envelope": {"status": 500, **code(429)},
    "HTTP 502": {"status": 502, "body": "<html>bad gateway</html>"},
    "HTTP 504": {"status": 504},
    "HTTP 524": {"status": 524},
    "HTTP 302": {"status": 302, "headers": {"Location": "https://elsewhere.test/"}},
    "HTTP 201": {"status": 201, "json": MADE},
    "a page": {"body": "<html>hello</html>"},
    "empty": {"body": ""},
    "no object": {"body": "[]"},
    "no code": {"json": {"data": {"taskId": "x"}}},
    "code 0": code(0),
    "code 408": code(408),
    "code 502": code(502),
    "code 531": code(531),
    "nested deep": {"body": '{"code":200,"data":' + "[" * 100_000},
}


@pytest.mark.parametrize("failure", UNKNOWN.values(), ids=UNKNOWN)
def test_a_task_that_may_have_been_made_is_never_sent_again(mock, client, context, clock, failure):
    queue(mock, "POST", CREATE, failure)
    with pytest.raises(UnknownOutcomeError) as caught:
        client.create_task(BODY, context)
    assert (len(mock.calls), clock.waits) == (1, [])
    assert not caught.value.retryable
    assert "kie.ai/logs" in caught.value.next_step


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [],
        "task_1",
        {"taskId": None},
        {"taskId": ""},
        {"taskId": 7},
        {"taskId": "a b"},
        {"taskId": "\x1b[2J"},
        {"taskId": "x" * 201},
        {"task_id": "x"},
    ],
)
def test_an_accepted_task_without_a_usable_id_may_have_been_made(mock, client, context, data):
    queue(mock, "POST", CREATE, {"json": {"code": 200, "msg": "success", "data": data}})
    with pytest.raises(UnknownOutcomeError, match="no usable task id"):
        client.create_task(BODY, context)
    assert len(mock.calls) == 1


def test_an_unknown_outcome_keeps_the_code(mock, client, context):
    queue(mock, "POST", CREATE, {"status": 502})
    with pytest.raises(UnknownOutcomeError) as caught:
        client.create_task(BODY, context)
    assert caught.value.code == 502
    assert type(caught.value.__cause__) is UnclearAnswerError


# createTask: definite refusals

REFUSALS = [
    ({"status": 400}, InputError),
    ({"status": 401}, AuthError),
    ({"status": 402}, CreditsError),
    ({"status": 403}, AuthError),
    ({"status": 404}, InputError),
    ({"status": 422}, InputError),
    (code(400), InputError),
    (code(401), AuthError),
    (code(402), CreditsError),
    (code(404), InputError),
    (code(422), InputError),
    (code(433), CreditsError),
    (code(500), ServerError),
    (code(500, "Credits insufficient"), CreditsError),
    (code(500, "resolution is required"), InputError),
    (code(501), ServerError),
    (code(505), ServerError),
]


@pytest.mark.parametrize(("answer", "kind"), REFUSALS)
def test_a_definite_refusal_is_told_at_once(mock, client, context, clock, answer, kind):
    queue(mock, "POST", CREATE, answer)
    with pytest.raises(kind) as caught:
        client.create_task(BODY, context)
    assert type(caught.value) is kind
    assert (len(mock.calls), clock.waits) == (1, [])


def test_a_number_that_json_cannot_carry_is_never_sent(mock, client, context):
    with pytest.raises(InputError, match="NaN"):
        client.create_task({"model": "m", "input": {"seed": float("nan")}}, context)
    assert len(mock.calls) == 0


def test_an_address_that_cannot_be_used_is_a_matter_of_settings(make_client, context):
    with pytest.raises(ConfigError, match="InvalidURL"):
        make_client(base_url="https://*.kie.test").create_task(BODY, context)


def test_a_proxy_of_a_kind_that_is_not_installed_is_a_matter_of_settings(client, context, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ConfigError):
        client.create_task(BODY, context)


def test_a_proxy_that_nobody_listens_on_means_that_nothing_was_sent(client, context, clock, monkeypatch, refused_port):
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{refused_port}")
    with pytest.raises(NotConnectedError):
        client.create_task(BODY, context)
    assert len(clock.waits) == 2


def test_certificates_that_are_not_there_are_a_matter_of_settings(client, context, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    with pytest.raises(ConfigError, match="REQUESTS_CA_BUNDLE"):
        client.create_task(BODY, context)


def test_without_a_key_nothing_is_sent(mock, make_client, context):
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY"):
        make_client(api_key=None).create_task(BODY, context)
    assert len(mock.calls) == 0


# createTask over real sockets


def test_a_task_is_made_on_a_connection_of_its_own(local_client, host, answer, context, key):
    host.says(answer.envelope({"taskId": "task_1"}))
    assert local_client.create_task(BODY, context) == "task_1"
    (seen,) = host.seen
    assert (seen.method, seen.path) == ("POST", "/jobs/createTask")
    assert seen.headers["Authorization"] == f"Bearer {key}"
    assert seen.headers["Connection"] == "close"
    assert seen.headers["Content-Type"] == "application/json"
    assert json.loads(seen.body) == BODY


def test_no_task_travels_on_a_connection_that_was_used_before(local_client, host, answer, context):
    ports = []

    def keep_open(handler):
        ports.append(handler.client_address[1])
        handler.close_connection = False
        answer.envelope({"taskId": "task_1"})(handler)

    host.says(keep_open)
    for _ in range(5):
        local_client.create_task(BODY, context)
    assert len(set(ports)) == 5


def test_a_dropped_connection_is_not_tried_again(local_client, host, answer, context):
    host.says(answer.hang_up)
    with pytest.raises(UnknownOutcomeError, match="broke"):
        local_client.create_task(BODY, context)
    assert len(host.seen) == 1


def test_a_time_out_is_not_tried_again(make_client, host, context):
    host.says(lambda _: host.over.wait(30))
    with pytest.raises(UnknownOutcomeError, match="KIE_AI_TIMEOUT_SECONDS"):
        make_client(base_url=host.url, timeout_seconds=0.2).create_task(BODY, context)
    assert len(host.seen) == 1


def test_an_answer_that_ends_too_early_is_not_tried_again(local_client, host, answer, context):
    def short(handler):
        handler.close_connection = True
        answer.page(body=b'{"code":200', Content_Length="500")(handler)

    host.says(short)
    with pytest.raises(UnknownOutcomeError):
        local_client.create_task(BODY, context)
    assert len(host.seen) == 1


def test_a_huge_answer_is_not_read_and_not_asked_for_again(local_client, host, answer, context):
    def huge(handler):
        answer.page(Content_Length=str(10**12))(handler)
        for _ in range(1000):
            handler.wfile.write(b" " * 65536)

    host.says(huge)
    with pytest.raises(UnknownOutcomeError, match="larger than"):
        local_client.create_task(BODY, context)
    assert len(host.seen) == 1


def test_an_answer_that_comes_late_but_whole_is_an_answer(local_client, host, answer, context, clock):
    clock.step = 8  # of the 10 seconds that a request may take, at every look at the clock
    host.says(answer.envelope({"taskId": "task_1"}))
    assert local_client.create_task(BODY, context) == "task_1"


def test_a_port_that_nobody_listens_on_is_tried_again(make_client, context, clock, refused_port):
    with pytest.raises(NotConnectedError):
        make_client(base_url=f"http://127.0.0.1:{refused_port}").create_task(BODY, context)
    assert len(clock.waits) == 2


def test_a_name_that_nobody_knows_is_tried_again(make_client, context, clock, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotConnectedError):
        make_client(base_url="http://localhost:1").create_task(BODY, context)
    assert len(clock.waits) == 2


def test_a_host_that_speaks_no_tls_leaves_the_outcome_unknown(make_client, host, answer, context):
    host.says(answer.envelope({"taskId": "x"}))
    with pytest.raises(UnknownOutcomeError):
        make_client(base_url=host.url.replace("http:", "https:")).create_task(BODY, context)
    assert host.seen == []


# cancelling


def test_no_request_is_sent_for_a_call_that_was_cancelled(mock, client, context):
    context.cancel()
    for ask in (
        lambda: client.create_task(BODY, context),
        lambda: client.get_task("t", context),
        lambda: client.credits(context),
        lambda: client.renewed_link("https://x", context),
    ):
        with pytest.raises(CancelledError):
            ask()
    assert len(mock.calls) == 0


@pytest.mark.parametrize("ask", ["create", "poll"])
def test_no_attempt_is_made_after_a_cancel(mock, client, context, clock, ask):
    clock.on_wait = context.cancel
    queue(mock, responses.POST, CREATE, {"status": 503})
    queue(mock, responses.GET, INFO, {"status": 503})
    with pytest.raises(CancelledError):
        client.create_task(BODY, context) if ask == "create" else client.get_task("t", context)
    assert len(mock.calls) == 1


def test_a_cancel_while_the_task_is_being_made_lets_the_id_arrive(mock, client, context):
    def made(_):
        context.cancel()
        return (200, {}, json.dumps(MADE))

    mock.add_callback(responses.POST, CREATE, made)
    assert client.create_task(BODY, context) == "task_1"


# recordInfo


def test_a_poll_asks_for_the_task_and_waits_for_its_turn(mock, client, context, turns, key):
    queue(mock, "GET", INFO, {"json": RUNNING})
    assert client.get_task("task/1&x", context) == TaskStatus("task/1&x", "generating")
    request = mock.calls[0].request
    assert request.url == INFO + "?taskId=task%2F1%26x"
    assert request.headers["Authorization"] == f"Bearer {key}"
    assert turns == [context]


POLLED_AGAIN = {
    **SENT_AGAIN,
    **{name: UNKNOWN[name] for name in UNKNOWN if name != "HTTP 201"},
    "HTTP 429": {"status": 429},
    "code 429": code(429),
    "code 500": code(500),
    "code 501": code(501),
}


@pytest.mark.parametrize("failure", POLLED_AGAIN.values(), ids=POLLED_AGAIN)
def test_a_poll_is_tried_again_after_any_passing_failure(mock, client, context, clock, turns, failure):
    queue(mock, "GET", INFO, failure, failure, {"json": RUNNING})
    assert client.get_task("task_1", context).state == "generating"
    assert len(mock.calls) == len(turns) == 3
    assert len(clock.waits) == 2


def test_a_poll_may_be_left_to_the_next_turn(mock, client, context, clock):
    queue(mock, "GET", INFO, {"status": 502})
    with pytest.raises(UnclearAnswerError):
        client.get_task("task_1", context, once=True)
    assert (len(mock.calls), clock.waits) == (1, [])


@pytest.mark.parametrize(("left", "seconds"), [(float("inf"), 90), (4, 4), (500, 90)])
def test_a_poll_takes_no_longer_than_its_call_may(mock, client, context, left, seconds):
    queue(mock, "GET", INFO, {"json": RUNNING})
    context.deadline = context.clock.monotonic() + left
    client.get_task("task_1", context)
    assert mock.calls[0].request.req_kwargs["timeout"] == (min(15, seconds), seconds)


@pytest.mark.parametrize(
    "answer", [code(422, "recordInfo is null"), code(404, "Task not found"), {"status": 404}, {"status": 422}]
)
def test_an_unknown_task_is_told_apart(mock, client, context, answer):
    queue(mock, "GET", INFO, answer)
    with pytest.raises(TaskNotFoundError, match="Kie knows no task 'task_1'") as caught:
        client.get_task("task_1", context)
    assert caught.value.task_id == "task_1"
    assert caught.value.category == "input"
    assert len(mock.calls) == 1


@pytest.mark.parametrize(("answer", "kind"), [(code(401), AuthError), (code(400, "taskId is required"), InputError)])
def test_another_refusal_of_a_poll_stays_what_it_is(mock, client, context, answer, kind):
    queue(mock, "GET", INFO, answer)
    with pytest.raises(kind) as caught:
        client.get_task("task_1", context)
    assert type(caught.value) is kind
    assert len(mock.calls) == 1


@pytest.mark.parametrize("task_id", ["\x1b[2J" + "x" * 500, "", "two words", "caf\u00e9", "\ud800", "x" * 201])
def test_what_cannot_be_an_id_is_refused_without_asking(mock, client, context, task_id):
    with pytest.raises(InputError) as caught:
        client.get_task(task_id, context)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200
    assert not mock.calls


def test_a_request_is_no_longer_than_the_call_may_take(mock, client, context, clock):
    context.deadline = clock.monotonic() + 7
    queue(mock, "GET", INFO, {"json": RUNNING})
    client.get_task("t", context)
    assert mock.calls[0].request.req_kwargs["timeout"] == (7, 7)


def test_a_create_task_is_not_cut_short_by_the_end_of_the_call(mock, client, context, clock):
    context.deadline = clock.monotonic() + 7
    queue(mock, "POST", CREATE, {"json": MADE})
    client.create_task(BODY, context)
    assert mock.calls[0].request.req_kwargs["timeout"] == (15, 90)


def test_polls_keep_their_connection(local_client, host, answer, context):
    ports = []

    def note(handler):
        ports.append(handler.client_address[1])
        answer.envelope({"state": "waiting"})(handler)

    host.says(note)
    for _ in range(3):
        local_client.get_task("t", context)
    assert len(set(ports)) == 1


# credits, links


@pytest.mark.parametrize(("data", "balance"), [(5916.25, 5916.25), (80, 80.0), (0, 0.0), (-1.5, -1.5)])
def test_the_balance_is_a_bare_number(mock, client, context, data, balance):
    queue(mock, "GET", CREDIT, {"json": {"code": 200, "msg": "success", "data": data}})
    assert client.credits(context) == balance


@pytest.mark.parametrize("data", ["null", '"80"', "true", "{}", "NaN", "Infinity", "1e999", "9" * 400])
def test_a_balance_that_is_no_number_is_unclear(mock, client, context, data):
    queue(mock, "GET", CREDIT, {"body": '{"code":200,"data":' + data + "}"})
    with pytest.raises(UnclearAnswerError, match="no number of credits"):
        client.credits(context)


def test_the_balance_is_asked_for_again_after_a_passing_failure(mock, client, context):
    queue(mock, "GET", CREDIT, {"status": 502}, {"json": {"code": 200, "data": 1}})
    assert client.credits(context) == 1


def test_a_link_is_renewed(mock, client, context):
    queue(mock, "POST", LINK, {"json": {"code": 200, "msg": "success", "data": "https://fresh.test/a.png"}})
    assert client.renewed_link("https://old.test/a.png", context) == "https://fresh.test/a.png"
    assert json.loads(mock.calls[0].request.body) == {"url": "https://old.test/a.png"}


def test_a_link_that_is_not_kies_is_an_input_error(mock, client, context):
    queue(mock, "POST", LINK, code(422, "url is wrong"))
    with pytest.raises(InputError, match="url is wrong"):
        client.renewed_link("https://old.test/a.png", context)


NO_LINKS = [None, 7, ["https://x"], {"url": "https://x"}, "", "file:///etc/passwd", "https://", "https://x/\x1b[2J"]


@pytest.mark.parametrize("data", [*NO_LINKS, "javascript:alert(1)", "https://x/" + "x" * 9000])
def test_a_renewal_without_a_link_is_unclear(mock, client, context, data):
    queue(mock, "POST", LINK, {"json": {"code": 200, "data": data}})
    with pytest.raises(UnclearAnswerError, match="no usable link"):
        client.renewed_link("https://x", context)


# uploads


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / 'my "private" näme.пнг'
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 300_000)
    return path


UPLOADED = {"success": True, "fileName": "a.png", "downloadUrl": "https://tempfile.redpandaai.co/a.png"}


def test_a_picture_is_uploaded_as_a_stream(local_client, host, answer, context, picture, key):
    host.says(answer.envelope(UPLOADED))
    sent = local_client.upload(lambda: picture.open("rb"), "image/png", context)
    assert sent.url == "https://tempfile.redpandaai.co/a.png"
    assert sent.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()
    (seen,) = host.seen
    assert (seen.method, seen.path) == ("POST", "/api/file-stream-upload")
    assert seen.headers["Content-Length"] == str(len(seen.body))
    assert seen.headers["Transfer-Encoding"] is None
    assert seen.headers["Authorization"] == f"Bearer {key}"
    assert seen.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert picture.read_bytes() in seen.body
    assert b"private" not in seen.body
    assert re.search(rb'name="fileName"\r\n\r\n[0-9a-f]{16}\.png\r\n', seen.body)


def test_an_upload_is_tried_again_from_its_beginning(local_client, host, answer, context, picture):
    host.says(answer.hang_up, answer.page(502), answer.envelope(UPLOADED))
    local_client.upload(lambda: picture.open("rb"), "image/png", context)
    assert [picture.read_bytes() in seen.body for seen in host.seen] == [True] * 3
    names = {re.search(rb"[0-9a-f]{16}\.png", seen.body)[0] for seen in host.seen}
    assert len(names) == 3


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [],
        {"downloadUrl": None},
        {"fileUrl": "https://x"},
        {"downloadUrl": "a.png"},
        {"downloadUrl": "https://x/\ud800"},
    ],
)
def test_an_upload_without_a_link_is_unclear(local_client, host, answer, context, picture, data):
    host.says(answer.envelope(data))
    with pytest.raises(UnclearAnswerError, match="no usable downloadUrl"):
        local_client.upload(lambda: picture.open("rb"), "image/png", context)


def test_a_picture_that_cannot_be_opened_any_more_is_not_uploaded(mock, client, context):
    def opened():
        raise InputError("fox.png has changed since it was checked")

    with pytest.raises(InputError, match="has changed"):
        client.upload(opened, "image/png", context)
    assert len(mock.calls) == 0


def test_a_picture_that_is_cut_short_on_its_way_ends_the_upload(local_client, host, answer, context, picture):
    host.says(answer.envelope(UPLOADED))

    class Shrinking(io.FileIO):
        def read(self, size=-1):
            return b"" if self.tell() > 100_000 else super().read(size)

    with pytest.raises(InputError, match="became shorter"):
        local_client.upload(lambda: Shrinking(picture), "image/png", context)


def test_a_cancel_ends_an_upload_in_the_middle(local_client, host, answer, context, tmp_path):
    host.says(answer.page())
    path = tmp_path / "big.png"
    path.write_bytes(bytes(3_000_000))

    class Cancelling(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 1_000_000:
                context.cancel()
            return super().read(size)

    with pytest.raises(CancelledError):
        local_client.upload(lambda: Cancelling(path.read_bytes()), "image/png", context)


def test_an_upload_ends_at_the_deadline_of_the_call(local_client, host, answer, context, clock):
    host.says(answer.page())
    context.deadline = clock.monotonic() + 5

    class Slow(io.BytesIO):
        def read(self, size=-1):
            clock.time += 1
            return super().read(size)

    with pytest.raises(NetworkError, match="time of this call ended before the picture was uploaded"):
        local_client.upload(lambda: Slow(bytes(3_000_000)), "image/png", context)


def test_uploads_go_to_the_host_for_uploads(mock, client, context, picture):
    queue(mock, "POST", UPLOAD, {"json": {"code": 200, "data": UPLOADED}})
    client.upload(lambda: picture.open("rb"), "image/png", context)
    assert mock.calls[0].request.url == UPLOAD


# the key


def test_the_key_goes_to_one_host_only(local_client, start_host, host, answer, context):
    elsewhere = start_host().says(answer.envelope(RUNNING["data"]))
    for status in (301, 302, 303, 307, 308):
        host.says(answer.page(status, Location=elsewhere.url + "/x"))
        with pytest.raises(UnclearAnswerError):
            local_client.get_task("t", context, once=True)
        with pytest.raises(UnknownOutcomeError):
            local_client.create_task(BODY, context)
    assert elsewhere.seen == []


def test_a_netrc_file_does_not_replace_the_key(mock, client, context, key, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.kie.ai login someone password s3cret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(INFO) == ("someone", "s3cret")
    queue(mock, "GET", INFO, {"json": RUNNING})
    client.get_task("t", context)
    assert mock.calls[0].request.headers["Authorization"] == f"Bearer {key}"


ECHOED = [
    {"status": 401, "body": "bad key: KEY"},
    {"status": 502, "body": "<p>Bearer KEY</p>" * 50},
    {"body": "KEY"},
    {"json": {"code": 401, "msg": "x" * 490 + " KEY"}},
    {"json": {"code": 500, "msg": "KEY"}},
    {"body": requests.ConnectionError("KEY", ProtocolError("KEY"))},
    {"body": requests.exceptions.InvalidHeader("Bearer KEY")},
    {"body": requests.exceptions.InvalidURL("KEY")},
]


@pytest.fixture
def logged(caplog, monkeypatch):
    """What is logged, at any level."""
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("failure", ECHOED)
@pytest.mark.parametrize("ask", ["create", "poll"])
def test_the_key_is_in_no_error_and_no_log(mock, client, context, key, failure, ask, logged):
    failure = {name: _with(key, value) for name, value in failure.items()}
    queue(mock, "POST", CREATE, failure)
    queue(mock, "GET", INFO, failure)
    with pytest.raises(KieMcpError) as caught:
        client.create_task(BODY, context) if ask == "create" else client.get_task("t", context)
    error = caught.value
    shown = f"{error}{error!r}{error.args}{error.as_dict()}{vars(error)}"
    assert key[:8] not in shown
    assert key[:8] not in logged.text
    assert key not in repr(client) + str(vars(client))


def _with(key, value):
    if isinstance(value, str):
        return value.replace("KEY", key)
    if isinstance(value, dict):
        return {name: _with(key, item) for name, item in value.items()}
    if isinstance(value, Exception):
        return type(value)(*[_with(key, item) for item in value.args])
    return value


def test_the_sandboxes_key_is_a_word_like_any_other(mock, make_client, context):
    client = make_client(sandbox=True, api_key="sandbox")
    queue(mock, "POST", CREATE, code(501, "the sandbox was told to fail"))
    with pytest.raises(ServerError, match="the sandbox was told to fail"):
        client.create_task(BODY, context)


def test_network_errors_name_the_host_and_not_the_address(mock, client, context):
    queue(mock, "GET", INFO, {"body": requests.ConnectionError()})
    with pytest.raises(NetworkError, match=r"The connection to api\.kie\.ai broke"):
        client.get_task("t", context)


# where the key goes


@pytest.mark.parametrize("setting", ["base_url", "upload_base_url"])
def test_an_api_without_https_elsewhere_is_warned_of(make_client, logged, key, setting):
    make_client(**{setting: "http://kie.test:8080/api"})
    (warning,) = logged.messages
    assert warning == f"KIE_AI_{setting.upper()} is not https: the API key goes to kie.test in clear text."
    assert key not in warning


@pytest.mark.parametrize(
    "url", ["https://kie.test/api", "http://127.0.0.1:8765/api", "http://localhost/api", "http://[::1]/"]
)
def test_an_api_with_https_or_on_this_machine_needs_no_warning(make_client, logged, url):
    make_client(base_url=url, upload_base_url=url)
    assert logged.messages == []


def test_without_a_key_there_is_nothing_to_warn_of(make_client, logged):
    make_client(base_url="http://kie.test/api", api_key=None)
    assert logged.messages == []
