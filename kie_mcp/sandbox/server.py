"""HTTP/1.1 on loopback around the logic: reads requests, writes answers, decides nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from kie_mcp.log import logger
from kie_mcp.sandbox.messages import Body, Request, failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kie_mcp.clock import Clock
    from kie_mcp.sandbox.messages import Answer

HOST = "127.0.0.1"
BACKLOG = 256
"""Connections that may wait to be accepted: a batch opens a hundred at once."""


class Server(ThreadingTCPServer):
    """A listening socket and a daemon thread for each connection; blocked in the system while idle."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = BACKLOG

    def __init__(self, port: int, clock: Clock) -> None:
        """Binds at once; ``answer`` has to be set before ``start``. Raises ``OSError`` where the port is taken."""
        super().__init__((HOST, port), _Handler)
        self.answer: Callable[[Request], Answer] = lambda _: failure(455, "The service is under maintenance")
        self._clock = clock
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, name="kie-sandbox", daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        """Accept connections in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Close everything; answers that hang are cut short."""
        self._stopping.set()
        with socket.create_connection((HOST, self.server_address[1])):
            pass  # the accepting thread wakes for a connection only
        self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                _shut(connection)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()

    def hang(self, seconds: float) -> bool:
        """Wait; true where the server was stopped meanwhile."""
        return self._clock.wait(self._stopping, seconds)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that stopping can end it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """A client that went away is no news; nothing is printed."""
        logger().debug("sandbox: a connection ended early", exc_info=True)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # its client or its own thread may have closed it already
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def _serve(self) -> None:
        request = self._request()
        try:
            answer = self.server.answer(request)
            request.body.drain()
        except ConnectionError:
            self.close_connection = True
            return
        except Exception:  # noqa: BLE001 - the stand-in stays up whatever a request holds
            logger().exception("sandbox: %s %s failed", self.command, request.path)
            answer = failure(500, "internal error, please try again later.")
            self.close_connection = True
        if answer.dropped or (answer.delay and self.server.hang(answer.delay)):
            self.close_connection = True
            return
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        body = Body(self.rfile, int(length) if length.isdecimal() else 0, chunked=chunked)
        return Request(self.command, parts.path, body, dict(parse_qsl(parts.query)), headers)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        if answer.length is not None:
            self.send_header("Content-Length", str(answer.length))
        if answer.length is None or self.close_connection:
            self.send_header("Connection", "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = 0
        for piece in answer.body:
            self.wfile.write(piece)
            sent += len(piece)
            if answer.pause:
                self.wfile.flush()
                if self.server.hang(answer.pause):
                    break
        if sent != answer.length:
            self.close_connection = True

    def version_string(self) -> str:
        """What the ``Server`` header says."""
        return "kie-sandbox"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """The access log goes to the program's log, at debug level."""
        logger().debug("sandbox: " + format, *args)
