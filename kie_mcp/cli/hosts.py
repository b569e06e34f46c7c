"""The configuration blocks of MCP hosts, as data."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

NAME = "kie"
KEY_PLACEHOLDER = "YOUR_KEY"
CODEX_TIMEOUT_SECONDS = 600

HOSTS: dict[str, str] = {
    "claude-desktop": "Settings > Developer > Edit Config (claude_desktop_config.json)",
    "claude-code": "run this command",
    "cursor": "~/.cursor/mcp.json, or .cursor/mcp.json in a project",
    "vscode": ".vscode/mcp.json in a project, or MCP: Open User Configuration",
    "codex": "~/.codex/config.toml",
}
"""Each host that ``kie-mcp config`` knows, and where its block goes."""


def block(host: str, command: str, output_dir: str, *, sandbox: bool = False) -> str:
    """The block for one of ``HOSTS``; ``command`` and ``output_dir`` are absolute where hosts need them so."""
    args = ["--sandbox"] if sandbox else []
    env = {"KIE_AI_API_KEY": KEY_PLACEHOLDER, "KIE_AI_OUTPUT_DIR": output_dir}
    if sandbox:
        del env["KIE_AI_API_KEY"]
    if host == "claude-code":
        pairs = " ".join(f"--env {name}={_quoted(value)}" for name, value in env.items())
        return f"claude mcp add {NAME} {pairs} -- {' '.join([_quoted(command), *args])}"
    if host == "codex":
        return _toml(command, args, env)
    return json.dumps(_json_block(host, command, args, env), indent=2, ensure_ascii=False)


def _json_block(host: str, command: str, args: list[str], env: dict[str, str]) -> dict[str, Any]:
    if host != "vscode":
        return {"mcpServers": {NAME: {"command": command, "args": args, "env": env}}}
    block: dict[str, Any] = {"servers": {NAME: {"type": "stdio", "command": command, "args": args, "env": env}}}
    if "KIE_AI_API_KEY" in env:
        env["KIE_AI_API_KEY"] = "${input:kie-api-key}"
        block["inputs"] = [
            {"type": "promptString", "id": "kie-api-key", "description": "Kie AI API key", "password": True}
        ]
    return block


def _toml(command: str, args: list[str], env: dict[str, str]) -> str:
    """TOML's basic strings and arrays of strings are written as JSON writes them."""
    lines = [
        f"[mcp_servers.{NAME}]",
        f"command = {json.dumps(command)}",
        f"args = {json.dumps(args)}",
        f"tool_timeout_sec = {CODEX_TIMEOUT_SECONDS}",
        "",
        f"[mcp_servers.{NAME}.env]",
        *(f"{name} = {json.dumps(value)}" for name, value in env.items()),
    ]
    return "\n".join(lines)


def own_command() -> str:
    """The absolute path of this program: hosts started from a desktop have a shorter PATH."""
    invoked = Path(sys.argv[0])
    if invoked.name.startswith("kie-mcp") and invoked.is_file():
        return str(invoked.absolute())
    return shutil.which("kie-mcp") or "kie-mcp"


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
