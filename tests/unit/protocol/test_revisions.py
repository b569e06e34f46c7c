"""The table of revisions."""

from __future__ import annotations

import pytest

from kie_mcp.protocol.revisions import HANDSHAKE, NAMES, STATELESS, negotiated


def test_the_five_revisions_are_listed_newest_first():
    assert NAMES == ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")


def test_only_the_newest_is_stateless():
    assert list(STATELESS) == ["2026-07-28"]
    assert set(HANDSHAKE) | set(STATELESS) == set(NAMES)


@pytest.mark.parametrize("name", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_initialize_settles_on_a_known_revision(name):
    assert negotiated(name).name == name


@pytest.mark.parametrize("requested", ["2026-07-28", "1900-01-01", "", None, 5, []])
def test_initialize_settles_on_the_latest_handshake_for_anything_else(requested):
    assert negotiated(requested).name == "2025-11-25"


@pytest.mark.parametrize(
    ("feature", "names"),
    [
        ("batches", {"2025-03-26"}),
        ("titles", {"2025-06-18", "2025-11-25"}),
        ("structured", {"2025-06-18", "2025-11-25"}),
        ("annotations", {"2025-03-26", "2025-06-18", "2025-11-25"}),
        ("progress_messages", {"2025-03-26", "2025-06-18", "2025-11-25"}),
    ],
)
def test_each_feature_came_with_its_revision(feature, names):
    assert {name for name, revision in HANDSHAKE.items() if getattr(revision, feature)} == names
