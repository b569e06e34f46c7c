"""A batch of a thousand through the real server: the answer stays small, and a cursor leads to the rest."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

ITEMS = 1_000
WAITED_FOR = 26
"""Polls take their time: ten a second."""


@pytest.fixture(scope="module")
def sandbox(key, catalogue):
    options = SandboxOptions(task_seconds=0.05, rate=Rate(10_000, 1), api_key=key)
    with Sandbox(options, catalogue=catalogue) as running:
        yield running


@pytest.fixture(scope="module")
def server(server_process, environment_for, sandbox, tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    with server_process(environment_for(sandbox, folder, KIE_AI_OUTPUT_DIR=str(folder / "out")), folder) as running:
        yield running


@pytest.fixture(scope="module")
def batch(server):
    """The result of a batch: the first items are waited for, each of the others differs from its neighbours."""
    waited = [{"prompt": f"red fox number {number}"} for number in range(WAITED_FOR)]
    others = [
        {"prompt": f"blue fox number {number}", "wait_for_result": False} for number in range(WAITED_FOR, ITEMS - 1)
    ]
    wrong = {"prompt": "a fox", "aspect_ratio": "99:1"}
    load_pillow(server)
    arguments = {"items": [*waited, *others, wrong], "max_workers": 100, "default_model": "z-image"}
    return server.result("generate_visual_batch", **arguments)


def load_pillow(server):
    """Under load that may take longer than a preview may, the first times."""
    for _ in range(10):
        if any(part["type"] == "image" for part in server.result("generate_visual", prompt="a hare")["content"]):
            break


def pages(server, answer):
    """The results of a batch and those that its cursors lead to, page by page; each page is small."""
    while True:
        assert len(json.dumps(answer, ensure_ascii=False)) < 50_000
        yield answer["results"]
        if "next_cursor" not in answer:
            return
        result = server.result("list_visual_tasks", cursor=answer["next_cursor"])
        assert not result["isError"], result
        answer = result["structuredContent"]
        assert answer["tasks"] == []


def test_the_answer_to_a_thousand_items_is_one_that_hosts_take(batch, sandbox):
    answer = batch["structuredContent"]
    assert (answer["total"], answer["succeeded"], answer["failed"]) == (ITEMS, ITEMS - 1, 1)
    assert sum("fox number" in task["prompt"] for task in sandbox.stats()["tasks"]) == ITEMS - 1
    assert answer["credits_consumed"] == pytest.approx(0.8 * WAITED_FOR)
    assert answer["credits_estimated"] == pytest.approx(0.8 * (ITEMS - 1 - WAITED_FOR))
    assert answer["next_cursor"] in answer["next_step"]
    assert len(json.dumps(batch)) < 200_000
    assert len(batch["content"][0]["text"]) < 50_000


def test_it_shows_the_first_pictures_and_links_to_some(batch):
    text, preview, *links = batch["content"]
    assert (text["type"], preview["type"], preview["mimeType"]) == ("text", "image", "image/jpeg")
    data = base64.b64decode(preview["data"], validate=True)
    assert len(data) <= 100_000
    with Image.open(io.BytesIO(data)) as sheet:
        sheet.load()
        assert sheet.format == "JPEG"
        assert max(sheet.size) <= 512
    assert [link["type"] for link in links] == ["resource_link"] * 20
    assert all(Path(entry["output_path"]).is_file() for entry in batch["structuredContent"]["results"][:WAITED_FOR])


def test_the_cursors_lead_to_every_result_once_and_in_order(server, batch, sandbox):
    entries = [entry for page in pages(server, batch["structuredContent"]) for entry in page]
    assert [entry["index"] for entry in entries] == list(range(ITEMS))
    made = {task["taskId"]: task["prompt"] for task in sandbox.stats()["tasks"]}
    assert all(made[entry["task_id"]].endswith(f" {index}") for index, entry in enumerate(entries[:-1]))
    assert [entry["status"] for entry in entries[:-1]] == ["success"] * WAITED_FOR + ["submitted"] * (
        ITEMS - 1 - WAITED_FOR
    )
    assert entries[-1]["error"]["category"] == "input"


def test_a_page_may_be_read_again_and_in_smaller_parts(server, batch):
    cursor = batch["structuredContent"]["next_cursor"]
    first, again = (server.result("list_visual_tasks", cursor=cursor)["structuredContent"] for _ in range(2))
    assert first == again
    few = server.result("list_visual_tasks", cursor=cursor, limit=3)["structuredContent"]
    assert few["results"] == first["results"][:3]
    rest = server.result("list_visual_tasks", cursor=few["next_cursor"], limit=1)["structuredContent"]
    assert rest["results"] == first["results"][3:4]


def test_the_ledger_is_listed_in_pages_that_hosts_take(server, batch):
    seen, cursor = [], {}
    while cursor is not None:
        answer = server.result("list_visual_tasks", limit=200, **cursor)["structuredContent"]
        assert len(json.dumps(answer, ensure_ascii=False)) < 50_000
        seen += [task["task_id"] for task in answer["tasks"] if "fox number" in task["prompt"]]
        cursor = {"cursor": answer["next_cursor"]} if "next_cursor" in answer else None
    assert len(seen) == len(set(seen)) == ITEMS - 1
