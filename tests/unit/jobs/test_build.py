"""Joining the rooms from the settings."""

from __future__ import annotations

import pytest

from kie_mcp.clock import Clock
from kie_mcp.config import Config
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, ConfigError
from kie_mcp.jobs import build_jobs


def test_the_ledger_is_in_the_state_folder(tmp_path, catalogue):
    jobs = build_jobs(Config(state_dir=tmp_path / "state"), catalogue, Clock())
    jobs.close()
    assert (tmp_path / "state" / "ledger.sqlite3").is_file()


def test_the_tasks_of_the_sandbox_have_a_ledger_of_their_own(tmp_path, catalogue):
    jobs = build_jobs(Config(state_dir=tmp_path / "state", sandbox=True), catalogue, Clock())
    jobs.close()
    assert (tmp_path / "state" / "ledger-sandbox.sqlite3").is_file()
    assert not (tmp_path / "state" / "ledger.sqlite3").exists()


def test_a_state_folder_that_cannot_be_used_is_an_error_that_names_the_setting(tmp_path, catalogue):
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(ConfigError) as caught:
        build_jobs(Config(state_dir=tmp_path / "file"), catalogue, Clock())
    assert "KIE_AI_STATE_DIR" in caught.value.next_step


def test_the_key_never_reaches_the_ledger(tmp_path, catalogue):
    jobs = build_jobs(Config(api_key="k-secret", state_dir=tmp_path), catalogue, Clock())
    number = jobs.ledger.begin(model="m", prompt="k-secret", request={"prompt": "k-secret"})
    jobs.ledger.refused(number, {"message": "k-secret"})
    jobs.close()
    assert not any(b"k-secret" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_two_savers_are_told_apart(tmp_path, catalogue):
    jobs = build_jobs(Config(api_key="k", state_dir=tmp_path), catalogue, Clock())
    names = {jobs.generations.saver._new_name() for _ in range(3)}
    jobs.close()
    assert len(names) == 3


def test_a_cancelled_call_does_not_reach_the_network(tmp_path, catalogue):
    jobs = build_jobs(Config(api_key="k", state_dir=tmp_path), catalogue, Clock())
    context = CallContext()
    context.cancel()
    with pytest.raises(CancelledError):
        jobs.client.get_task("t", context)
    jobs.close()


def test_the_tasks_of_an_api_on_this_machine_are_kept_apart_from_paid_ones(tmp_path, catalogue):
    jobs = build_jobs(Config(state_dir=tmp_path, base_url="http://127.0.0.1:8765/api/v1"), catalogue, Clock())
    jobs.close()
    assert not (tmp_path / "ledger.sqlite3").exists()
