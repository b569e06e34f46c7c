"""The stand-in alone, in this process: a signal ends it as soon as it has told its variables."""

from __future__ import annotations

import json
import os
import signal
import socket

import pytest
import requests

from kie_mcp.cli import stand_in


@pytest.fixture
def interrupted_when_ready(monkeypatch):
    """Look at the running stand-in, then press Ctrl-C."""
    seen = []

    def ready(url_of):
        def hint(_text):
            seen.append(requests.get(url_of(), headers={"Authorization": "Bearer sandbox"}, timeout=5).json())
            os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr("kie_mcp.cli.stand_in.hint", hint)
        return seen

    return ready


def test_it_prints_the_variables_one_a_line_and_ends_well(command, interrupted_when_ready, monkeypatch):
    ports = []

    class Sandbox(stand_in.Sandbox):
        def start(self):
            super().start()
            ports.append(self.base_url)
            return self

    monkeypatch.setattr(stand_in, "Sandbox", Sandbox)
    seen = interrupted_when_ready(lambda: f"{ports[0]}/chat/credit")
    done = command("sandbox", "--port", "0", "--fault", "credits:code:433")
    assert done.code == 0
    assert seen[0]["code"] == 433
    variables = dict(line.split("=", 1) for line in done.out.splitlines())
    assert variables == {
        "KIE_AI_BASE_URL": ports[0],
        "KIE_AI_UPLOAD_BASE_URL": ports[0].removesuffix("/api/v1"),
        "KIE_AI_API_KEY": "sandbox",
    }
    assert done.err == "kie-mcp: the sandbox is running; Ctrl-C ends it.\n"
    with pytest.raises(requests.ConnectionError):
        requests.get(ports[0], timeout=5)


def test_in_json_the_variables_are_an_object(command, monkeypatch):
    monkeypatch.setattr("kie_mcp.cli.stand_in.hint", lambda _text: os.kill(os.getpid(), signal.SIGTERM))
    done = command("sandbox", "--port", "0", "--json")
    assert done.code == 0
    assert list(json.loads(done.out)) == ["KIE_AI_BASE_URL", "KIE_AI_UPLOAD_BASE_URL", "KIE_AI_API_KEY"]


def test_a_taken_port_is_told(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("sandbox", "--port", str(port))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"kie-mcp: the sandbox cannot start on port {port}: Address already in use.\n"


def test_an_unknown_fault_is_told_with_what_is_known(command):
    done = command("sandbox", "--port", "0", "--fault", "tea:cold")
    assert done.code == 2
    assert "no fault can be set on 'tea'; known are create, " in done.err
