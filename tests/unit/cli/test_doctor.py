"""What ``kie-mcp doctor`` finds. Nothing is created by looking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kie_mcp.cli.compose import Application
from kie_mcp.cli.doctor import checks
from kie_mcp.clock import Clock
from kie_mcp.context import CallContext


@pytest.fixture
def look():
    """Check the set-up as the environment has it; each check by its name."""

    def found(*, sandbox=False, prepare=lambda _services: None):
        application = Application(sandbox=sandbox, clock=Clock())
        try:
            prepare(application.services)
            return {what: (right, detail) for what, right, detail in checks(application.services, CallContext())}
        finally:
            application.close()

    return found


@pytest.fixture
def nowhere(tmp_path):
    """A path that cannot be made: something else is in its way."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "folder"


def everything_below(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def test_without_a_key_it_says_how_to_set_one_and_does_not_connect(look):
    found = look()
    assert [what for what, (right, _) in found.items() if not right] == ["API key"]
    assert "KIE_AI_API_KEY is not set" in found["API key"][1]
    assert "--sandbox" in found["API key"][1]
    assert "connection" not in found
    assert found["settings"] == (True, "API at https://api.kie.ai/api/v1")


def test_in_the_sandbox_all_is_well_and_nothing_is_created(look, tmp_path):
    found = look(sandbox=True)
    assert all(right for right, _ in found.values())
    assert found["API key"] == (True, "not needed in the sandbox")
    assert found["connection"][1].endswith("credits")
    assert found["state folder"] == (True, f"{tmp_path / 'state'} (made with the first task)")
    assert everything_below(tmp_path) == [str(tmp_path / "work")]


def test_settings_that_cannot_be_used_end_the_checks(look, monkeypatch):
    monkeypatch.setenv("KIE_AI_TIMEOUT_SECONDS", "soon")
    found = look()
    assert list(found) == ["program", "settings"]
    assert "KIE_AI_TIMEOUT_SECONDS is 'soon'" in found["settings"][1]
    assert "Correct the named variable" in found["settings"][1]


def test_a_key_that_reaches_nobody_is_told(look, monkeypatch):
    monkeypatch.setenv("KIE_AI_API_KEY", "sk-1234567890")
    monkeypatch.setenv("KIE_AI_BASE_URL", "http://127.0.0.1:1/api/v1")
    monkeypatch.setenv("KIE_AI_HTTP_RETRIES", "1")
    found = look()
    assert found["API key"] == (True, "set")
    assert not found["connection"][0]
    assert "No connection to 127.0.0.1" in found["connection"][1]
    assert all("sk-1234567890" not in detail for _, detail in found.values())


def test_a_state_folder_that_exists_is_shown(look, tmp_path):
    (tmp_path / "state").mkdir()
    assert look()["state folder"] == (True, str(tmp_path / "state"))
    assert everything_below(tmp_path / "state") == []


def test_a_ledger_that_exists_is_opened(look, tmp_path):
    def make_ledger(services):
        assert services.jobs

    assert look(prepare=make_ledger)["state folder"] == (True, str(tmp_path / "state"))


def test_a_broken_ledger_is_set_aside_and_told(look, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.sqlite3").write_bytes(b"this is no database, not at all" * 100)
    right, detail = look()["state folder"]
    assert right
    assert detail.startswith(f"{tmp_path / 'state'}; ")
    assert list((tmp_path / "state").glob("ledger.sqlite3.*-*"))
    assert look()["state folder"] == (True, detail)  # it stays there until somebody looks into it


def test_the_ledger_of_an_api_on_this_machine_is_the_one_looked_at(look, tmp_path, monkeypatch):
    monkeypatch.setenv("KIE_AI_BASE_URL", "http://127.0.0.1:9/api/v1")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger-sandbox.sqlite3").write_bytes(b"no database " * 100)
    right, detail = look()["state folder"]
    assert right
    assert "ledger-sandbox.sqlite3.damaged-" in detail


def test_a_state_folder_that_cannot_be_made_is_told(look, monkeypatch, nowhere):
    monkeypatch.setenv("KIE_AI_STATE_DIR", str(nowhere))
    right, detail = look()["state folder"]
    assert not right
    assert detail == (
        f"The state folder {nowhere} cannot be written to. Make it writable, or set KIE_AI_STATE_DIR to another folder."
    )


def test_a_state_folder_without_permission_is_told(look, monkeypatch):
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert not look()["state folder"][0]


def test_an_output_folder_that_cannot_be_used_has_a_substitute(look, monkeypatch, nowhere):
    monkeypatch.setenv("KIE_AI_OUTPUT_DIR", str(nowhere))
    right, detail = look()["output folder"]
    assert right
    assert str(Path.home() / "Pictures" / "kie-mcp") in detail
    assert str(nowhere) in detail


def test_no_place_at_all_for_pictures_is_told(look, monkeypatch, nowhere):
    monkeypatch.setenv("KIE_AI_OUTPUT_DIR", str(nowhere))
    monkeypatch.setenv("HOME", str(nowhere))
    right, detail = look()["output folder"]
    assert not right
    assert detail.endswith("Set KIE_AI_OUTPUT_DIR to a folder that you can write to.")


def test_a_mistake_in_one_check_does_not_end_the_others(look):
    def spoil(services):
        services._catalogue = object()

    found = look(prepare=spoil)
    assert found["models"][0] is False
    assert "Internal error (AttributeError)" in found["models"][1]
    assert "output folder" in found
