"""Documents shared by machines, in a Redis server. Needs the extra ``redis``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from kie_mcp.errors import ConfigError
from kie_mcp.ledger.documents import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.clock import Clock
    from kie_mcp.values import SecretUrl

Result = TypeVar("Result")

_TIMEOUT_SECONDS = 1.0
"""Short, because whoever cancels a call may have to wait for it, twice if the connection has to be made anew."""
_BROKEN_SECONDS = 1.0
"""For so long after a failure nobody else tries: many wait, and each would wait for the time-out."""
_KEPT_SECONDS = 3600
"""Longer than anything in a document counts; whoever uses one puts its end off."""
_VERSION = "1"
_PUT_IF_UNCHANGED = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""
"""In place of a text the new one, unless another machine came between; a missing document has an empty text."""


class RedisDocuments:
    """Documents of one account (``mark``) in the Redis server of a URL; the clock is the server's.

    ``client`` is one that was made already. Raises ``ConfigError`` where the package is missing or the URL cannot be
    used; no connection is made before the first use.
    """

    def __init__(self, url: SecretUrl, mark: str, clock: Clock, client: Any = None) -> None:
        self._where = url.where
        self._clock = clock
        self._broken: tuple[float, str] | None = None
        self._prefix = f"kie-mcp:{_VERSION}:{mark}:"
        self._client = client or _client(url)
        self._put = self._client.register_script(_PUT_IF_UNCHANGED)
        self.worked = False

    def change(self, name: str, step: Callable[[dict[str, Any], float], Result]) -> Result:
        """As ``Documents`` says; done again from the start where another machine came between."""
        key = self._prefix + name
        with self._our_errors():
            while True:
                text, now = self._read(key)
                result, changed = apply(step, text, now)
                if changed is None or self._put(keys=[key], args=[text, changed, _KEPT_SECONDS]):
                    return result

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, key: str) -> tuple[str | bytes, float]:
        """A document's text and the server's time, in one round trip."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.get(key)
            pipe.time()
            text, (seconds, microseconds) = pipe.execute()
        return text or "", seconds + microseconds / 1e6

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        """Turn a server that cannot be reached or used into an error that names the setting, without the cause.

        The cause may have the URL, and so the password, in it.
        """
        from redis.exceptions import RedisError

        broken = self._broken
        if broken and self._clock.monotonic() < broken[0] + _BROKEN_SECONDS:
            raise self._error(broken[1])
        try:
            yield
            self._broken = None
            self.worked = True
        except (RedisError, OSError) as error:
            reason = type(error).__name__
            self._broken = (self._clock.monotonic(), reason)
            raise self._error(reason) from None

    def _error(self, reason: str) -> ConfigError:
        return ConfigError(
            f"The rate window at {self._where} (KIE_AI_RATE_LIMIT_URL) cannot be used ({reason}).",
            next_step="Start that Redis server or correct KIE_AI_RATE_LIMIT_URL; without it the window is shared "
            "by the processes of this machine.",
        )


def _client(url: SecretUrl) -> Any:
    """A client that connects when it is first used; a connection that was closed meanwhile is made anew."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigError(
            "KIE_AI_RATE_LIMIT_URL is set, and the package redis is not installed.",
            next_step='Install it with: pip install "kie-mcp[redis]"; or unset KIE_AI_RATE_LIMIT_URL.',
        ) from error
    timeouts = {"socket_timeout": _TIMEOUT_SECONDS}
    if not url.full.startswith("unix:"):
        timeouts["socket_connect_timeout"] = _TIMEOUT_SECONDS
    try:
        client = redis.Redis.from_url(url.full, retry=Retry(NoBackoff(), 1), **timeouts)
        client.connection_pool.make_connection()  # not connected yet: shows whether it takes the URL's options
    except (ValueError, TypeError):
        raise ConfigError(f"KIE_AI_RATE_LIMIT_URL ({url}) has options that cannot be used.") from None
    return client
