"""Everything that a revision has, said over real pipes; ``pytest -s`` prints what is said."""

from __future__ import annotations

import pytest

from kie_mcp.protocol.revisions import NAMES
from transcripts import transcript


@pytest.mark.parametrize("revision", NAMES)
def test_all_that_a_revision_has_is_answered_as_it_says(revision, tmp_path):
    transcript(revision, tmp_path, print)
