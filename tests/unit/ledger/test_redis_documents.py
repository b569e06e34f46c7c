"""Documents shared by machines: with a stand-in of the Redis client, and with a real server where there is one."""

from __future__ import annotations

import sys
import threading
import traceback

import pytest
import redis

from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.errors import ConfigError
from kie_mcp.jobs.waiting import PollGate
from kie_mcp.ledger import RateWindow
from kie_mcp.ledger.redis_documents import RedisDocuments
from kie_mcp.values import redis_url

URL = redis_url("redis://:s3cret-word@redis.example:7000/0")


class StandIn:
    """A Redis client whose server is a dict; ``between`` is called between a read and its write."""

    def __init__(self):
        self.kept = {}
        self.expiries = []
        self.between = lambda: None
        self.time_now = (1_790_000_000, 250_000)
        self.closed = False
        self.trips = 0

    def pipeline(self, *, transaction):
        assert not transaction
        self.trips += 1
        return StandInPipeline(self)

    def register_script(self, _script):
        def put(keys, args):
            self.trips += 1
            self.between()
            (key,), (before, text, expiry) = keys, args
            if self.kept.get(key, "") != before:
                return 0
            self.kept[key] = text.encode()
            self.expiries.append(expiry)
            return 1

        return put

    def close(self):
        self.closed = True


class StandInPipeline:
    """What was asked for, answered all at once."""

    def __init__(self, client):
        self._client = client
        self._answers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def get(self, key):
        self._answers.append(self._client.kept.get(key))

    def time(self):
        self._answers.append(self._client.time_now)

    def execute(self):
        return self._answers


@pytest.fixture
def client():
    return StandIn()


@pytest.fixture
def documents(client, clock):
    return RedisDocuments(URL, "0123abcd", clock, client)


def count(document, _now):
    document["count"] = document.get("count", 0) + 1
    return document["count"]


def test_a_document_is_kept_under_the_mark_of_the_account_and_dies_in_the_end(documents, client):
    assert [documents.change("window", count) for _ in range(3)] == [1, 2, 3]
    assert client.kept == {"kie-mcp:1:0123abcd:window": b'{"count":3}'}
    assert set(client.expiries) == {3600}


def test_the_time_is_the_servers(documents):
    assert documents.change("a", lambda _document, now: now) == 1_790_000_000.25


def test_what_is_not_changed_is_not_written(documents, client):
    documents.change("a", lambda document, _now: document.get("count"))
    assert client.kept == {}


def test_a_change_is_made_again_where_another_machine_came_between(documents, client):
    def come_between():
        client.between = lambda: None
        client.kept["kie-mcp:1:0123abcd:a"] = b'{"count":41}'

    client.between = come_between
    assert documents.change("a", count) == 42


def test_a_change_takes_two_round_trips_and_a_look_takes_one(documents, client):
    documents.change("a", count)
    assert client.trips == 2
    documents.change("a", lambda document, _now: document.get("count"))
    assert client.trips == 3


def test_documents_have_worked_once_something_was_read_or_written(documents, client):
    assert not documents.worked
    client.between = lambda: {}["no such luck"]
    with pytest.raises(KeyError):
        documents.change("a", count)
    assert not documents.worked
    client.between = lambda: None
    documents.change("a", count)
    assert documents.worked


def test_closing_closes_the_client(documents, client):
    documents.close()
    assert client.closed


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError("Error connecting with :s3cret-word@"),
        redis.AuthenticationError("invalid s3cret-word"),
        redis.ResponseError("OOM command not allowed"),
        redis.TimeoutError("Timeout reading from socket"),
        OSError("no route to host"),
    ],
)
def test_a_server_that_cannot_be_used_is_an_error_with_its_place_and_without_its_password(documents, client, error):
    def fail():
        raise error

    client.between = fail
    with pytest.raises(ConfigError, match=r"redis\.example:7000 .*KIE_AI_RATE_LIMIT_URL.*cannot be used") as caught:
        documents.change("a", count)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict())


