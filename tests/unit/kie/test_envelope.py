"""What each answer of the API means."""

from __future__ import annotations

import json

import pytest

from kie_mcp.errors import (
    AuthError,
    CreditsError,
    InputError,
    NotAcceptedError,
    RateLimitError,
    ServerError,
    UnclearAnswerError,
)
from kie_mcp.kie.envelope import parsed_object, read_envelope, retry_after

HTTP = {
    201: UnclearAnswerError,
    204: UnclearAnswerError,
    302: UnclearAnswerError,
    400: InputError,
    401: AuthError,
    402: CreditsError,
    403: AuthError,
    404: InputError,
    405: InputError,
    408: NotAcceptedError,
    413: InputError,
    422: InputError,
    425: NotAcceptedError,
    429: RateLimitError,
    433: CreditsError,
    499: InputError,
    500: UnclearAnswerError,
    502: UnclearAnswerError,
    503: NotAcceptedError,
    504: UnclearAnswerError,
    524: UnclearAnswerError,
    599: UnclearAnswerError,
}
CODES = {
    0: UnclearAnswerError,
    201: UnclearAnswerError,
    400: InputError,
    401: AuthError,
    402: CreditsError,
    403: AuthError,
    404: InputError,
    408: UnclearAnswerError,
    413: InputError,
    422: InputError,
    425: UnclearAnswerError,
    429: RateLimitError,
    433: CreditsError,
    451: InputError,
    455: NotAcceptedError,
    500: ServerError,
    501: ServerError,
    502: UnclearAnswerError,
    505: ServerError,
    531: UnclearAnswerError,
    550: NotAcceptedError,
    -1: UnclearAnswerError,
}


def envelope(code, msg="some reason", data=None):
    return json.dumps({"code": code, "msg": msg, "data": data}).encode()


def failure(status, body, headers=None, secrets=()):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the exact type is what the tests look at
        read_envelope(status, headers or {}, body, secrets)
    return caught.value


@pytest.mark.parametrize("data", [None, 5916.25, "https://x", {"taskId": "t"}, [1]])
def test_a_good_answer_is_its_data(data):
    assert read_envelope(200, {}, envelope(200, data=data)) == data


def test_a_good_answer_without_data_is_none():
    assert read_envelope(200, {}, b'{"code":200}') is None


@pytest.mark.parametrize("body", [b"<html>no</html>", b"", envelope(200), envelope(429)])
@pytest.mark.parametrize(("status", "kind"), HTTP.items())
def test_the_http_status_decides_before_the_body(status, kind, body):
    error = failure(status, body)
    assert type(error) is kind
    assert error.code == status
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_the_code_decides_where_http_says_200(code, kind):
    error = failure(200, envelope(code))
    assert type(error) is kind
    assert error.code == code
    assert error.message == f'Kie answered code {code}: "some reason"'


@pytest.mark.parametrize(
    ("msg", "kind"),
    [
        ("This field is required", InputError),
        ("aspect_ratio is required", InputError),
        ("reference_image_urls are required", InputError),
        ("Invalid aspect ratio", InputError),
        ("Credits insufficient", CreditsError),
        ("Insufficient balance", CreditsError),
        ("internal error, please try again later.", ServerError),
        ("Internal Error", ServerError),
    ],
)
def test_code_500_is_what_its_text_says(msg, kind):
    error = failure(200, envelope(500, msg))
    assert type(error) is kind
    assert error.code == 500


def test_the_reason_may_be_called_message_and_may_be_missing():
    assert "odd spelling" in failure(200, b'{"code":401,"message":"odd spelling"}').message
    assert "no reason given" in failure(200, b'{"code":401,"msg":null}').message


def test_the_reason_of_an_http_error_is_shown():
    assert failure(400, envelope(400, "bad ratio")).message == 'Kie answered HTTP 400: "bad ratio"'
    assert failure(400, b"").message == "Kie answered HTTP 400."
    page = b"<html><style>p{}</style><script>var a;</script><b>error code:</b> 1010</html>"
    assert failure(403, page).message == 'Kie answered HTTP 403: "error code: 1010"'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"text"',
        b"200",
        b"{",
        b'{"data":1}',
        b'{"code":"200"}',
        b'{"code":true}',
        b'{"code":200.0}',
        b'{"code":null}',
        b"<html>maintenance</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"code":200,"data":' + b"[" * 100_000,
        b'{"code":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_the_envelope_is_unclear(body):
    error = failure(200, body)
    assert type(error) is UnclearAnswerError
    assert len(error.message) < 300


def test_an_empty_body_is_called_so():
    assert "an empty body" in failure(200, b" \n").message


@pytest.mark.parametrize(
    ("status", "code", "kind"), [(429, 200, RateLimitError), (200, 429, RateLimitError), (503, 200, NotAcceptedError)]
)
def test_the_wait_that_is_asked_for_is_kept(status, code, kind):
    error = failure(status, envelope(code), {"Retry-After": "7"})
    assert type(error) is kind
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("1.5", 1.5),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
        ("9" * 400, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_only_a_plain_number_is_a_wait(value, seconds):
    assert retry_after({"Retry-After": value}) == seconds


def test_no_wait_may_be_asked_for():
    assert retry_after({}) is None


HOSTILE = "\x1b]0;owned\x07\x1b[31mred\u202egnp.exe\u2028\u2029\x00\x9b2J\ud800 " + "long " * 100_000


@pytest.mark.parametrize("status", [200, 400, 500])
def test_hostile_text_is_data_only(status):
    body = json.dumps({"code": 422, "msg": HOSTILE}).encode()
    message = failure(status, body).message
    assert message.isprintable()
    assert len(message) < 600
    message.encode()


@pytest.mark.parametrize("status", [200, 502])
def test_a_hostile_page_is_data_only(status):
    message = failure(status, HOSTILE.encode("utf-8", "surrogatepass")).message
    assert message.isprintable()
    assert len(message) < 600


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body>", "502 Bad Gateway"),
        ("<title>Just a moment...</title><script>let a = '<b>';</script><p>Wait.</p>", "Just a moment... Wait."),
        ("<title></title><p>error code: 1010</p>", "error code: 1010"),
    ],
)
def test_a_page_is_told_by_what_it_shows_and_its_title_once(page, shown):
    assert failure(502, page.encode()).message == f'Kie answered HTTP 502: "{shown}"'


@pytest.mark.parametrize("msg", [b'{"a":[1]}', b"7", b"true", b"[" * 400 + b"]" * 400])
def test_a_reason_that_is_no_text_is_none(msg):
    assert failure(200, b'{"code":422,"msg":' + msg + b"}").message == "Kie answered code 422: no reason given"


@pytest.mark.parametrize("status", [200, 401, 502])
@pytest.mark.parametrize("padding", [0, 490, 4090])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_key_that_an_answer_repeats_is_not_in_the_error(status, padding, wrapped, key):
    text = "x" * padding + f" bad key {key}, " + key
    body = json.dumps({"code": 401, "msg": text}).encode() if wrapped else f"<p>{text}</p>".encode()
    error = failure(status, body, secrets=(key,))
    assert key[:6] not in str(error) + repr(error) + str(error.args) + str(error.as_dict())


def test_numbers_that_json_cannot_carry_on_become_nothing():
    text = '{"a": NaN, "b": -Infinity, "c": 1e999, "d": [' + "9" * 30 + '], "e": 1.5, "f": 7}'
    assert parsed_object(text) == {"a": None, "b": None, "c": None, "d": [None], "e": 1.5, "f": 7}
