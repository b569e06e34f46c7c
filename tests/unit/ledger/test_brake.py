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
    assert not brake(0.0).holds([1.0] * 50)
    brake(1.0).answered(0.5)
    assert document == {}


def test_a_refusal_lowers_the_rate_and_refusals_of_one_burst_are_one(brake):
    for now in (100.0, 100.1, 104.9):
        brake(now).refused()
    assert [brake(now).count for now in (100.0, 104.9)] == [14, 15]
    brake(105.0).refused()
    assert brake(105.0).count == 11  # seven tenths of the 16 that it had risen to


def test_the_rate_rises_by_a_fifth_a_window_up_to_the_full_one_and_the_brake_is_forgotten(brake, document):
    brake(100.0).refused()
    assert [brake(now).count for now in (104.9, 105.0, 110.0, 115.0)] == [15, 16, 18, 20]
    assert "brake" in document
    assert brake(120.0).count == 20
    assert document == {}


def test_the_rate_never_falls_below_one(brake):
    for now in range(100, 200, 5):
        brake(float(now)).refused()
    assert 1 <= brake(195.0).count <= 4


def test_after_a_refusal_one_request_feels_the_way_and_two_follow_each_that_is_accepted(brake):
    brake(100.0).refused()
    assert not brake(101.0).holds([99.0] * 20)  # what went out before says nothing of now
    assert brake(101.0).holds([100.5])
    brake(101.5).answered(100.5)
    assert not brake(101.5).holds([101.1])
    assert brake(101.5).holds([101.1, 101.2])
    brake(102.0).answered(99.0)
    assert brake(102.0).holds([101.1, 101.2])


def test_a_request_of_which_nobody_hears_again_does_not_hold_the_others_for_long(brake):
    brake(100.0).refused()
    assert brake(119.0).holds([100.5])
    assert not brake(120.0).holds([100.5])


def test_a_clock_that_jumps_back_releases_the_brake(brake, document):
    brake(100.0).refused()
    assert brake(50.0).count == 20
    assert document == {}
