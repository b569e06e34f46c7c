"""A call ends before the client gives up on it, and what it was about is picked up by the next one."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.protocol.outlets import Outlets
from kie_mcp.protocol.server import Server
from kie_mcp.sandbox import Sandbox, SandboxOptions
from kie_mcp.sandbox.faults import Faults
from kie_mcp.tools import TOOLS, call_tool
from mcp_messages import Conversation
from processes import output_schemas

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
GIVES_UP = 2
"""Seconds; so calls end after one."""
CLIENTS = [
    {"names": ["hasty"], "call_seconds": GIVES_UP, "reset_by_progress": False},
    {"names": ["listener"], "call_seconds": GIVES_UP, "reset_by_progress": True},
]


class FastClock(Clock):
    """Twenty times as fast as the system's."""

    def monotonic(self):
        return super().monotonic() * 20

    def wait(self, event, seconds):
        return super().wait(event, seconds / 20)


class Host:
    """A client of the given name before the protocol core and the real tools, all in this process."""

    def __init__(self, kie, name, clock=None):
        self.progress = []
        self.heard_at = []
        self._clock = clock or Clock()
        self._conversation = Conversation(output_schemas())
        self._answers = {}
        self._ids = itertools.count(1)
        outlets = Outlets(
            call_tool=lambda tool, arguments, context: call_tool(tool, kie.services, arguments, context),
            answer=lambda *_: {},
            send_line=self._take,
            spawn=lambda job: job(),
            spawn_feature=lambda job: job(),
            clock=self._clock,
            on_internal_error=self._fail,
            clients=lambda: CLIENTS,
        )
        self._server = Server(lambda: TOOLS, outlets)
        self._ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": name})

    def _take(self, line):
        message = self._conversation.received(line)
        self.heard_at.append(self._clock.monotonic())
        if "id" in message:
            self._answers[message["id"]] = message["result"]
        else:
            self.progress.append(message["params"])

    def _fail(self, error):
        raise AssertionError from error

    def _ask(self, method, **params):
        number = next(self._ids)
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        self._conversation.sent(line)
        self._server.receive(line.encode())
        self._conversation.check()
        return self._answers.pop(number)

    def call(self, tool, arguments, **meta):
        """The structured content of an answer that is no error, and the seconds that it took."""
        began = time.monotonic()
        result = self._ask("tools/call", name=tool, arguments=arguments, _meta=meta)
        assert result["isError"] is False, result
        return result["structuredContent"], time.monotonic() - began


def test_a_slow_picture_is_handed_back_in_time_and_fetched_by_the_next_call(make_kie):
    kie = make_kie(task_seconds=1.5)
    host = Host(kie, "Hasty Desktop")
    handed_back, seconds = host.call("generate_visual", {"prompt": "a fox"})
    assert (handed_back["ok"], handed_back["output_path"]) == (True, None)
    assert handed_back["status"] in {"submitted", "waiting", "queuing", "generating"}
    assert "get_visual_task" in handed_back["next_step"]
    assert seconds < GIVES_UP
    waited, seconds = host.call("get_visual_task", {"task_id": handed_back["task_id"], "wait_seconds": 60})
    assert waited["ok"]
    assert seconds < GIVES_UP
    while waited["output_path"] is None:
        waited, _ = host.call("get_visual_task", {"task_id": handed_back["task_id"], "wait_seconds": 60})
    assert Path(waited["output_path"]).is_file()
    assert kie.billed == 1


def test_what_is_left_of_a_batch_is_handed_back_or_was_not_sent(make_kie):
    kie = make_kie(task_seconds=60, rate=Rate(3, 60), KIE_AI_RATE_LIMIT="3/60")
    answer, seconds = Host(kie, "hasty").call("generate_visual_batch", {"items": [{"prompt": "a fox"}] * 5})
    assert seconds < GIVES_UP
    running = [entry for entry in answer["results"] if entry["ok"]]
    refused = [entry["error"] for entry in answer["results"] if not entry["ok"]]
    assert len({entry["task_id"] for entry in running}) == kie.billed == 3
    assert all("paid for" in entry["next_step"] for entry in running)
    assert [error["category"] for error in refused] == ["rate_limit"] * 2
    assert all("nothing was sent" in error["message"] for error in refused)


