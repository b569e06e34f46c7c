"""What hosts ask for as soon as they start costs the real server little, and leaves no trace."""

from __future__ import annotations

import pytest

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
LISTS = ("resources/list", "resources/templates/list", "prompts/list")
HEAVY = {"requests", "urllib3", "tenacity", "jsonschema", "kie_mcp.jobs", "kie_mcp.kie", "PIL"}
EVERYTHING = {*HEAVY - {"PIL"}, "kie_mcp.resources.listing"}


@pytest.fixture
def ask(kie, server_process, environment_for, tmp_path):
    """The last answer to some requests to a server of the same ledger, and what it has imported meanwhile."""

    def told(*requests):
        environment = environment_for(kie.sandbox, tmp_path, PYTHONPROFILEIMPORTTIME="1")
        log = tmp_path / "imports"
        with log.open("wb") as stderr, server_process(environment, tmp_path, stderr) as server:
            for number, (method, params) in enumerate(requests):
                server.send(method, number, _meta=META, **params)
                answer = server.receive()
            assert server.end() == ([], 0)
        return answer["result"], {line.rpartition("|")[2].strip() for line in log.read_text("utf-8").splitlines()}

    return told


def test_lists_and_pictures_of_a_ledger_need_neither_network_nor_jobs(kie, ask, tmp_path):
    made = kie.call("generate_visual", prompt="a fox", model="z-image")
    kie.services.close()
    before = sorted(tmp_path.joinpath("state", "processes").iterdir())
    result, imported = ask(*((method, {}) for method in LISTS), ("resources/list", {}))
    guide, picture = result["resources"]
    result, more = ask(
        ("resources/read", {"uri": guide["uri"]}),
        ("resources/read", {"uri": f"kie-mcp://tasks/{made['task_id']}"}),
        ("resources/read", {"uri": picture["uri"]}),
    )
    assert result["contents"][0]["blob"]
    assert (imported | more) & HEAVY == set()
    assert sorted(tmp_path.joinpath("state", "processes").iterdir()) == before


def test_a_call_of_a_tool_does_need_them(ask):
    tool = {"name": "list_visual_tasks", "arguments": {}}
    _, imported = ask(("tools/call", tool), ("resources/list", {}))
    assert imported >= EVERYTHING


def test_without_a_ledger_none_is_made(ask, tmp_path):
    result, imported = ask(*((method, {}) for method in LISTS), ("resources/list", {}))
    assert [entry["name"] for entry in result["resources"]] == ["guide"]
    assert not tmp_path.joinpath("state").exists()
    assert "kie_mcp.ledger.database" not in imported
