"""The composition root."""

from __future__ import annotations

import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from kie_mcp.catalogue.live import Entry
from kie_mcp.catalogue.refreshed import Saying, write
from kie_mcp.cli.compose import SANDBOX_KEY, Application
from kie_mcp.clock import Clock
from kie_mcp.context import CallContext
from kie_mcp.errors import ConfigError
from kie_mcp.log import LOGGER
from kie_mcp.tools import TOOLS

TOOL = {tool.name: tool for tool in TOOLS}


@pytest.fixture
def build():
    """Make applications that are closed in the end."""
    built = []

    def make(**given):
        built.append(Application(**{"sandbox": False, "clock": Clock(), **given}))
        return built[-1]

    yield make
    for application in built:
        application.close()


def test_the_sandbox_is_started_with_the_settings_and_ends_with_the_application(build):
    application = build(sandbox=True)
    assert not application.has_sandbox
    config = application.services.config
    assert application.has_sandbox
    assert (config.api_key, config.on_loopback()) == (SANDBOX_KEY, True)
    assert config.base_url.startswith(config.upload_base_url)
    application.close()
    assert not application.has_sandbox
    with pytest.raises(requests.ConnectionError):
        requests.get(config.base_url, timeout=5)
    application.close()


def test_the_variable_asks_for_the_sandbox_too(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_SANDBOX", "on")
    assert build().services.config.api_key == SANDBOX_KEY


def test_a_call_is_validated_and_run(build):
    answer = build(sandbox=True).call(TOOL["get_credits"], {}, CallContext())
    assert answer.structured["ok"] is True


def test_the_key_is_a_secret_and_goes_no_further(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_API_KEY", "sk-1234567890")
    application = build()
    assert application.secrets() == ("sk-1234567890",)
    answer = application.call(TOOL["list_models"], {"query": "sk-1234567890"}, CallContext())
    assert answer.structured["models"] == []
    assert "sk-1234567890" not in json.dumps(answer.structured)


def test_the_key_is_a_secret_while_the_settings_cannot_be_used_too(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_API_KEY", "sk-1234567890")
    monkeypatch.setenv("KIE_AI_TIMEOUT_SECONDS", "soon")
    application = build()
    assert application.secrets() == ("sk-1234567890",)
    asked = {"name": "finish_my_pictures", "arguments": {"task_id": "sk-1234567890"}}
    answer = application.answer("prompts/get", asked, CallContext())
    assert "sk-1234567890" not in json.dumps(answer)
    monkeypatch.setenv("KIE_AI_TIMEOUT_SECONDS", "5")
    application.call(TOOL["list_models"], {}, CallContext())
    assert application.secrets() == ("sk-1234567890",)


def test_a_key_that_is_put_in_while_the_settings_cannot_be_used_is_a_secret_at_once(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_TIMEOUT_SECONDS", "soon")
    application = build()
    assert application.secrets() == ()
    monkeypatch.setenv("KIE_AI_API_KEY", "sk-1234567890")
    assert application.secrets() == ("sk-1234567890",)


def test_the_users_key_is_a_secret_in_the_sandbox_too(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_API_KEY", "sk-1234567890")
    application = build(sandbox=True)
    assert application.secrets() == ("sk-1234567890",)
    answer = application.call(TOOL["create_visual_task"], {"prompt": "a fox with sk-1234567890"}, CallContext())
    row = application.services.jobs.ledger.find(answer.structured["task_id"])
    assert "sk-1234567890" not in row.prompt


def test_nobody_is_told_that_there_are_no_secrets_while_the_settings_are_read(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_API_KEY", "sk-1234567890")
    application = build()
    reading, go_on = threading.Event(), threading.Event()
    read = application._read_config

    def slowly(**options):
        reading.set()
        assert go_on.wait(30)
        return read(**options)

    application._read_config = slowly
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(application.secrets)
        assert reading.wait(30)
        second = pool.submit(application.secrets)
        go_on.set()
        assert first.result(30) == second.result(30) == ("sk-1234567890",)


def test_without_usable_settings_a_tool_that_needs_none_still_works(build, monkeypatch):
    monkeypatch.setenv("KIE_AI_TIMEOUT_SECONDS", "soon")
    application = build()
    assert application.call(TOOL["describe_imager_interface"], {}, CallContext()).structured["ok"] is True
    with pytest.raises(ConfigError, match="KIE_AI_TIMEOUT_SECONDS"):
        application.call(TOOL["get_credits"], {}, CallContext())


def test_refreshed_models_are_used(build, tmp_path):
    live = {"properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}
    saying = Saying(Entry("brand/new", "New", (), None), live)
    write(tmp_path / "state" / "catalogue.json", [saying], 1_900_000_000)
    assert build().services.catalogue.find("brand/new") is not None
    assert build(sandbox=True).services.catalogue.find("brand/new") is None


@pytest.mark.parametrize("name", ["KIE_AI_TIMEOUT_SECONDS", "KIE_AI_RATE_LIMIT"])
def test_without_usable_settings_the_bundled_models_are_used(build, monkeypatch, name):
    monkeypatch.setenv(name, "soon")
    assert build().services.catalogue.find("z-image") is not None


def test_a_log_file_that_cannot_be_written_is_a_settings_error(build, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KIE_AI_LOG_FILE", str(tmp_path / "file" / "log.jsonl"))
    with pytest.raises(ConfigError, match=r"KIE_AI_LOG_FILE is .*log\.jsonl"):
        assert build().services.config


def test_the_sandbox_is_started_once_though_the_settings_are_read_again(build, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KIE_AI_LOG_FILE", str(tmp_path / "file" / "log.jsonl"))
    application = build(sandbox=True)
    with pytest.raises(ConfigError):
        assert application.services.config
    first = application._sandbox
    monkeypatch.delenv("KIE_AI_LOG_FILE")
    assert application.services.config.base_url == first.base_url
    assert application._sandbox is first


def test_the_log_goes_where_it_is_told(build):
    stream = io.StringIO()
    assert build(log_stream=stream).services.config
    logging.getLogger(LOGGER).warning("a poll failed")
    assert stream.getvalue() == "kie-mcp WARNING: a poll failed\n"


def test_the_ledger_is_opened_when_it_is_needed(build, tmp_path):
    application = build()
    assert application.services.catalogue.find("nano-banana-pro")
    assert not (tmp_path / "state").exists()
    assert application.call(TOOL["list_visual_tasks"], {}, CallContext()).structured["tasks"] == []
    assert (tmp_path / "state" / "ledger.sqlite3").is_file()
