"""Connections: an answer that does not begin in time is none, and its headers are bounded."""

from __future__ import annotations

import io
import logging
import socket
import threading

import pytest
import requests

from kie_mcp.errors import NetworkError
from kie_mcp.kie.connections import Adapter, GuardedAdapter, HeadReader
from kie_mcp.kie.transport import new_session, translated


@pytest.fixture
def raw_host():
    """A function that starts a host which sends pieces as they are, again and again from the last one on."""
    over, threads, listeners = threading.Event(), [], []

    def serve(listener, pieces, pause):
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            connection.recv(65536)
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    over.wait(pause)
                while not over.is_set():
                    connection.sendall(pieces[-1])
                    over.wait(pause)
            except OSError:
                pass

    def start(*pieces, pause=0.01):
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        threads.append(threading.Thread(target=serve, args=(listeners[-1], pieces, pause)))
        threads[-1].start()
        return f"http://127.0.0.1:{listeners[-1].getsockname()[1]}/"

    yield start
    over.set()
    for thread, listener in zip(threads, listeners, strict=True):
        thread.join()
        listener.close()


def get(make_config, url, seconds):
    with (
        new_session(make_config(base_url=url)) as session,
        translated("host"),
        session.get(url, timeout=seconds) as answer,
    ):
        return answer.status_code


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        ([b"HTTP/1.1 200 OK\r\n", b"X"], "a header that never ends"),
        ([b"H"], "a status line that never ends"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], "interim answers without end"),
    ],
)
def test_an_answer_has_to_begin_within_the_time_out_however_it_drips(make_config, raw_host, pieces, name):
    url = raw_host(*pieces)
    with pytest.raises(NetworkError):
        get(make_config, url, 0.3)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\n", b"X-Many: " + b"x" * 60000 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", b"X-Long: ", b"x" * 65536],
        [b"HTTP/1.1 200 " + b"x" * 65536],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\nabcdefg"],
        [b"HTTP/1.1 999999 What\r\n\r\n"],
        [b"\0" * 1000 + b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nwhat\r\nabc\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"f" * 60000],
    ],
    ids=range(8),
)
def test_headers_without_measure_or_meaning_are_a_broken_connection(make_config, raw_host, pieces):
    url = raw_host(*pieces, pause=0)
    with pytest.raises(NetworkError):
        get(make_config, url, 5)


def test_headers_that_cannot_be_read_are_shown_on_no_terminal(make_config, host):
    def odd(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\x1b[31m owned\r\nContent-Length: 0\r\n\r\n")
        handler.close_connection = True

    host.says(odd)
    assert get(make_config, host.url, 5) == 200
    # urllib3 warns of them in its log, which goes to stderr where nobody takes it.
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("urllib3").handlers)


def test_the_time_for_the_headers_does_not_run_while_the_body_comes(clock):
    reader = HeadReader(io.BytesIO(b"abcdef"), 5, clock)
    buffer = bytearray(2)
    assert (reader.readable(), reader.readinto(buffer)) == (True, 2)
    clock.time += 6
    with pytest.raises(TimeoutError):
        reader.readinto(buffer)
    reader.relax()
    assert reader.readinto(buffer) == 2
    assert bytes(buffer) == b"cd"
    reader.close()
    assert reader._raw.closed


def test_without_a_time_out_headers_may_take_their_time(clock):
    reader = HeadReader(io.BytesIO(b"ab"), None, clock)
    clock.time += 10**6
    assert reader.readinto(bytearray(2)) == 2


@pytest.mark.parametrize("kind", [Adapter, GuardedAdapter])
def test_through_a_proxy_headers_are_bounded_too_and_the_proxy_may_be_local(kind):
    ours = Adapter().proxy_manager_for("http://127.0.0.1:9").pool_classes_by_scheme
    assert kind().proxy_manager_for("http://127.0.0.1:9").pool_classes_by_scheme == ours
    assert ours == Adapter().poolmanager.pool_classes_by_scheme


def test_a_socks_proxy_is_not_passed_by(monkeypatch):
    class Socks:
        def __init__(self, *_, **__):
            self.pool_classes_by_scheme = {"https": "its own"}

    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", Socks)
    assert Adapter().proxy_manager_for("socks5h://127.0.0.1:9").pool_classes_by_scheme == {"https": "its own"}