def test_a_client_that_waits_on_for_progress_gets_the_picture_if_it_asked_for_progress(make_kie):
    kie = make_kie(task_seconds=GIVES_UP + 0.2)
    host = Host(kie, "listener")
    made, seconds = host.call("generate_visual", {"prompt": "a fox"}, progressToken="p")
    assert Path(made["output_path"]).is_file()
    assert seconds > GIVES_UP
    assert host.progress
    handed_back, seconds = host.call("generate_visual", {"prompt": "a fox"})
    assert handed_back["output_path"] is None
    assert seconds < GIVES_UP


@pytest.mark.parametrize("fault", ["upload:hang:1.5:1", "create:hang:1.5:1", "poll:hang:1.5:1", "download:hang:1.5:1"])
def test_a_call_is_heard_of_while_kie_does_not_answer(make_kie, fault, tmp_path):
    kie = make_kie()
    kie.sandbox.faults.put(Faults.parse(fault))
    host = Host(kie, "listener", FastClock())
    Image.new("RGB", (8, 8)).save(tmp_path / "fox.png")
    arguments = {"prompt": "a fox", "image_input": [str(tmp_path / "fox.png")]}
    made, _ = host.call("generate_visual", arguments, progressToken="p")
    assert Path(made["output_path"]).is_file()
    values = [params["progress"] for params in host.progress]
    assert values == sorted(set(values))
    silences = [later - earlier for earlier, later in itertools.pairwise(host.heard_at)]
    assert max(silences) < 20  # of the 30 that it hung


# the real server in a process of its own


@pytest.fixture
def server(server_process, environment_for, key, tmp_path):
    """Start it before a stand-in whose tasks take a minute, with settings."""
    with Sandbox(SandboxOptions(task_seconds=60, api_key=key)) as sandbox:
        yield lambda **settings: server_process(environment_for(sandbox, tmp_path, **settings), tmp_path)


def limits(server, number, **meta):
    server.call(number, "describe_imager_interface", **meta)
    return server.answer()["limits"]


def test_the_server_knows_the_clients_of_its_table_in_both_eras(server):
    client = {"name": "claude-ai", "version": "0.1.0"}
    with server() as process:
        process.send("initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
        assert process.receive()["id"] == 0
        assert limits(process, 1)["call_seconds"] == pytest.approx(54, abs=5)
        codex = {"io.modelcontextprotocol/clientInfo": {"name": "codex-mcp-client", "version": "1"}}
        assert limits(process, 2, **META, **codex)["call_seconds"] == pytest.approx(270, abs=5)
        assert limits(process, 3, **META)["call_seconds"] is None


def test_the_cap_of_the_user_decides_and_hands_the_task_back_over_the_wire(server):
    with server(KIE_AI_MAX_WAIT_SECONDS="0.6") as process:
        info = {"name": "claude-ai", "version": "0.1.0"}
        process.send("initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo=info)
        assert process.receive()["id"] == 0
        process.call(1, "generate_visual", {"prompt": "a fox"})
        result = process.receive()["result"]
        assert result["isError"] is False
        handed_back = result["structuredContent"]
        assert (handed_back["ok"], handed_back["output_path"]) == (True, None)
        assert "do not ask for it again" in handed_back["next_step"]
        process.call(2, "get_visual_task", {"task_id": handed_back["task_id"], "wait_seconds": 50})
        again = process.answer()
        assert (again["ok"], again["task_id"]) == (True, handed_back["task_id"])
        assert process.end() == ([], 0)
