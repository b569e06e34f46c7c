"""Sessions, and every exception of the HTTP libraries as one of ours."""

from __future__ import annotations

import inspect
import ssl

import pytest
import requests
import urllib3
from requests import exceptions as rex
from urllib3 import exceptions as uex

from kie_mcp.errors import ConfigError, InputError, KieMcpError, NetworkError, NotConnectedError
from kie_mcp.kie.transport import BearerAuth, NoAuth, new_session, timeouts, translated

POOL = urllib3.HTTPConnectionPool("api.kie.test")
SECRET = "Bearer s3cret-in-the-text"

CONFIG = {"InvalidURL", "InvalidProxyURL", "InvalidSchema", "MissingSchema", "URLRequired"}
NEVER_CONNECTED_BY_CLASS = {"ConnectTimeout"}
"""A class of requests that says by itself that there was no connection; the others say it by their reason."""


def classes_in(module, root):
    found = inspect.getmembers(module, lambda item: inspect.isclass(item) and issubclass(item, root))
    return sorted({cls for _, cls in found}, key=lambda cls: cls.__name__)


def subclasses_of(root):
    return {root}.union(*(subclasses_of(cls) for cls in root.__subclasses__()))


REQUESTS = classes_in(rex, requests.RequestException)
URLLIB3 = classes_in(uex, uex.HTTPError)


def made(cls):
    """An instance, whatever its constructor asks for."""
    error = cls.__new__(cls, SECRET)
    error.args = (SECRET,)
    return error


def ours(error, host="api.kie.test"):
    with pytest.raises(KieMcpError) as caught, translated(host):
        raise error
    return caught.value


def reason(name):
    return {
        "refused": uex.NewConnectionError(POOL, SECRET),
        "no such name": uex.NameResolutionError("api.kie.test", POOL, OSError(SECRET)),
        "connect time-out": uex.ConnectTimeoutError(POOL, SECRET),
        "proxy": uex.ProxyError(SECRET, uex.NewConnectionError(POOL, SECRET)),
        "read time-out": uex.ReadTimeoutError(POOL, "/", SECRET),
        "dropped": uex.ProtocolError("Connection aborted.", ConnectionResetError(SECRET)),
        "tls": uex.SSLError(SECRET),
        "too many": uex.ResponseError(SECRET),
    }[name]


def test_the_lists_have_every_exception_of_the_libraries():
    mine = {cls for cls in subclasses_of(requests.RequestException) if cls.__module__.startswith("requests")}
    assert mine <= set(REQUESTS)
    theirs = {cls for cls in subclasses_of(uex.HTTPError) if cls.__module__.startswith("urllib3")}
    assert theirs - {cls for cls in theirs if cls.__module__ != uex.__name__} <= set(URLLIB3)


@pytest.mark.parametrize("cls", REQUESTS, ids=lambda cls: cls.__name__)
def test_every_exception_of_requests_becomes_one_of_ours(cls):
    error = ours(made(cls))
    if cls.__name__ in CONFIG:
        assert type(error) is ConfigError
    elif cls.__name__ in NEVER_CONNECTED_BY_CLASS:
        assert type(error) is NotConnectedError
    elif cls is rex.InvalidJSONError:
        assert type(error) is InputError
    else:
        assert type(error) is NetworkError


@pytest.mark.parametrize("cls", URLLIB3, ids=lambda cls: cls.__name__)
def test_every_exception_of_urllib3_becomes_one_of_ours(cls):
    assert type(ours(made(cls))) is NetworkError


@pytest.mark.parametrize("name", ["refused", "no such name", "connect time-out", "proxy"])
@pytest.mark.parametrize("outer", [rex.ConnectionError, rex.ProxyError, rex.ConnectTimeout])
def test_a_connection_that_was_never_made_is_told_apart(name, outer):
    assert type(ours(outer(uex.MaxRetryError(POOL, "/", reason(name))))) is NotConnectedError
    assert type(ours(outer(reason(name)))) is NotConnectedError


@pytest.mark.parametrize("name", ["read time-out", "dropped", "tls", "too many"])
@pytest.mark.parametrize("outer", [rex.ConnectionError, rex.SSLError, rex.ReadTimeout, rex.RetryError, rex.ProxyError])
def test_a_request_that_may_have_arrived_is_never_called_unconnected(name, outer):
    for error in (ours(outer(uex.MaxRetryError(POOL, "/", reason(name)))), ours(outer(reason(name)))):
        assert type(error) is NetworkError
        assert error.retryable


