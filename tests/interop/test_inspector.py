"""The command line of the MCP Inspector against the real server: the same requests in the eras that it can speak."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kie_mcp.tools import TOOLS

pytestmark = pytest.mark.timeout(600)  # the first waits for npm

ERAS = ("legacy", "auto", "modern")
PACKAGE = "node_modules/@modelcontextprotocol/inspector"


class Inspector:
    """The Inspector, one process and one server a request."""

    def __init__(self, node_folder, folder, environment):
        self.package = node_folder / PACKAGE
        launcher = self.package / "clients/launcher/build/index.js"
        # the newer Node that the Inspector needs is a package among the others
        self.command = [
            str(node_folder / "node_modules/.bin/node"),
            str(launcher),
            "--cli",
            sys.executable,
            "-m",
            "kie_mcp",
        ]
        self.settings = [
            part
            for name, value in environment.items()
            if name.startswith(("KIE_AI_", "COVERAGE_", "PYTHONPATH"))
            for part in ("-e", f"{name}={value}")
        ]
        self.folder = folder
        self.environment = environment

    @property
    def version(self):
        return json.loads((self.package / "package.json").read_bytes())["version"]

    def ask(self, method, *options, era="legacy"):
        """The exit code, and what was printed on stdout or, in case of an error, on stderr."""
        asked = ["--format", "json", "--protocol-era", era, "--method", method, *options, *self.settings]
        ended = subprocess.run(
            [*self.command, *asked],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return ended.returncode, json.loads(ended.stdout or ended.stderr)

    def result(self, method, *options, era="legacy"):
        code, shown = self.ask(method, *options, era=era)
        assert code == 0, shown
        return shown["result"]

    def call(self, tool, era="legacy", **arguments):
        return self.ask("tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments), era=era)


@pytest.fixture(scope="module")
def inspector(node_folder, stand_in):
    with stand_in() as (_, folder, environment):
        yield Inspector(node_folder, folder, environment)


@pytest.mark.parametrize("era", ERAS)
def test_every_tool_is_listed_without_a_schema_that_models_refuse(inspector, meet, era):
    listed = inspector.result("tools/list", "--strict", era=era)  # strict: exit 6 where a schema has an error
    assert [tool["name"] for tool in listed["tools"]] == [tool.name for tool in TOOLS]
    meet("inspector", inspector.version, era)


@pytest.mark.parametrize("era", ERAS)
def test_a_picture_is_made_listed_and_read(inspector, era):
    code, shown = inspector.call("generate_visual", era, prompt=f"a {era} fox", aspect_ratio="16:9")
    assert code == 0, shown
    made = shown["result"]["structuredContent"]
    picture = Path(made["output_path"])
    listed = inspector.result("resources/list", era=era)["resources"]
    (entry,) = [entry for entry in listed if entry["uri"] == picture.as_uri()]
    (content,) = inspector.result("resources/read", "--uri", entry["uri"], era=era)["contents"]
    assert content["mimeType"] == made["mime_type"]
    assert base64.b64decode(content["blob"]) == picture.read_bytes()


@pytest.mark.parametrize("era", ERAS)
def test_a_tool_s_error_is_shown_whole(inspector, era):
    code, shown = inspector.call("generate_visual", era, prompt="a fox", aspect_ratio="7:3")
    assert code != 0
    assert shown["result"]["isError"]
    assert shown["result"]["structuredContent"]["error"]["category"] == "input"


def test_what_is_not_there_is_an_error(inspector):
    assert inspector.call("nope")[0] != 0
    assert inspector.ask("resources/read", "--uri", "kie-mcp://nothing")[0] != 0


def test_prompts_templates_and_the_log_s_level_are_there(inspector):
    prompts = inspector.result("prompts/list")["prompts"]
    assert "platform_picture" in [prompt["name"] for prompt in prompts]
    given = ("--prompt-args", "subject=a fox", "platform=youtube")
    shown = inspector.result("prompts/get", "--prompt-name", "platform_picture", *given)
    assert "a fox" in shown["messages"][0]["content"]["text"]
    assert len(inspector.result("resources/templates/list")["resourceTemplates"]) == 2
    assert inspector.result("logging/setLevel", "--log-level", "debug") == {}
