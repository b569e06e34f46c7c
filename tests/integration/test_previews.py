"""The small picture in answers of the real server, over real pipes, for every revision and every way to a picture."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image

from kie_mcp.config import Rate
from kie_mcp.protocol.revisions import REVISIONS
from kie_mcp.sandbox import Sandbox, SandboxOptions

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def sandbox(key, catalogue):
    with Sandbox(SandboxOptions(task_seconds=0.05, rate=Rate(1000, 1), api_key=key), catalogue=catalogue) as running:
        yield running


@pytest.fixture
def start(server_process, environment_for, sandbox, tmp_path):
    """Start a server with further settings; it is ended with the test."""
    running = []

    def begin(**settings):
        environment = environment_for(sandbox, tmp_path, KIE_AI_OUTPUT_DIR=str(tmp_path / "out"), **settings)
        running.append(server_process(environment, tmp_path))
        return running[-1]

    yield begin
    for server in running:
        server.__exit__()


@pytest.fixture
def server(start):
    return start()


def shown(result):
    """The preview in a result, opened, which is as small as was promised; ``None`` without one."""
    pictures = [part for part in result["content"] if part["type"] == "image"]
    if not pictures:
        return None
    (part,) = pictures
    assert result["content"][1] is part
    data = base64.b64decode(part["data"], validate=True)
    assert len(data) <= 100_000
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert (picture.format, part["mimeType"]) == ("JPEG", "image/jpeg")
    assert max(picture.size) <= 512
    return picture


def fetched(server, task_id, **meta):
    """The answer to a fetch that shows its picture: on a machine under load the time for that may be up a few times."""
    for number in range(100, 110):
        server.call(number, "get_visual_task", {"task_id": task_id}, **meta)
        result = server.receive()["result"]
        if shown(result):
            break
    return result


def shown_by(server, tool, **arguments):
    """As ``fetched``: an answer that shows its pictures, to one of a few equal calls."""
    for _ in range(10):
        result = server.result(tool, **arguments)
        if shown(result):
            break
    return result


def task_of(result):
    """The id of the task that the text of an answer names: not every revision has structured content."""
    return json.loads(result["content"][0]["text"])["task_id"]


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_in_every_revision_a_picture_is_shown(server, revision):
    if not revision.stateless:
        client = {"name": "test", "version": "1"}
        server.send("initialize", 0, protocolVersion=revision.name, capabilities={}, clientInfo=client)
        assert server.receive()["result"]["protocolVersion"] == revision.name
    meta = META if revision.stateless else {}
    server.call(1, "generate_visual", {"prompt": "a fox", "aspect_ratio": "16:9"}, **meta)
    made = server.receive()["result"]
    assert shown(fetched(server, task_of(made), **meta)).size == (512, 288)


def test_every_way_to_pictures_shows_them(server):
    single = shown_by(server, "generate_visual", prompt="a fox")
    again = fetched(server, task_of(single))
    assert shown(single).tobytes() == shown(again).tobytes()
    pair = shown_by(server, "generate_visual", prompt="a fox", model="grok-imagine/text-to-image")
    assert len(pair["structuredContent"]["output_paths"]) == 2
    assert shown(pair).size == (512, 256)
    items = [{"prompt": "a fox"}, {"prompt": "a hare"}, {"prompt": ""}]
    assert shown(shown_by(server, "generate_visual_batch", items=items)).size == (512, 256)
    for tool in ("list_visual_tasks", "list_models", "describe_imager_interface", "get_credits"):
        assert shown(server.result(tool)) is None


def test_a_picture_that_is_gone_or_another_thing_by_now_is_not_shown(server, tmp_path):
    made = server.result("generate_visual", prompt="a fox")["structuredContent"]
    path = tmp_path / "out" / made["output_path"].rpartition("/")[2]
    path.write_bytes(path.read_bytes()[:1000])
    again = server.result("get_visual_task", task_id=made["task_id"])
    assert not again["isError"]
    assert shown(again) is None or again["structuredContent"]["output_path"] != made["output_path"]


def test_previews_can_be_turned_off(start):
    server = start(KIE_AI_PREVIEW="off")
    assert shown(server.result("generate_visual", prompt="a fox")) is None
    assert server.result("describe_imager_interface")["structuredContent"]["environment"]["preview"] == "off"


def test_without_pillow_there_is_none_and_that_is_described(start, tmp_path):
    (tmp_path / "PIL.py").write_text("raise ImportError('as if it were not installed')", "utf-8")
    server = start()  # Python looks for modules in the working directory first
    result = server.result("generate_visual", prompt="a fox")
    assert result["structuredContent"]["ok"]
    assert shown(result) is None
