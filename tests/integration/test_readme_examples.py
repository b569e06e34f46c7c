"""The README's examples run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from mcp_messages import Conversation
from processes import output_schemas

if TYPE_CHECKING:
    from collections.abc import Callable

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def example(name: str) -> str:
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)[1]


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Run a command to its end; what it printed."""
    path = os.pathsep.join([str(BIN), environment["PATH"]])
    variables = {**environment, "KIE_AI_STATE_DIR": str(tmp_path / "state"), "PATH": path}

    def start(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, encoding="utf-8", timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


def assert_wide_picture(path: str) -> None:
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width * 9 == picture.height * 16


def test_the_piped_example_prints_two_json_lines(run):
    lines = run("sh", "-c", example("pipe")).splitlines()
    conversation = Conversation(output_schemas())
    for line in re.findall(r"^ *'(\{.*\})'", example("pipe"), re.MULTILINE):
        conversation.sent(line)
    answers = [conversation.received(line) for line in lines]
    conversation.check()
    assert [answer["id"] for answer in answers] == [1, 2]
    made = answers[1]["result"]["structuredContent"]
    with Image.open(made["output_path"]) as picture:
        picture.verify()


def test_the_python_example_prints_the_path_of_a_picture(run, tmp_path):
    (tmp_path / "example.py").write_text(example("python"), encoding="utf-8")
    assert_wide_picture(run(sys.executable, "-X", "dev", "example.py").strip())


@pytest.mark.skipif(
    shutil.which("node") is None, reason="Node is not on this machine; the example is for those who have it"
)
def test_the_node_example_prints_the_path_of_a_picture(run, tmp_path):
    (tmp_path / "example.js").write_text(example("node"), encoding="utf-8")
    assert_wide_picture(run("node", "example.js").strip())
