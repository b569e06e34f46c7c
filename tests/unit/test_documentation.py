"""The README and .env.example say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kie_mcp import errors, schemas
from kie_mcp.cli import hosts
from kie_mcp.cli.main import parser
from kie_mcp.config import VARIABLES, Config
from kie_mcp.protocol.clients import Clients
from kie_mcp.protocol.revisions import HANDSHAKE, NAMES
from kie_mcp.tools import TOOLS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = "/path/to/.venv/bin/kie-mcp"
FOLDER = "/path/to/pictures"


def table(heading: str, number: int = 1) -> dict[str, list[str]]:
    """The rows of the first (or a later) table below a heading, by their first cell without back-quotes."""
    section = README.split(f"\n{heading}\n", 1)[1]
    blocks = [block for block in section.split("\n\n") if block.lstrip().startswith("|")]
    lines = blocks[number - 1].strip().splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in rows}


def block_after(marker: str) -> str:
    """The code block that follows a marker comment."""
    return re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)[1]


def default_of(variable) -> str:
    """A setting's default as it stands in documents; empty where there is none or it depends on the system."""
    value = getattr(Config(), variable.field)
    if variable.field == "state_dir" or value in (None, ()):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value.count}/{value.seconds:g}" if variable.field == "rate_limit" else str(value)


def test_the_readme_lists_every_variable_with_its_default():
    rows = table("## Configuration")
    assert list(rows) == [variable.name for variable in VARIABLES]
    for variable in VARIABLES:
        assert rows[variable.name][0].strip("`") == default_of(variable), variable.name


def test_the_settings_example_lists_every_variable_with_its_default():
    found = re.findall(r"^#?(KIE_AI_\w+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(found) == {variable.name: default_of(variable) for variable in VARIABLES}


def test_the_readme_lists_every_tool_with_its_arguments():
    rows = table("## Tools")
    assert set(rows) == {tool.name for tool in TOOLS}
    for tool in TOOLS:
        required = tool.input_schema.get("required", [])
        names = [
            f"**{name}**" if name in required else name
            for name in tool.input_schema["properties"]
            if not name.startswith("default_")
        ]
        shown = [name for name in rows[tool.name][1].split(", ") if name and "default_" not in name]
        assert shown == names, tool.name


def test_the_readme_lists_every_error_category():
    def categories(kind: type[errors.KieMcpError]) -> set[str]:
        return {kind.category}.union(*(categories(sub) for sub in kind.__subclasses__()))

    assert set(table("## Errors, and what to do")) == categories(errors.KieMcpError)


def test_the_readme_lists_every_command():
    commands = next(action for action in parser()._actions if action.dest == "command").choices
    listed = {name.split()[1] for name in table("## Command line") if name != "kie-mcp"}
    assert listed == set(commands) - {"serve"}


@pytest.mark.parametrize("host", hosts.HOSTS)
def test_the_readme_shows_the_block_of_every_host(host):
    assert block_after(f"block: {host}") == hosts.block(host, COMMAND, FOLDER)


def test_the_readme_tells_how_long_every_known_host_waits_and_what_is_done_about_it():
    rows = table("### How long hosts wait")
    clients = schemas.load_clients()
    assert list(rows) == [client["host"] for client in clients]
    for client in clients:
        seconds = Clients(clients).call_seconds(client["names"][0], hears_progress=False)
        if client["call_seconds"] is None:
            expected = ["never", "", "when its work is done"]
        elif client["reset_by_progress"]:
            expected = [f"{client['call_seconds']} s", "yes", f"{seconds:g} s without progress"]
        else:
            expected = [f"{client['call_seconds']} s", "no", f"{seconds:g} s"]
        assert rows[client["host"]] == expected, client["host"]


def test_the_readme_lists_every_resource():
    found = schemas.load_resources()
    uris = [found["guide"]["uri"], *(template["uriTemplate"] for template in found["templates"])]
    assert list(table("## Resources, prompts, completion")) == ["file:///…", *uris]


def test_the_readme_lists_every_prompt_with_its_arguments():
    rows = table("## Resources, prompts, completion", number=2)
    prompts = schemas.load_prompts()["prompts"]
    assert list(rows) == [prompt["name"] for prompt in prompts]
    for prompt in prompts:
        names = [f"**{each['name']}**" if each["required"] else each["name"] for each in prompt["arguments"]]
        assert rows[prompt["name"]][-1] == ", ".join(names)


def test_the_readme_lists_every_revision_with_its_handshake():
    rows = table("## The protocol")
    assert list(rows) == list(NAMES)
    assert {name for name, cells in rows.items() if cells[0] == "`initialize`"} == set(HANDSHAKE)


def test_the_readme_names_only_models_that_are_bundled():
    models = {path.stem.replace("__", "/") for path in (ROOT / "schemas" / "models").glob("*.json")}
    assert Config().model in models
    assert set(re.findall(r"`(nano-banana[\w.-]*)`", README)) <= models


def test_the_readme_lists_every_model_under_its_kind(catalogue):
    rows = table("## Models")
    assert set(rows) == set(catalogue.kinds())
    for kind, (_, models) in rows.items():
        assert re.findall(r"`([^`]+)`", models) == [model.id for model in catalogue.search(kind=kind)]
    total = len(catalogue.search())
    assert f"**{total} image models" in README
    assert f"All {total} image models" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_change_log_has_a_place_for_what_comes():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
