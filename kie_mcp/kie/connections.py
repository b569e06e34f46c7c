"""Connections that do not trust the other end: it has to go on in time, and some lead to the internet only.

Addresses are checked against the one that was really connected to, so that a name which changes its address
between a look-up and the connection gains nothing.
"""

from __future__ import annotations

import http.client
import io
import socket
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from kie_mcp.clock import Clock
from kie_mcp.errors import OutputError
from kie_mcp.kie.addresses import is_local_address

if TYPE_CHECKING:
    from urllib3 import ProxyManager

_CONNECTIONS = 100
_MOST_ADDRESSES = 4
"""Of one name that are tried."""


class TimedReader(io.RawIOBase):
    """What a socket receives: all reads together have to end within ``seconds``, counted anew from each ``renew``.

    A time-out of each read alone would wait for ever for a host that sends a byte now and then. Raises
    ``TimeoutError``.
    """

    def __init__(self, raw: io.RawIOBase, seconds: float | None, clock: Clock) -> None:
        self._raw = raw
        self._seconds = seconds
        self._clock = clock
        self.renew()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As a raw stream does."""
        if self._until is not None and self._clock.monotonic() > self._until:
            raise TimeoutError("the answer did not go on within the time-out")
        return self._raw.readinto(buffer)

    def renew(self) -> None:
        """Begin to count anew."""
        self._until = None if self._seconds is None else self._clock.monotonic() + self._seconds

    def close(self) -> None:
        """Close the stream below as well."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose headers, with interim answers before it, and each piece have to arrive within the time-out.

    A piece may stand behind chunk headers, and the end behind trailers, of any length (RFC 9112, 7.1).
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        raw: Any = sock.makefile("rb", buffering=0)
        self._timed = TimedReader(raw, sock.gettimeout(), Clock())
        self.fp = io.BufferedReader(self._timed)

    def read1(self, n: int = -1) -> bytes:
        self._timed.renew()
        return super().read1(n)


class _HTTPConnection(HTTPConnection):
    """Tries a name's first addresses, all of them together within the time-out; urllib3 gives it to each."""

    response_class = _Response

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
            return self._first_of(found[:_MOST_ADDRESSES])
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"connecting to {self.host} took too long") from error
        except (OSError, UnicodeError) as error:  # the latter for a name that can be none
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error

    def _first_of(self, found: list[Any]) -> socket.socket:
        """A connection to the first of the addresses that takes one; raises the last ``OSError``."""
        clock = Clock()
        until = clock.monotonic() + self.timeout if isinstance(self.timeout, int | float) else None
        failed: OSError = OSError("the name has no address")
        for family, kind, protocol, _, address in found:
            left = None if until is None else until - clock.monotonic()
            if left is not None and left <= 0:
                break
            try:
                return self._connected(socket.socket(family, kind, protocol), address, left)
            except OSError as error:
                failed = error
        raise failed

    def _connected(self, sock: socket.socket, address: Any, seconds: float | None) -> socket.socket:
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(seconds)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock


class _HTTPSConnection(_HTTPConnection, HTTPSConnection):
    """The same, with TLS."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class Adapter(HTTPAdapter):
    """Connections whose answers begin in time, directly and through a proxy."""

    pools: tuple[type[HTTPConnectionPool], type[HTTPSConnectionPool]] = (_HTTPPool, _HTTPSPool)

    def __init__(self) -> None:
        super().__init__(pool_connections=8, pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Of our kind."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(zip(("http", "https"), self.pools, strict=True))

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        """Of our kind, or of SOCKS, which has its own; never guarded, since a connection leads to the proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager


# those that lead to the internet only


def refuse_local(sock: socket.socket) -> socket.socket:
    """The socket, if its other end is a public address; else it is closed, and ``OutputError`` raised."""
    address = sock.getpeername()[0]
    if is_local_address(address):
        sock.close()
        raise OutputError(f"A picture's link leads to the local address {address}; it is not followed.")
    return sock


class _GuardedHTTPConnection(_HTTPConnection):
    """Looks at the other end of a fresh connection before anything is sent."""

    def _new_conn(self) -> socket.socket:
        return refuse_local(super()._new_conn())


class _GuardedHTTPSConnection(_GuardedHTTPConnection, _HTTPSConnection):
    """As above, before TLS begins."""


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class GuardedAdapter(Adapter):
    """Connections that refuse local addresses. Through a proxy, the proxy decides where a name leads."""

    pools = (_GuardedHTTPPool, _GuardedHTTPSPool)
