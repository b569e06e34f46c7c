"""The official SDKs' clients walk through the real server, in every way of beginning that they have.

The walks are ``python_sdk.py`` and ``node/walk.mjs``; here is what they must meet. A walk is taken once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.tools import TOOLS

pytestmark = pytest.mark.timeout(600)  # the first that needs node waits for npm

HERE = Path(__file__).parent
LATEST = "2026-07-28"
WALKS = {
    "python legacy": "2025-11-25",
    "python auto": LATEST,
    f"python {LATEST}": LATEST,
    "typescript-1 legacy": "2025-11-25",
    "typescript-2 legacy": "2025-11-25",
    "typescript-2 auto": LATEST,
    f"typescript-2 {LATEST}": LATEST,
}
"""The clients with their modes, and the revision in which they must end up."""


class Walk:
    """What a client has met; ``stats`` are the sandbox's afterwards."""

    def __init__(self, name, met, stats):
        self.met = met
        self.stats = stats
        self.revision = WALKS[name]

    def __getitem__(self, name):
        return self.met[name]


@pytest.fixture(scope="session", params=WALKS)
def walk(request, stand_in, meet):
    client, mode = request.param.split()
    command = _command(client, mode, request)
    with stand_in() as (sandbox, folder, environment):
        ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
        stats = sandbox.stats()
    assert not ended.stderr, ended.stderr.decode()
    assert ended.returncode == 0
    met = json.loads(ended.stdout)
    meet(met["client"], met["version"], met["revision"])
    return Walk(request.param, met, stats)


def _command(client, mode, request):
    if client == "python":
        if importlib.util.find_spec("mcp") is None:
            pytest.skip('the package mcp is not installed (pip install -e ".[interop]")')
        return [sys.executable, "-W", "error", str(HERE / "python_sdk.py"), mode]
    folder = request.getfixturevalue("node_folder")
    return ["node", str(folder / "walk.mjs"), client.removeprefix("typescript-"), mode, sys.executable, "-m", "kie_mcp"]


def test_the_revision_is_the_best_that_both_have(walk):
    assert walk["revision"] == walk.revision
    assert walk["supported"] == (
        [LATEST, "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] if walk.revision == LATEST else []
    )


def test_every_tool_is_listed(walk):
    assert walk["tools"] == [tool.name for tool in TOOLS]


def test_a_picture_is_made_with_progress_and_is_on_disk(walk):
    progress = walk["progress"]
    assert len(progress) > 1
    assert all(later > earlier for earlier, later in itertools.pairwise(progress))
    with Image.open(walk["made"]["output_path"]) as picture:
        picture.load()
        assert picture.width * 9 == picture.height * 16
    assert walk["blocks"] == ["text", "image", "resource_link"]


def test_what_cannot_be_done_is_the_tool_s_error_and_an_unknown_tool_the_protocol_s(walk):
    refused = walk["refused"]
    assert refused["isError"]
    assert refused["category"] == "input"
    assert "7:3" in refused["message"]
    assert walk["unknown_tool"] == -32602


def test_the_picture_is_a_resource_of_the_same_bytes(walk):
    picture = Path(walk["made"]["output_path"])
    assert picture.as_uri() in walk["resources"]
    assert walk["picture"] == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert "nano-banana-pro" in walk["guide"]
    codes = (-32602,) if walk.revision == LATEST else (-32002, -32602)  # the newer SDK for TypeScript tells both as one
    assert walk["missing"] in codes
    assert walk["templates"] == ["kie-mcp://models/{model}", "kie-mcp://tasks/{task_id}"]


def test_prompts_are_filled_in_and_completed(walk):
    assert "platform_picture" in walk["prompts"]
    assert "a fox" in walk["prompt"]
    assert "youtube" in walk["prompt"]
    assert "instagram-story" in walk["platforms"]
    assert "nano-banana-pro" in walk["models"]


def test_the_log_is_told_where_it_was_asked_for(walk):
    assert walk["unasked"] == 0
    assert "info" in walk["log"]


def test_a_call_that_is_given_up_leaves_its_task_and_the_connection(walk):
    assert walk["timed_out"] in (-32001, "REQUEST_TIMEOUT")
    assert walk["cancelled"]
    assert [task["status"] for task in walk["fetched"]] == ["success", "success"]
    assert all(Path(task["output_path"]).is_file() for task in walk["fetched"])


def test_nothing_was_made_twice_and_nothing_upset_the_client(walk):
    assert sorted(task["prompt"] for task in walk.stats["tasks"]) == [
        "a fox",
        "a slow fox",
        "a slow fox too",
        "another fox",
    ]
    assert walk["errors"] == []
