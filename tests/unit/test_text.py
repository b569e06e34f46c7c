"""Text cut for messages."""

from __future__ import annotations

import pytest

from kie_mcp.text import shortened


@pytest.mark.parametrize(("text", "shown"), [("", ""), ("fox", "fox"), ("foxes", "fox…"), ("a red fox", "a r…")])
def test_only_what_is_too_long_is_cut_and_shows_it(text, shown):
    assert shortened(text, 4) == shown