def test_after_a_failure_the_others_do_not_wait_for_the_same_and_it_is_tried_again_soon(documents, client, clock):
    tried = []

    def fail():
        tried.append(clock.time)
        raise redis.ConnectionError

    client.between = fail
    for clock.time in (0.0, 0.1, 0.9, 1.0, 1.5):
        with pytest.raises(ConfigError, match="ConnectionError"):
            documents.change("a", count)
    assert tried == [0.0, 1.0]
    client.between = lambda: None
    clock.time = 2.0
    assert [documents.change("a", count) for _ in range(2)] == [1, 2]


def test_an_error_of_the_step_is_its_own(documents):
    with pytest.raises(KeyError):
        documents.change("a", lambda document, _now: document["missing"])


def test_nobody_listening_is_an_error_and_takes_no_time_to_find_out():
    documents = RedisDocuments(redis_url("redis://user:s3cret-word@127.0.0.1:1"), "mark", Clock())
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1 "):
        documents.change("a", count)
    documents.close()


@pytest.mark.parametrize("option", ["socket_timeout=soon", "no_such_option=1"])
def test_options_that_the_client_does_not_take_are_an_error(option):
    url = redis_url(URL.full + "?" + option)
    with pytest.raises(ConfigError, match="KIE_AI_RATE_LIMIT_URL") as caught:
        RedisDocuments(url, "mark", Clock())
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_missing_package_is_an_error_that_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match="not installed") as caught:
        RedisDocuments(URL, "mark", Clock())
    assert 'pip install "kie-mcp[redis]"' in caught.value.next_step


# a real server


@pytest.fixture
def server(redis_server):
    return redis_url(redis_server)


@pytest.fixture
def connect(server, request):
    """Documents in that server; each test has an account of its own."""
    made = []

    def make(mark=request.node.name):
        made.append(RedisDocuments(server, mark, Clock()))
        return made[-1]

    yield make
    for documents in made:
        documents.close()


def run_all(work, count):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_machines_change_a_document_of_a_real_server_one_at_a_time(connect):
    machines = [connect() for _ in range(3)]
    places = iter(machines * 4)

    def work():
        documents = next(places)
        for _ in range(25):
            documents.change("a", count)

    run_all(work, 12)
    assert connect().change("a", count) == 301


def test_accounts_of_a_real_server_share_nothing_and_documents_expire(connect, server):
    assert connect().change("a", count) == 1
    assert connect("other account").change("a", count) == 1
    with redis.Redis.from_url(server.full) as client:
        assert all(0 < client.ttl(key) <= 3600 for key in client.keys("kie-mcp:*"))


def test_a_wrong_password_is_an_error_that_does_not_show_it(server):
    documents = RedisDocuments(redis_url(server.full.replace("pw-123456", "pw-wrong")), "mark", Clock())
    with pytest.raises(ConfigError, match="AuthenticationError") as caught:
        documents.change("a", count)
    documents.close()
    assert "pw-wrong" not in "".join(traceback.format_exception(caught.value))


def test_a_real_server_that_has_forgotten_its_scripts_is_told_them_again(connect, server):
    documents = connect()
    assert documents.change("a", count) == 1
    with redis.Redis.from_url(server.full) as client:
        client.script_flush()
    assert documents.change("a", count) == 2


def test_machines_share_one_window_in_a_real_server(connect):
    clock, given, lock = Clock(), [], threading.Lock()
    windows = iter([RateWindow(connect(), Rate(10, 0.5), clock, owner=f"machine-{number}") for number in range(2)] * 15)

    def send():
        with lock:
            window = next(windows)
        ticket = window.acquire(CallContext(clock), clock.monotonic() + 30)
        with lock:
            given.append(clock.monotonic())
        window.settle(ticket)

    run_all(send, 30)
    given.sort()
    assert len(given) == 30
    assert all(later - earlier >= 0.49 for earlier, later in zip(given, given[10:], strict=False))


def test_machines_share_the_turns_of_polls_in_a_real_server(connect):
    clock, turns, lock = Clock(), [], threading.Lock()
    gates = iter([PollGate(clock, connect(), per_second=50) for _ in range(3)] * 10)

    def poll():
        with lock:
            gate = next(gates)
        gate.wait_turn(CallContext(clock))
        with lock:
            turns.append(clock.monotonic())

    run_all(poll, 30)
    turns.sort()
    assert len(turns) == 30
    assert turns[-1] - turns[0] >= 29 / 50 - 0.05
