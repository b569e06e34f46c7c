"""HTTP through ``requests``: sessions, and the one place where its exceptions become ours."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests
from requests.auth import AuthBase
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

import kie_mcp
from kie_mcp.errors import ConfigError, InputError, KieMcpError, NetworkError, NotConnectedError
from kie_mcp.kie.connections import Adapter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext

USER_AGENT = f"kie-mcp/{kie_mcp.__version__} python-requests/{requests.__version__}"
_NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError, ProxyError)
"""urllib3 raises ``ProxyError`` only until the proxy is connected to, so nothing has gone through it."""
_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
)
SHORTEST_REQUEST = 1.0
_CONNECT_SECONDS = 15.0


class BearerAuth(AuthBase):
    """The key, on requests to the API only.

    Being an auth object it also keeps ``requests`` from putting a ``.netrc`` entry in its place.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the key into the request."""
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class NoAuth(AuthBase):
    """Nothing, on purpose: result hosts get no credentials, from ``.netrc`` neither."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request


class _Session(requests.Session):
    """A session that never looks at a redirect: ``requests`` would read its whole body, however long."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere. Those who follow redirects do it themselves, one checked step at a time."""


def new_session(config: Config, adapter: Adapter | None = None) -> requests.Session:
    """A session for use by many threads: no cookies, no proxies for an API on this machine."""
    session = _Session()
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept-Encoding"] = "gzip"  # what ``bodies`` can unpack, whatever else is installed
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.trust_env = not config.on_loopback()
    adapter = adapter or Adapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def patience(config: Config, context: CallContext, within: float | None = None) -> float:
    """Seconds that one request may take: the setting, or less where ``within`` or the call's deadline say so."""
    left = min(context.remaining(), config.timeout_seconds if within is None else within)
    return min(config.timeout_seconds, max(SHORTEST_REQUEST, left))


def timeouts(seconds: float) -> tuple[float, float]:
    """How long to wait for a connection, and for each further piece of an answer."""
    return min(_CONNECT_SECONDS, seconds), seconds


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Turn every exception of ``requests`` and ``urllib3`` into one of ours.

    ``ConfigError``, ``InputError`` and ``NotConnectedError`` only where the request was certainly not sent.
    """
    try:
        yield
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _ours(error, host) from error


def _ours(error: Exception, host: str) -> KieMcpError:
    return _not_sent(error, host) or _broken(error, host)


def _not_sent(error: Exception, host: str) -> KieMcpError | None:
    """What ``requests`` refuses before it opens a connection."""
    if isinstance(error, _UNUSABLE):
        return ConfigError(f"The address of {host}, or of a proxy, cannot be used: {type(error).__name__}.")
    if type(error) is OSError and error.errno is None:  # requests.adapters.HTTPAdapter.cert_verify
        return ConfigError(
            "The certificates that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names are not there.",
            next_step="Correct or remove that variable, then start the server again.",
        )
    if isinstance(error, requests.exceptions.InvalidJSONError) and not isinstance(error, requests.JSONDecodeError):
        return InputError("The request has a number that JSON cannot carry (NaN or infinity).")
    return None


def _broken(error: Exception, host: str) -> KieMcpError:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return NotConnectedError(
            f"No secure connection to {host}: its certificate was not accepted.",
            retryable=False,
            next_step="Check the system's clock and certificates, and any proxy between this machine and the host.",
        )
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        return NotConnectedError(f"No connection to {host} could be made ({_root_name(error)}).")
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return NetworkError(f"{host} did not answer within the time-out (KIE_AI_TIMEOUT_SECONDS).")
    return NetworkError(f"The connection to {host} broke ({_root_name(error)}).")


def _never_connected(error: BaseException) -> bool:
    """Whether urllib3 says that no connection was made; requests carries its reason in ``args``."""
    cause: object = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, _NEVER_CONNECTED)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, outermost first."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _root_name(error: BaseException) -> str:
    """The class name of the innermost cause: exact enough to act on, and nothing of its text leaks."""
    return type(list(_causes(error))[-1]).__name__
