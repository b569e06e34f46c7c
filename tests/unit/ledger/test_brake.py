"""Slowing down after "too many requests"."""

from __future__ import annotations

import pytest

from kie_mcp.config import Rate
from kie_mcp.ledger.brake import Brake

RATE = Rate(20, 10)


@pytest.fixture
def document():
    return {}


@pytest.fixture
def brake(document):
    """The brake at a moment."""
    return lambda now: Brake(document, now, RATE)


def test_without_a_refusal_the_rate_is_the_full_one(brake, document):
    assert brake(0.0).count == 20
    assert document == {}


def test_a_refusal_lowers_the_rate_and_refusals_of_one_burst_are_one(brake):
    for now in (100.0, 100.1, 104.9):
        brake(now).refused()
    assert [brake(now).count for now in (100.0, 104.9)] == [14, 15]
    brake(105.0).refused()
    assert brake(105.0).count == 11  # seven tenths of the 16 that it had risen to


def test_the_rate_rises_by_a_fifth_a_window_up_to_the_full_one_and_the_brake_is_forgotten(brake, document):
    brake(100.0).refused()
    assert [brake(now).count for now in (104.9, 105.0, 110.0, 114.9)] == [15, 16, 18, 19]
    assert "brake" in document
    assert brake(115.0).count == 20
    assert document == {}


def test_the_rate_never_falls_below_one(brake):
    for now in range(100, 200, 5):
        brake(float(now)).refused()
    assert 1 <= brake(195.0).count <= 4


@pytest.mark.parametrize("now", [50.0, 5000.0])
def test_a_clock_that_begins_anew_releases_the_brake(brake, document, now):
    brake(100.0).refused()
    assert brake(now).count == 20
    assert document == {}
