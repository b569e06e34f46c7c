"""The entry point."""

from __future__ import annotations

import kie_mcp
from kie_mcp.__main__ import INTERRUPTED, main


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kie-mcp {kie_mcp.__version__}\n"


def test_an_interrupt_before_anything_runs_ends_without_a_traceback(monkeypatch):
    def interrupt(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("kie_mcp.cli.main.run", interrupt)
    assert main(["models"]) == INTERRUPTED


def test_everything_but_the_server_goes_through_the_command_line(monkeypatch):
    monkeypatch.setattr("kie_mcp.cli.main.run", len)
    assert main(["models", "banana"]) == 2


def test_the_server_starts_without_the_command_line(monkeypatch):
    started = []
    monkeypatch.setattr("kie_mcp.cli.serve.serve", lambda **options: started.append(options) or 0)
    assert [main([]), main(["serve"]), main(["--sandbox"]), main(["serve", "--sandbox"])] == [0] * 4
    assert started == [{"sandbox": False}, {"sandbox": False}, {"sandbox": True}, {"sandbox": True}]
