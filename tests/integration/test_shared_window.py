"""Several servers before one account: the limits of Kie hold for all of them together."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.ledger import Presence, RateWindow
from kie_mcp.ledger.documents import SqliteDocuments
from processes import ROOT

BUSY = {
    "task_seconds": 1.0,
    "rate": Rate(20, 1),
    "KIE_AI_RATE_LIMIT": "20/1",
    "KIE_AI_POLL_INTERVAL_SECONDS": "0.5",
}


def run_together(kies, items):
    """The batches of several servers at the same time; all of their entries."""

    def batch(kie):
        return kie.call("generate_visual_batch", items=[{"prompt": "a red fox"}] * items)

    with ThreadPoolExecutor(len(kies)) as pool:
        return [entry for answer in pool.map(batch, kies) for entry in answer["results"]]


def wait_together(kies, tasks):
    """Every server makes tasks and waits for them all at the same time, without fetching the pictures.

    The statuses in the end, and how many polls a second there were. Here servers, stand-in and test share one
    interpreter, so that polls that were sent one after the other may arrive together; those of processes of their own
    are counted second by second in ``tests/chaos``.
    """

    def wait(kie):
        made = kie.call("create_visual_task", prompt="a red fox")["task_id"]
        return kie.call("get_visual_task", task_id=made, wait_seconds=60, download=False)["status"]

    began = time.monotonic()
    with ThreadPoolExecutor(len(kies) * tasks) as pool:
        statuses = set(pool.map(wait, kies * tasks))
    return statuses, kies[0].sandbox.stats()["polls"] / (time.monotonic() - began)


@pytest.fixture
def servers(make_kie):
    """Three servers on one state folder."""
    kie = make_kie(**BUSY)
    others = [kie.another(), kie.another()]
    yield [kie, *others]
    for other in others:
        other.services.close()


def test_three_servers_on_one_state_folder_share_the_window(servers):
    entries = run_together(servers, 10)
    assert [entry["ok"] for entry in entries] == [True] * 30
    assert len({entry["output_path"] for entry in entries}) == 30
    stats = servers[0].sandbox.stats()
    assert (stats["created"], stats["rate_limited"]) == (30, 0)


def test_three_servers_on_one_state_folder_share_the_turns_of_polls(servers):
    statuses, polls_per_second = wait_together(servers, 10)
    assert statuses == {"success"}
    assert servers[0].sandbox.stats()["polls"] >= 30
    assert polls_per_second <= 10


@pytest.fixture
def machines(make_kie, redis_server, tmp_path):
    """Two machines, each with a state folder of its own, that share the window in a Redis server."""
    kie = make_kie(**BUSY, KIE_AI_RATE_LIMIT_URL=redis_server)
    other = type(kie)(kie.sandbox, tmp_path / "other", kie.catalogue, **kie.settings)
    yield [kie, other]
    other.services.close()


def test_two_machines_share_the_window_through_a_redis_server(machines):
    entries = run_together(machines, 12)
    assert [entry["ok"] for entry in entries] == [True] * 24
    stats = machines[0].sandbox.stats()
    assert (stats["created"], stats["rate_limited"]) == (24, 0)


def test_two_machines_share_the_turns_of_polls_through_a_redis_server(machines):
    statuses, polls_per_second = wait_together(machines, 10)
    assert statuses == {"success"}
    assert polls_per_second <= 10


def test_the_password_of_the_redis_server_is_shown_nowhere(machines, redis_server):
    shown = machines[0].call("describe_imager_interface")
    assert "pw-123456" in redis_server
    assert "pw-123456" not in str(shown)
    assert shown["environment"]["variables"]["KIE_AI_RATE_LIMIT_URL"] == redis_server.replace("pw-123456", "***")


def test_a_redis_server_that_is_not_there_is_an_error_before_anything_is_sent(make_kie):
    kie = make_kie(KIE_AI_RATE_LIMIT_URL="redis://:s3cret-word@127.0.0.1:1")
    error = kie.error("generate_visual", prompt="a red fox")
    assert error["category"] == "config"
    assert "127.0.0.1:1 " in error["message"]
    assert "nothing was sent" in error["message"]
    assert "s3cret-word" not in str(error)
    assert kie.billed == 0


def test_somebody_else_on_the_account_slows_everybody_down_and_fails_nothing(make_kie):
    """The stranger has a window of its own, so that both together send more than Kie takes."""
    kie = make_kie(**BUSY, KIE_AI_HTTP_RETRY_BACKOFF_SECONDS="0.1")
    stranger = type(kie)(kie.sandbox, kie.folder / "stranger", kie.catalogue, **kie.settings)
    entries = run_together([kie, kie, stranger], 15)
    stranger.services.close()
    assert [entry["ok"] for entry in entries] == [True] * 45
    assert kie.billed == 45


HOLDER = """
import sys
from pathlib import Path
from kie_mcp.clock import Clock
from kie_mcp.config import Rate
from kie_mcp.context import CallContext
from kie_mcp.ledger import Presence, RateWindow
from kie_mcp.ledger.documents import SqliteDocuments
folder, clock = Path(sys.argv[1]), Clock()
presence = Presence(folder / "processes")
documents = SqliteDocuments(folder / "window.sqlite3", clock)
window = RateWindow(documents, Rate(3, 0.5), clock, owner=presence.id, is_alive=presence.is_alive)
for _ in range(3):
    window.acquire(CallContext(clock))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the whole window until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.stdin.close()
    process.stdout.close()
    process.wait()


def test_a_process_that_was_killed_does_not_hold_up_its_successor(holder, tmp_path):
    clock = Clock()
    presence = Presence(tmp_path / "processes")
    documents = SqliteDocuments(tmp_path / "window.sqlite3", clock)
    window = RateWindow(documents, Rate(3, 0.5), clock, owner=presence.id, is_alive=presence.is_alive)
    holder.kill()
    holder.wait()
    began = clock.monotonic()
    window.acquire(CallContext(clock), began + 30)
    assert clock.monotonic() - began < 5
    documents.close()
    presence.close()
