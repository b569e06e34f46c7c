"""The result of ``tools/call``: which content comes in which order, and how much of it."""

from __future__ import annotations

import json

import pytest

from kie_mcp.protocol.messages import encode
from kie_mcp.protocol.results import MOST_LINKS, call_result
from kie_mcp.protocol.revisions import REVISIONS
from kie_mcp.text import Base64
from kie_mcp.tools.spec import Link, Preview, ToolResult

LINKS = [Link(f"file:///out/{number}.png", f"{number}.png", "image/png", 42, str(number)) for number in range(50)]
PREVIEW = Preview(Base64("aGFsbG8="), "image/jpeg")
ANY = pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)


def told(result, revision):
    return call_result(result, revision, lambda value: value)


@ANY
def test_the_preview_comes_right_after_the_text(revision):
    content = told(ToolResult({"ok": True}, links=LINKS[:2], preview=PREVIEW), revision)["content"]
    assert content[0] == {"type": "text", "text": '{"ok":true}'}
    assert content[1] == {"type": "image", "data": "aGFsbG8=", "mimeType": "image/jpeg"}
    assert [part["type"] for part in content[2:]] == ["resource_link"] * (2 if revision.structured else 0)


@ANY
def test_without_a_preview_there_is_no_picture(revision):
    content = told(ToolResult({"ok": True}, links=LINKS[:1]), revision)["content"]
    assert "image" not in [part["type"] for part in content]


@ANY
def test_the_preview_is_in_no_text_and_no_structured_content(revision):
    shown = told(ToolResult({"ok": True}, preview=PREVIEW), revision)
    assert encode(shown).count(PREVIEW.data) == 1
    assert PREVIEW.data not in json.dumps(shown.get("structuredContent", {}))


def test_the_preview_is_redacted_by_nobody():
    shown = call_result(ToolResult({"ok": True}, preview=PREVIEW), REVISIONS[0], lambda _: "[redacted]")
    assert isinstance(shown["content"][1]["data"], Base64)


def test_links_are_no_more_than_hosts_care_to_list():
    content = told(ToolResult({"ok": True}, links=LINKS), REVISIONS[0])["content"]
    assert [part["name"] for part in content[1:]] == [f"{number}.png" for number in range(MOST_LINKS)]
    assert MOST_LINKS == 20


def test_a_label_is_not_for_hosts():
    link = told(ToolResult({"ok": True}, links=LINKS[:1]), REVISIONS[0])["content"][1]
    assert link == {
        "type": "resource_link",
        "uri": "file:///out/0.png",
        "name": "0.png",
        "mimeType": "image/png",
        "size": 42,
    }