@pytest.mark.parametrize("error", [rex.ReadTimeout(), rex.Timeout(), reason("read time-out")])
def test_a_time_out_is_called_so(error):
    assert "KIE_AI_TIMEOUT_SECONDS" in ours(error).message


def test_a_certificate_that_is_not_accepted_is_final():
    try:
        try:
            raise ssl.SSLCertVerificationError(1, SECRET)
        except ssl.SSLError as inner:
            raise uex.MaxRetryError(POOL, "/", uex.SSLError(inner)) from inner
    except uex.MaxRetryError as outer:
        error = rex.SSLError(outer)
        error.__cause__ = outer
    shown = ours(error)
    assert type(shown) is NotConnectedError
    assert not shown.retryable
    assert "certificate" in shown.message


def test_certificates_that_are_not_there_are_a_matter_of_settings():
    assert type(ours(OSError(f"no bundle {SECRET}"))) is ConfigError
    assert "REQUESTS_CA_BUNDLE" in ours(OSError("no bundle")).message


@pytest.mark.parametrize("error", [OSError(5, SECRET), ConnectionResetError(SECRET), TimeoutError(SECRET)])
def test_other_errors_of_the_system_may_come_after_the_request(error):
    assert type(ours(error)) is NetworkError


@pytest.mark.parametrize("error", [*map(made, REQUESTS), *map(made, URLLIB3), OSError(5, SECRET)])
def test_nothing_of_an_exceptions_text_gets_into_ours(error):
    shown = ours(error)
    assert "s3cret" not in str(shown) + repr(shown) + str(shown.args) + str(shown.as_dict())


def test_a_circle_of_causes_ends():
    first, second = rex.ConnectionError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert "ValueError" in ours(first).message


def test_the_root_of_an_error_is_named():
    error = rex.ConnectionError("x")
    error.__context__ = ConnectionResetError("y")
    assert ours(error).message == "The connection to api.kie.test broke (ConnectionResetError)."


@pytest.mark.parametrize("error", [ValueError("mine"), InputError("mine"), KeyboardInterrupt()])
def test_what_is_not_http_passes_through(error):
    with pytest.raises(type(error)) as caught, translated("host"):
        raise error
    assert caught.value is error


def test_without_an_error_nothing_happens():
    with translated("host"):
        pass


def test_the_key_is_put_into_a_request_and_shown_nowhere(key):
    prepared = requests.Request("GET", "https://api.kie.test", auth=BearerAuth(key)).prepare()
    assert prepared.headers["Authorization"] == f"Bearer {key}"
    assert key not in repr(BearerAuth(key)) + repr(prepared)


def test_no_credentials_are_none_even_where_the_address_has_some():
    prepared = requests.Request("GET", "https://user:word@host.test/", auth=NoAuth()).prepare()
    assert "Authorization" not in prepared.headers


@pytest.mark.parametrize(("seconds", "both"), [(90, (15, 90)), (5, (5, 5))])
def test_connecting_has_a_shorter_time_out(seconds, both):
    assert timeouts(seconds) == both


@pytest.mark.parametrize(("base_url", "trusting"), [("https://api.kie.ai/api/v1", True), ("http://127.0.0.1:1", False)])
def test_proxies_are_for_an_api_elsewhere_only(make_config, base_url, trusting):
    assert new_session(make_config(base_url=base_url)).trust_env is trusting


def test_the_user_agent_is_not_one_that_is_turned_away(make_config):
    agent = new_session(make_config()).headers["User-Agent"]
    assert agent.startswith("kie-mcp/")
    assert "urllib" not in agent


def test_a_redirect_is_neither_followed_nor_read(make_config, host, answer):
    def endless(handler):
        answer.page(302, Location="/next", Content_Length=str(10**12))(handler)
        handler.wfile.write(b"x")
        host.over.wait(30)

    host.says(endless)
    session = new_session(make_config(base_url=host.url))
    with session.get(host.url, allow_redirects=False, stream=True, timeout=5) as response:
        assert response.status_code == 302
        assert response.next is None
    assert len(host.seen) == 1


def test_cookies_are_not_kept(make_config, host, answer):
    host.says(answer.page(body=b"ok", Set_Cookie="track=me; Path=/"))
    session = new_session(make_config(base_url=host.url))
    for _ in range(2):
        assert session.get(host.url, timeout=5).content == b"ok"
    assert [seen.headers["Cookie"] for seen in host.seen] == [None, None]
    assert not session.cookies


def test_only_what_can_be_unpacked_is_asked_for(make_config, host, answer):
    host.says(answer.page(body=b"ok"))
    new_session(make_config(base_url=host.url)).get(host.url, timeout=5)
    assert host.seen[0].headers["Accept-Encoding"] == "gzip"
