"""The configuration blocks of hosts."""

from __future__ import annotations

import json
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from kie_mcp.cli import hosts
from kie_mcp.errors import ConfigError

PATHS = [
    "/opt/bin/kie-mcp",
    "/with space/kie-mcp",
    "/quo\"te's/kie-mcp",
    "/狐/🦊/kie-mcp",
    "/back\\slash/\x7f$x/kie-mcp",
]


@pytest.mark.parametrize("command", PATHS)
@pytest.mark.parametrize("host", ["claude-desktop", "cursor"])
def test_desktop_blocks_are_json_with_mcp_servers(host, command):
    block = json.loads(hosts.block(host, command, "/pictures"))
    env = {"KIE_AI_API_KEY": "YOUR_KEY", "KIE_AI_OUTPUT_DIR": "/pictures"}
    assert block == {"mcpServers": {"kie": {"command": command, "args": [], "env": env}}}


@pytest.mark.parametrize("command", PATHS)
def test_the_block_for_vs_code_asks_for_the_key(command):
    block = json.loads(hosts.block("vscode", command, "/pictures"))
    env = {"KIE_AI_API_KEY": "${input:kie-api-key}", "KIE_AI_OUTPUT_DIR": "/pictures"}
    assert block["servers"] == {"kie": {"type": "stdio", "command": command, "args": [], "env": env}}
    (asked,) = block["inputs"]
    assert (asked["type"], asked["id"], asked["password"]) == ("promptString", "kie-api-key", True)


@pytest.mark.parametrize("command", PATHS)
def test_the_block_for_codex_is_toml(command):
    block = tomllib.loads(hosts.block("codex", command, "/pictures"))
    env = {"KIE_AI_API_KEY": "YOUR_KEY", "KIE_AI_OUTPUT_DIR": "/pictures", "KIE_AI_MAX_WAIT_SECONDS": "540"}
    server = {"command": command, "args": [], "tool_timeout_sec": 600, "env": env}
    assert block == {"mcp_servers": {"kie": server}}


@pytest.mark.parametrize("command", PATHS)
def test_the_block_for_claude_code_is_a_command_for_a_shell(command):
    words = shlex.split(hosts.block("claude-code", command, "/my pictures"))
    assert words == [
        *["claude", "mcp", "add", "kie", "--env", "KIE_AI_API_KEY=YOUR_KEY"],
        *["--env", "KIE_AI_OUTPUT_DIR=/my pictures", "--", command],
    ]


@pytest.mark.parametrize("host", hosts.HOSTS)
def test_a_block_for_the_sandbox_passes_the_flag_and_no_key(host):
    block = hosts.block(host, "/bin/python", "/pictures", args=["-m", "kie_mcp"], sandbox=True)
    assert "KEY" not in block
    assert "inputs" not in block
    together = " ".join(block.replace('"', " ").replace(",", " ").split())
    assert "-m kie_mcp --sandbox" in together


def test_the_command_is_the_program_that_was_started(monkeypatch, tmp_path):
    program = tmp_path / "kie-mcp"
    program.touch()
    monkeypatch.setattr(sys, "argv", [str(program), "config"])
    assert hosts.own_command() == [str(program)]


def test_the_command_is_absolute_where_it_was_started_by_a_relative_path(monkeypatch):
    Path("kie-mcp").touch()
    monkeypatch.setattr(sys, "argv", ["./kie-mcp"])
    assert hosts.own_command() == [str(Path.cwd() / "kie-mcp")]


def test_the_command_is_looked_up_where_the_module_was_started(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/site/kie_mcp/__main__.py"])
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/kie-mcp")
    assert hosts.own_command() == ["/usr/bin/kie-mcp"]


def test_the_command_is_this_python_where_there_is_no_other(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/site/kie_mcp/__main__.py"])
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert hosts.own_command() == [sys.executable, "-m", "kie_mcp"]


def test_a_home_folder_that_is_not_known_is_a_settings_error(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_pictures_path", no_home)
    with pytest.raises(ConfigError, match="home folder is not known"):
        hosts.pictures_folder()
