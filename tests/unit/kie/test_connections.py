"""Connections: an answer that does not begin in time is none, and its headers are bounded."""

from __future__ import annotations

import io
import logging
import socket
import threading

import pytest
import requests

from kie_mcp.clock import Clock
from kie_mcp.errors import NetworkError, NotConnectedError
from kie_mcp.kie.bodies import read_body
from kie_mcp.kie.connections import Adapter, GuardedAdapter, TimedReader
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


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ([CHUNKED + b"3\r\nabc\r\n0\r\n", b"X-A: b\r\n"], 0.01),
        ([CHUNKED + b"3\r\nabc\r\n0\r\n", b"X-A: b\r\n" * 1000], 0),
        ([CHUNKED + b"3;", b"x"], 0.01),
        ([CHUNKED, b"0"], 0.01),
    ],
    ids=["trailers that drip", "a flood of trailers", "a chunk's extension", "a chunk's size"],
)
def test_a_body_goes_on_within_the_time_out_whatever_stands_between_its_pieces(make_config, raw_host, pieces, pause):
    url = raw_host(*pieces, pause=pause)
    with (
        new_session(make_config(base_url=url)) as session,
        pytest.raises(NetworkError, match="did not answer within the time-out"),
        translated("host"),
        session.get(url, timeout=0.3, stream=True) as answer,
    ):
        read_body(answer, Clock(), 3600)


def test_a_body_may_take_longer_than_the_time_out_as_long_as_it_comes(make_config, raw_host):
    url = raw_host(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", b"x", pause=0.1)
    with (
        new_session(make_config(base_url=url)) as session,
        session.get(url, timeout=0.5, stream=True) as answer,
    ):
        assert read_body(answer, Clock(), 3600) == b"xxxxxxxx"


# which addresses of a name are tried


def addresses(monkeypatch, *ports):
    """A name has these ports of this machine for its addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.fixture
def tried(monkeypatch, clock):
    """The ports that were tried, and how long each might take; all fail, after the seconds that ``takes`` says."""
    seen = []

    def fail(_connection, sock, address, seconds):
        sock.close()
        seen.append((address[1], seconds))
        clock.time += min(seconds, 0.5 if address[1] < 10 else 60)
        raise TimeoutError("timed out")

    monkeypatch.setattr("kie_mcp.kie.connections._HTTPConnection._connected", fail)
    monkeypatch.setattr("kie_mcp.kie.connections.Clock", lambda: clock)
    return seen


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (range(1, 10), [(1, 5), (2, 4.5), (3, 4), (4, 3.5)]),
        (range(10, 20), [(10, 5)]),
        ((1, 11, 12), [(1, 5), (11, 4.5)]),
    ],
    ids=["few of many", "one that takes all the time", "together"],
)
def test_of_a_names_addresses_a_few_are_tried_and_all_within_one_time_out(
    make_config, monkeypatch, tried, ports, expected
):
    addresses(monkeypatch, *ports)
    with pytest.raises(NotConnectedError):
        get(make_config, "http://many.example/", 5)
    assert tried == expected


def test_where_one_address_is_of_no_use_the_next_one_is_tried(make_config, monkeypatch, host, answer, refused_port):
    host.says(answer.page())
    addresses(monkeypatch, refused_port, host.server.server_port)
    assert get(make_config, "http://127.0.0.1/", 5) == 200
    assert get(make_config, "http://127.0.0.1/", None) == 200


@pytest.mark.parametrize("name", ["a..b", "a" * 70 + ".example"])
def test_a_name_that_can_be_none_is_never_connected_to(make_config, name):
    with pytest.raises(NotConnectedError):
        get(make_config, f"http://{name}/", 5)


def test_a_name_without_an_address_is_never_connected_to(make_config, monkeypatch):
    addresses(monkeypatch)
    with pytest.raises(NotConnectedError):
        get(make_config, "http://none.example/", 5)


def test_headers_that_cannot_be_read_are_shown_on_no_terminal(make_config, host):
    def odd(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\x1b[31m owned\r\nContent-Length: 0\r\n\r\n")
        handler.close_connection = True

    host.says(odd)
    assert get(make_config, host.url, 5) == 200
    # urllib3 warns of them in its log, which goes to stderr where nobody takes it.
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("urllib3").handlers)


def test_the_time_is_counted_anew_for_each_piece(clock):
    reader = TimedReader(io.BytesIO(b"abcdef"), 5, clock)
    buffer = bytearray(2)
    assert (reader.readable(), reader.readinto(buffer)) == (True, 2)
    clock.time += 6
    with pytest.raises(TimeoutError):
        reader.readinto(buffer)
    reader.renew()
    assert reader.readinto(buffer) == 2
    assert bytes(buffer) == b"cd"
    reader.close()
    assert reader._raw.closed


def test_without_a_time_out_headers_may_take_their_time(clock):
    reader = TimedReader(io.BytesIO(b"ab"), None, clock)
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
