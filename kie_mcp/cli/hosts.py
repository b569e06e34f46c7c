"""The configuration blocks of MCP hosts, as data."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "kie"
KEY_PLACEHOLDER = "YOUR_KEY"
CODEX_TIMEOUT_SECONDS = 600
CODEX_WAIT_SECONDS = 540
"""A call ends before the host gives up on it: the time-out is one that the block itself sets."""

HOSTS: dict[str, str] = {
    "claude-desktop": "Settings > Developer > Edit Config (claude_desktop_config.json)",
    "claude-code": "run this command",
    "cursor": "~/.cursor/mcp.json, or .cursor/mcp.json in a project",
    "vscode": ".vscode/mcp.json in a project, or MCP: Open User Configuration",
    "codex": "~/.codex/config.toml",
}
"""Each host that ``kie-mcp config`` knows, and where its block goes."""


def block(host: str, command: str, output_dir: str, *, args: Sequence[str] = (), sandbox: bool = False) -> str:
    """The block for one of ``HOSTS``.

    ``command``, with its first ``args``, and ``output_dir`` are absolute: hosts start servers in folders of
    their own choice.
    """
    given = [*args, *(["--sandbox"] if sandbox else [])]
    env = {"KIE_AI_API_KEY": KEY_PLACEHOLDER, "KIE_AI_OUTPUT_DIR": output_dir}
    if sandbox:
        del env["KIE_AI_API_KEY"]
    if host == "claude-code":
        pairs = " ".join(f"--env {shlex.quote(f'{name}={value}')}" for name, value in env.items())
        return f"claude mcp add {NAME} {pairs} -- {shlex.join([command, *given])}"
    if host == "codex":
        return _toml(command, given, {**env, "KIE_AI_MAX_WAIT_SECONDS": str(CODEX_WAIT_SECONDS)})
    return json.dumps(_json_block(host, command, given, env), indent=2, ensure_ascii=False)


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
    lines = [
        f"[mcp_servers.{NAME}]",
        f"command = {_toml_value(command)}",
        f"args = {_toml_value(args)}",
        f"tool_timeout_sec = {CODEX_TIMEOUT_SECONDS}",
        "",
        f"[mcp_servers.{NAME}.env]",
        *(f"{name} = {_toml_value(value)}" for name, value in env.items()),
    ]
    return "\n".join(lines)


def _toml_value(value: str | list[str]) -> str:
    """TOML's basic strings and arrays are written as JSON writes them, but for DEL and for pairs of surrogates."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def own_command() -> list[str]:
    """Say how hosts can start this program, by absolute path: on a desktop their PATH is shorter."""
    invoked = Path(sys.argv[0])
    if invoked.name.startswith("kie-mcp") and invoked.is_file():
        return [str(invoked.absolute())]
    found = shutil.which("kie-mcp")
    return [found] if found else [sys.executable, "-m", "kie_mcp"]


def pictures_folder() -> Path:
    """Where a host's pictures go: a folder that the user will find. Raises ``ConfigError``."""
    from platformdirs import user_pictures_path

    try:
        return user_pictures_path() / "kie-mcp"
    except RuntimeError as error:
        raise ConfigError("The home folder is not known.", next_step="Set HOME, then try again.") from error
