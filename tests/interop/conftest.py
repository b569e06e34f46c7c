"""What real clients need: a sandbox, the packages from npm, and a line in pytest's summary that says who was there."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions
from processes import KEY, environment_for

collect_ignore = ["node"]  # packages that somebody has installed there are no tests

NPM = ("install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", "--loglevel=error")
NPM_RETRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
"""Without a network npm would try for minutes."""
NPM_SECONDS = 180
"""A slower network counts as none."""

MET = pytest.StashKey[dict[str, set[str]]]()
"""Who was there, with its version, and in which revisions or eras it has spoken."""


def pytest_configure(config):
    config.stash[MET] = {}


def pytest_terminal_summary(terminalreporter, config):
    met = [f"{who} ({', '.join(sorted(spoken))})" for who, spoken in sorted(config.stash[MET].items())]
    if met:
        terminalreporter.write_line(f"interop: {', '.join(met)}")


@pytest.fixture(scope="session")
def meet(pytestconfig):
    """Put a client into the summary."""

    def meet(name, version, spoken):
        pytestconfig.stash[MET].setdefault(f"{name} {version}", set()).add(spoken)

    return meet


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    """A context: a sandbox that holds back what is "slow", a folder, and the environment of a server there."""

    @contextlib.contextmanager
    def stand_in():
        folder = tmp_path_factory.mktemp("client")
        options = SandboxOptions(task_seconds=0.05, rate=Rate(1000, 1), api_key=KEY)
        with Sandbox(options) as sandbox:
            sandbox.faults.add("poll", "stuck", times=0, match="slow")
            yield sandbox, folder, environment_for(sandbox, folder, HOME=str(folder))

    return stand_in


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory):
    """A copy of the folder ``node`` with its packages installed; skips where they cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm") / "node"
    shutil.copytree(Path(__file__).parent / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, *NPM, *NPM_RETRIES]
    try:
        ended = subprocess.run(
            command, cwd=folder, timeout=NPM_SECONDS, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm install has not ended within {NPM_SECONDS} s")
    if ended.returncode:
        pytest.skip(f"npm install failed: {' '.join(ended.stdout.decode(errors='replace').split())[:300]}")
    yield folder
    shutil.rmtree(folder)
