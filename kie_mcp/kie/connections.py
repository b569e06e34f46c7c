"""Connections that do not trust the other end: answers have to begin in time, and some lead to the internet only.

Addresses are checked against the one that was really connected to, so that a name which changes its address
between a look-up and the connection gains nothing.
"""

from __future__ import annotations

import http.client
import io
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from kie_mcp.clock import Clock
from kie_mcp.errors import OutputError
from kie_mcp.kie.addresses import is_local_address

if TYPE_CHECKING:
    import socket

    from urllib3 import ProxyManager

_CONNECTIONS = 100


class HeadReader(io.RawIOBase):
    """What a socket receives: until ``relax``, all reads together have to end within ``seconds``.

    A time-out of each read alone would wait for ever for a host that sends a byte now and then. Raises
    ``TimeoutError``.
    """

    def __init__(self, raw: io.RawIOBase, seconds: float | None, clock: Clock) -> None:
        self._raw = raw
        self._clock = clock
        self._until = None if seconds is None else clock.monotonic() + seconds

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As a raw stream does."""
        if self._until is not None and self._clock.monotonic() > self._until:
            raise TimeoutError("the answer's headers did not end within the time-out")
        return self._raw.readinto(buffer)

    def relax(self) -> None:
        """From here on each read has a time-out of its own."""
        self._until = None

    def close(self) -> None:
        """Close the stream below as well."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose headers, and interim answers before it, have to arrive within the socket's time-out."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        raw: Any = sock.makefile("rb", buffering=0)
        self._head = HeadReader(raw, sock.gettimeout(), Clock())
        self.fp = io.BufferedReader(self._head)

    def begin(self) -> None:
        super().begin()
        self._head.relax()


class _HTTPConnection(HTTPConnection):
    response_class = _Response


class _HTTPSConnection(HTTPSConnection):
    response_class = _Response


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


class _GuardedHTTPSConnection(_HTTPSConnection):
    """As above, before TLS begins."""

    def _new_conn(self) -> socket.socket:
        return refuse_local(super()._new_conn())


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class GuardedAdapter(Adapter):
    """Connections that refuse local addresses. Through a proxy, the proxy decides where a name leads."""

    pools = (_GuardedHTTPPool, _GuardedHTTPSPool)
