"""Each part is made when it is first needed, and only once."""

from __future__ import annotations

import pytest

from kie_mcp.catalogue import Catalogue
from kie_mcp.errors import ConfigError


def test_nothing_is_made_before_it_is_needed(tools):
    assert tools.loaded == 0
    tools.services.close()
    assert tools.loaded == 0


def test_each_part_is_made_once(tools):
    services = tools.services
    assert services.config is services.config
    assert services.catalogue is services.catalogue
    assert services.jobs is services.jobs
    assert tools.loaded == 1


def test_settings_that_could_not_be_used_are_read_again_at_the_next_call(tools):
    right = tools.config
    tools.config = ConfigError("KIE_AI_TIMEOUT_SECONDS is 'soon'.")
    with pytest.raises(ConfigError):
        _ = tools.services.config
    tools.config = right
    assert tools.services.config is right


def test_the_models_can_be_read_anew_and_what_was_built_with_them(tools):
    models, jobs = tools.services.catalogue, tools.services.jobs
    tools.catalogue = Catalogue.load()
    assert tools.services.catalogue is models
    tools.services.reload_catalogue()
    assert tools.services.catalogue is tools.catalogue
    assert tools.services.jobs is not jobs


def test_after_closing_the_ledger_is_opened_anew(tools):
    first = tools.services.jobs
    tools.services.close()
    assert tools.services.jobs is not first
