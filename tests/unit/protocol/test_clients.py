"""A call hands its task back before its client gives up, where it is known when that is."""

from __future__ import annotations

import math

import pytest

from kie_mcp.protocol.clients import Clients
from kie_mcp.protocol.outlets import Outlets
from kie_mcp.protocol.server import Server
from kie_mcp.tools.spec import ToolResult

TABLE = [
    {"host": "Hasty", "names": ["hasty-app", "hasty cli"], "call_seconds": 60, "reset_by_progress": False},
    {"host": "Listener", "names": ["listener"], "call_seconds": 300, "reset_by_progress": True},
    {"host": "Patient", "names": ["patient"], "call_seconds": None, "reset_by_progress": False},
]
CLIENT_KEY = "io.modelcontextprotocol/clientInfo"


def seconds(name, *, hears_progress=False):
    return Clients(TABLE).call_seconds(name, hears_progress=hears_progress)


@pytest.mark.parametrize(
    ("time_out", "expected"), [(1800, 1620), (300, 270), (60, 54), (50, 45), (20, 15), (10, 5), (4, 2), (0.4, 0.2)]
)
def test_a_call_ends_a_tenth_but_at_least_five_seconds_and_at_most_half_before_its_client_gives_up(time_out, expected):
    clients = Clients([{"names": ["some"], "call_seconds": time_out, "reset_by_progress": False}])
    assert clients.call_seconds("some", hears_progress=True) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["hasty-app", "Hasty-App", "hasty-app/2 beta", "HASTY CLI"])
def test_a_client_is_known_by_how_its_name_begins_in_any_case(name):
    assert seconds(name) == 54


@pytest.mark.parametrize("name", [None, "", "hasty", "a hasty-app", "other"])
def test_a_client_that_is_not_known_is_taken_to_wait_on(name):
    assert seconds(name) == math.inf


def test_a_client_whose_clock_begins_anew_with_progress_waits_on_where_the_call_reports_it():
    assert seconds("listener", hears_progress=True) == math.inf
    assert seconds("listener") == 270
    assert seconds("hasty-app", hears_progress=True) == 54


def test_a_client_without_a_time_out_waits_on():
    assert seconds("patient") == math.inf


# in the server


@pytest.fixture
def remaining(harness):
    """Make a call; the seconds that it has left when it runs."""
    harness.clients = TABLE
    found = []

    def look(_, context):
        found.append(context.remaining())
        return ToolResult({"ok": True})

    harness.tool = look

    def call(meta=None):
        harness.call(len(found), meta=meta)
        return found[-1]

    return call


def test_the_handshake_tells_the_client_of_the_calls_after_it(harness, remaining):
    assert remaining() == math.inf
    harness.initialize("2025-11-25", clientInfo={"name": "hasty-app", "version": "1"})
    assert remaining() == 54
    assert remaining({"progressToken": 1}) == 54
    harness.initialize("2025-11-25", clientInfo={"name": "Listener", "version": "1"})
    assert remaining() == 270
    assert remaining({"progressToken": 0}) == math.inf
    assert remaining({"progressToken": None}) == 270


@pytest.mark.parametrize("info", [None, [], "hasty-app", 7, {}, {"name": None}, {"name": 7}, {"name": ["hasty-app"]}])
def test_a_client_that_does_not_say_its_name_is_initialized_all_the_same(harness, remaining, info):
    harness.initialize("2025-11-25", clientInfo={"name": "hasty-app"})
    assert harness.initialize("2025-11-25", clientInfo=info)["protocolVersion"] == "2025-11-25"
    assert remaining() == math.inf


def test_without_a_handshake_each_request_tells_its_client(harness, remaining, envelope):
    assert remaining({**envelope, CLIENT_KEY: {"name": "hasty-app", "version": "1"}}) == 54
    assert remaining({**envelope, CLIENT_KEY: {"name": "listener", "version": "1"}}) == 270
    for info in (None, [], "hasty-app", {"name": 7}):
        assert remaining({**envelope, CLIENT_KEY: info}) == math.inf
    harness.initialize("2025-11-25", clientInfo={"name": "hasty-app"})
    assert remaining(envelope) == math.inf
    assert remaining({CLIENT_KEY: {"name": "listener"}}) == 54


def test_the_time_that_a_call_waits_for_its_turn_counts(harness):
    harness.clients = TABLE
    found = []
    harness.tool = lambda _, context: found.append(context.remaining()) or ToolResult({"ok": True})
    harness.initialize("2025-11-25", clientInfo={"name": "hasty-app"})
    harness.start()
    harness.clock.time += 50
    harness.run()
    assert found == [4]


def test_the_clients_are_looked_up_when_a_tool_is_first_called_and_once(harness):
    harness.initialize("2025-11-25", clientInfo={"name": "hasty-app"})
    harness.ask("tools/list")
    assert harness.client_loads == 0
    harness.call(1)
    harness.call(2)
    assert harness.client_loads == 1


def test_the_bundled_clients_are_those_that_are_known(clock):
    found = []
    outlets = Outlets(
        call_tool=lambda *_: None,
        answer=lambda *_: {},
        send_line=found.append,
        spawn=lambda job: job(),
        spawn_feature=lambda job: job(),
        clock=clock,
        on_internal_error=found.append,
    )
    server = Server(list, outlets)
    assert server._loaded_requests()._clients.call_seconds("claude-ai", hears_progress=True) == 54
    assert found == []
