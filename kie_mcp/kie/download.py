"""Fetching result pictures: no credentials, https only, never an address of the local network.

Every hop is checked twice: how its URL is written, and which address was really connected to.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

import requests

from kie_mcp.config import is_loopback_host
from kie_mcp.errors import (
    CancelledError,
    DeadLinkError,
    KieMcpError,
    NotAcceptedError,
    OutputError,
    RateLimitError,
    UnclearAnswerError,
)
from kie_mcp.kie.addresses import is_local_host
from kie_mcp.kie.bodies import Pace, arriving
from kie_mcp.kie.connections import GuardedAdapter
from kie_mcp.kie.envelope import OK, retry_after
from kie_mcp.kie.retry import retrying, transient
from kie_mcp.kie.transport import SHORTEST_REQUEST, NoAuth, new_session, patience, timeouts, translated
from kie_mcp.log import logger
from kie_mcp.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext

T = TypeVar("T")

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEAD = frozenset({401, 403, 404, 410})
_NOT_NOW = frozenset({408, 425, 503})
_RATE_LIMITED = 429
_CHUNK = 262144
_GLANCE_SECONDS = 10.0
_LONGEST_SHOWN = 100
_MOST_DIGITS = 19


class Downloader:
    """Streams pictures to a receiver. Safe for many threads."""

    def __init__(self, config: Config, random: Random | None = None) -> None:
        self._config = config
        self._random = random or Random()  # noqa: S311 - jitter, nothing secret
        self._session = new_session(config, None if config.on_loopback() else GuardedAdapter())

    def fetch(self, url: str, receive: Callable[[Iterator[bytes]], T], context: CallContext) -> T:
        """Hand the picture's bytes to ``receive`` and return what it returns; tried again from the start.

        Raises ``DeadLinkError`` where the link no longer works (HTTP 401, 403, 404, 410), ``OutputError``
        for a link that must not be followed or a picture over the limit, ``NetworkError`` or
        ``ServerError`` when the attempts are used up.
        """
        result: T = retrying(self._config, context, self._random, transient)(self._once, url, receive, context)
        return result

    def alive(self, url: str, context: CallContext) -> bool:
        """Whether a link leads to something now: a HEAD, under the rules of a download, that may take 10 s.

        Where that is refused, the beginning of a GET: signed links are often good for that alone. Whatever fails
        means no; only ``CancelledError`` is raised.
        """
        return any(self._answers(method, url, context) for method in ("HEAD", "GET"))

    def _answers(self, method: str, url: str, context: CallContext) -> bool:
        try:
            return self._walked(method, url, _says_yes, context, within=_GLANCE_SECONDS)
        except CancelledError:
            raise
        except KieMcpError as error:
            logger().info("a link could not be looked at: %s", error.message)
            return False

    def _once(self, url: str, receive: Callable[[Iterator[bytes]], T], context: CallContext) -> T:
        def received(response: requests.Response, host: str) -> T:
            self._check_answer(response)
            most = max(SHORTEST_REQUEST, context.remaining())
            pace = Pace(context.clock, self._config.timeout_seconds, most)
            return receive(_chunks(response, host, pace, context))

        return self._walked("GET", url, received, context)

    def _walked(
        self,
        method: str,
        url: str,
        use: Callable[[requests.Response, str], T],
        context: CallContext,
        *,
        within: float | None = None,
    ) -> T:
        """What ``use`` makes of the answer, and the name of its host, at the end of all redirects."""
        base, link = "", url
        for _ in range(_MOST_REDIRECTS + 1):
            context.raise_if_cancelled()
            base = self._checked(base, link)
            host = printable(urlsplit(base).hostname or "", _LONGEST_SHOWN)
            with translated(host):
                response = self._ask(method, base, patience(self._config, context, within))
            with response:
                link = response.headers.get("Location", "")
                if response.status_code not in _REDIRECTS or not link:
                    return use(response, host)
        raise OutputError(f"The picture's link leads through more than {_MOST_REDIRECTS} redirects.")

    def _ask(self, method: str, url: str, seconds: float) -> requests.Response:
        return self._session.request(
            method,
            url,
            auth=NoAuth(),
            headers={"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"},
            timeout=timeouts(seconds),
            allow_redirects=False,
            stream=True,
        )

    def _checked(self, base: str, link: str) -> str:
        """The absolute URL of ``link``, written as it will be sent, so that what is checked is what is used."""
        try:
            url = requests.Request("GET", urljoin(base, link)).prepare().url or ""
            parts = urlsplit(url)
        except ValueError as error:  # RFC 3986 is not kept; so are the URL errors of requests
            raise OutputError("A picture's link is not a usable URL; it is not followed.") from error
        host = parts.hostname or ""
        local = self._config.on_loopback() and is_loopback_host(host)
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            scheme = shortened(parts.scheme, _LONGEST_SHOWN) or "nothing"
            raise OutputError(f"A picture's link is not https but {scheme!r}; it is not followed.")
        if not local and is_local_host(host):
            shown = printable(host, _LONGEST_SHOWN)
            raise OutputError(f"A picture's link leads to the local address {shown}; it is not followed.")
        return url

    def _check_answer(self, response: requests.Response) -> None:
        status = response.status_code
        message = f"The picture's host answered HTTP {status}."
        if status in _DEAD:
            raise DeadLinkError(f"The picture's link no longer works (HTTP {status}).", code=status)
        if status == _RATE_LIMITED:
            raise RateLimitError(message, code=status, retry_after=retry_after(response.headers))
        if status in _NOT_NOW:
            raise NotAcceptedError(message, code=status, retry_after=retry_after(response.headers))
        if status != OK:
            raise UnclearAnswerError(message, code=status)
        declared = response.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]+", declared):
            return
        size = int(declared[:_MOST_DIGITS])  # enough to be too many
        if size > self._config.max_image_bytes:
            raise OutputError(
                f"The picture has {size} bytes, more than KIE_AI_MAX_IMAGE_BYTES "
                f"({self._config.max_image_bytes}) allows.",
                next_step="Raise KIE_AI_MAX_IMAGE_BYTES, then call get_visual_task with the task id.",
            )


def _says_yes(response: requests.Response, _: str) -> bool:
    """Whether the status is 2xx; a redirect without a place to go to is none."""
    return response.status_code // 100 == OK // 100


def _chunks(response: requests.Response, host: str, pace: Pace, context: CallContext) -> Iterator[bytes]:
    pieces = arriving(response, _CHUNK)
    while True:
        context.raise_if_cancelled()
        with translated(host):
            piece = next(pieces, None)
        if piece is None:
            return
        pace.check(piece)
        if piece:
            yield piece
