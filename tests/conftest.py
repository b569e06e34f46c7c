"""What every test may have."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from kie_mcp.catalogue import Catalogue


@pytest.fixture(scope="session")
def catalogue():
    """The bundled models."""
    return Catalogue.load()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """The URL, with a password, of a Redis server on a socket of this machine; it ends with the tests."""
    command = shutil.which("redis-server")
    if command is None:
        pytest.skip("no redis-server is installed (Debian: apt-get install redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "s"
    place = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    process = subprocess.Popen(
        [command, *place, "--save", "", "--requirepass", "pw-123456"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert any("eady to accept connections" in line for line in process.stdout), "redis-server ended"
        yield f"unix://:pw-123456@{socket}"
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)
