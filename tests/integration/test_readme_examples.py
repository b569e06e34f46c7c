"""The README's examples run as they stand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def example(name: str) -> str:
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)[1]


def run(command: list[str], tmp_path: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIE_AI_")}
    environment["KIE_AI_STATE_DIR"] = str(tmp_path / "state")
    environment["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_wide_picture(path: str) -> None:
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width * 9 == picture.height * 16


def test_the_piped_example_prints_two_json_lines(tmp_path):
    lines = run(["sh", "-c", example("pipe")], tmp_path).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2]
    made = json.loads(lines[1])["result"]["structuredContent"]
    with Image.open(made["output_path"]) as picture:
        picture.verify()


def test_the_python_example_prints_the_path_of_a_picture(tmp_path):
    (tmp_path / "example.py").write_text(example("python"), encoding="utf-8")
    assert_wide_picture(run([sys.executable, "-X", "dev", "example.py"], tmp_path).strip())


@pytest.mark.skipif(
    shutil.which("node") is None, reason="Node is not on this machine; the example is for those who have it"
)
def test_the_node_example_prints_the_path_of_a_picture(tmp_path):
    (tmp_path / "example.js").write_text(example("node"), encoding="utf-8")
    assert_wide_picture(run(["node", "example.js"], tmp_path).strip())
