"""Settings, a clock whose waits end at once, mocked answers, and hosts on real loopback sockets."""

from __future__ import annotations

import json
import random
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import responses

from kie_mcp.clock import Clock
from kie_mcp.config import Config
from kie_mcp.context import CallContext
from kie_mcp.kie import Downloader, KieClient

KEY = "k3y-0123456789abcdef"


class RecordingClock(Clock):
    """Waiting ends at once, is written down and moves the time on; so does looking at it, by ``step``."""

    def __init__(self):
        self.time = 1000.0
        self.step = 0.0
        self.waits = []
        self.on_wait = None

    def monotonic(self):
        self.time += self.step
        return self.time

    def wait(self, event, seconds):
        self.waits.append(seconds)
        self.time += seconds
        if self.on_wait:
            self.on_wait()
        return event.is_set()


class Seen:
    """One request as a host saw it."""

    def __init__(self, handler, body):
        self.method = handler.command
        self.path = handler.path
        self.headers = handler.headers
        self.body = body


class Host:
    """A host on loopback: ``answers`` are functions of the handler, used in turn, the last one for ever."""

    def __init__(self):
        self.seen = []
        self.answers = []
        self.over = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                host.seen.append(Seen(self, body))
                answer = host.answers.pop(0) if len(host.answers) > 1 else host.answers[0]
                answer(self)

            do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the names are the library's

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                """A caller that hangs up is part of some tests."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def says(self, *answers):
        self.answers[:] = answers
        return self


def page(status=200, body=b"", **headers):
    """An answer with a body of bytes; header names have _ for -."""

    def answer(handler):
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            if value is not None:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return answer


def envelope(data=None, code=200, status=200, **headers):
    """An answer with Kie's envelope."""
    return page(status, json.dumps({"code": code, "msg": "success", "data": data}).encode(), **headers)


def hang_up(handler):
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def answer():
    """Ways to answer, for ``host.says``."""

    class Answers:
        pass

    Answers.page, Answers.envelope, Answers.hang_up = staticmethod(page), staticmethod(envelope), staticmethod(hang_up)
    return Answers


@pytest.fixture
def key():
    return KEY


@pytest.fixture
def clock():
    return RecordingClock()


@pytest.fixture
def context(clock):
    return CallContext(clock)


@pytest.fixture
def turns():
    """The contexts for which a turn to poll was asked."""
    return []


@pytest.fixture
def make_config(tmp_path):
    def make(**values):
        given = {"api_key": KEY, "state_dir": tmp_path, "http_retries": 3, "http_retry_backoff_seconds": 2, **values}
        return Config(**given)

    return make


@pytest.fixture
def make_client(make_config, turns):
    """A client for the mocked API, or for another ``base_url``."""

    def make(**values):
        return KieClient(make_config(**values), poll_turn=turns.append, random=random.Random(7))

    return make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def make_downloader(make_config):
    def make(**values):
        return Downloader(make_config(**values), random.Random(7))

    return make


@pytest.fixture
def mock():
    """Mocked HTTP for hosts that are not on this machine."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


@pytest.fixture
def start_host():
    """A function that starts another host."""
    started = []

    def start():
        started.append(Host())
        return started[-1]

    yield start
    for host in started:
        host.stop()


@pytest.fixture
def host(start_host):
    return start_host()


@pytest.fixture
def refused_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def local_client(host, make_client):
    """A client whose API is the loopback host."""
    return make_client(base_url=host.url, upload_base_url=host.url, timeout_seconds=10)
