"""The one loader of the bundled JSON files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kie_mcp import schemas
from kie_mcp.errors import BundleError

SOURCE = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def bundle(tmp_path):
    """A schemas folder: ``bundle(name, value)`` writes one file and returns the folder."""

    def write(name, value):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return str(tmp_path)

    return write


def test_a_source_tree_reads_the_files_in_place():
    assert Path(schemas.root()) == SOURCE


def test_an_installed_package_reads_the_files_inside_it(monkeypatch, tmp_path):
    package = tmp_path / "kie_mcp"
    (package / "_schemas" / "tools").mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    (package / "_schemas" / "tools" / "a.json").write_text('{"wheel": true}', encoding="utf-8")
    monkeypatch.setattr(schemas, "_HERE", str(package))
    assert schemas.root() == str(package / "_schemas")
    assert schemas.load("tools/a.json") == {"wheel": True}
    assert schemas.names("tools") == ["tools/a.json"]


def test_an_installation_without_schemas_is_said_to_be_incomplete(monkeypatch, tmp_path):
    monkeypatch.setattr(schemas, "_HERE", str(tmp_path / "kie_mcp"))
    with pytest.raises(BundleError, match="No bundled schemas") as caught:
        schemas.load("platforms.json")
    assert "Install kie-mcp again" in caught.value.next_step


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BundleError) as caught:
        schemas.load("tools/nothing.json", str(tmp_path))
    assert str(tmp_path / "tools" / "nothing.json") in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1,]"])
def test_a_broken_file_is_named(tmp_path, content):
    (tmp_path / "broken.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"broken\.json cannot be read"):
        schemas.load("broken.json", str(tmp_path))


def test_a_folder_is_listed_in_order_and_holds_json_only(bundle):
    for name in ("models/b.json", "models/a.json", "models/notes.txt"):
        folder = bundle(name, "{}")
    assert schemas.names("models", folder) == ["models/a.json", "models/b.json"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(BundleError, match="models cannot be read"):
        schemas.names("models", str(tmp_path))


def test_shared_arguments_are_put_in_place_and_keys_beside_a_reference_win(bundle):
    bundle(
        "tools/arguments.json",
        {
            "types": {"prompt": {"type": "string", "minLength": 1}},
            "arguments": {"prompt": {"$ref": "arguments.json#/types/prompt", "description": "shared"}},
        },
    )
    folder = bundle(
        "tools/draw.json",
        {
            "input": {
                "properties": {
                    "prompt": {"$ref": "arguments.json#/arguments/prompt", "description": "own"},
                    "items": {"anyOf": [{"$ref": "arguments.json#/types/prompt"}, {"type": "null"}]},
                }
            },
            "output": {"type": "object"},
        },
    )
    assert schemas.load_tool("draw", folder) == {
        "input": {
            "properties": {
                "prompt": {"type": "string", "minLength": 1, "description": "own"},
                "items": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]},
            }
        },
        "output": {"type": "object"},
    }


@pytest.mark.parametrize("reference", ["arguments.json#/types/none", "arguments.json#/types/prompt/type/deeper", "#/x"])
def test_a_reference_that_leads_nowhere_is_a_broken_bundle(bundle, reference):
    bundle("tools/arguments.json", {"types": {"prompt": {"type": "string"}}})
    folder = bundle("tools/draw.json", {"input": {"$ref": reference}})
    with pytest.raises(BundleError, match="has nothing at"):
        schemas.load_tool("draw", folder)


def test_every_bundled_tool_loads_without_references():
    tools = [name for name in schemas.names("tools") if name != "tools/arguments.json"]
    assert tools
    for name in tools:
        tool = schemas.load_tool(Path(name).stem)
        assert set(tool) == {"input", "output"}
        assert "$ref" not in json.dumps(tool)


def test_every_bundled_file_is_one_json_object():
    for name in ["platforms.json", "clients.json", *schemas.names("tools"), *schemas.names("models")]:
        assert isinstance(schemas.load(name), dict), name


def test_every_known_client_is_told_in_full():
    for client in schemas.load_clients():
        assert list(client) == ["host", "names", "call_seconds", "reset_by_progress", "source"]
        assert client["host"]
        assert client["names"]
        assert all(name == name.lower().lstrip() for name in client["names"])
        assert client["call_seconds"] is None or 10 <= client["call_seconds"] <= 86400
        assert isinstance(client["reset_by_progress"], bool)
        assert client["source"].endswith(".")


def test_no_name_belongs_to_two_clients():
    names = [name for client in schemas.load_clients() for name in client["names"]]
    assert len({client["host"] for client in schemas.load_clients()}) == len(schemas.load_clients())
    for index, name in enumerate(names):
        assert [other for other in names[:index] + names[index + 1 :] if other.startswith(name)] == []


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("claude-ai", "Claude Desktop"),
        ("claude-code", "Claude Code"),
        ("cursor-vscode", "Cursor"),
        ("Visual Studio Code", "VS Code"),
        ("Visual Studio Code - Insiders", "VS Code"),
        ("codex-mcp-client", "Codex"),
        ("inspector-cli", "MCP Inspector"),
        ("inspector-client", "MCP Inspector"),
    ],
)
def test_the_names_that_hosts_send_are_known(name, host):
    known = [client["host"] for client in schemas.load_clients() if name.lower().startswith(tuple(client["names"]))]
    assert known == [host]
