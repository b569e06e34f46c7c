"""Where a task stands."""

from __future__ import annotations

import pytest

from kie_mcp.jobs.outcomes import remembered, seen
from kie_mcp.kie import TaskStatus


@pytest.fixture
def row(bench):
    """A task in the ledger that should cost 18 credits."""
    number = bench.ledger.begin(model="nano-banana-pro", prompt="a fox", request={}, estimated_credits=18)
    bench.ledger.accepted(number, "t")
    return bench.ledger.find("t")


@pytest.mark.parametrize(
    ("status", "consumed", "estimated"),
    [
        (TaskStatus("t", "success", credits_consumed=17.5), 17.5, None),
        (TaskStatus("t", "success"), None, 18),
        (TaskStatus("t", "generating", credits_consumed=17.5), None, 18),
        (TaskStatus("t", "fail"), None, None),
        (TaskStatus("t", "fail", credits_consumed=0.0), 0.0, None),
    ],
)
def test_the_estimate_stands_in_for_a_cost_that_is_not_final(row, status, consumed, estimated):
    outcome = seen(status, row, (), (), 1.23456)
    assert (outcome.credits_consumed, outcome.credits_estimated) == (consumed, estimated)
    assert outcome.elapsed_seconds == 1.235


def test_a_task_that_is_not_in_the_ledger_has_no_estimate():
    assert seen(TaskStatus("t", "success"), None, (), (), 0).credits_estimated is None


def test_links_of_its_own_in_a_result_are_warned_of_behind_the_other_warnings(row):
    status = TaskStatus("t", "success", result={"mask_urls": ["https://r.example/mask.png"]})
    first, second = seen(status, row, (), ("before",), 0).warnings
    assert (first, "not saved" in second) == ("before", True)


def test_what_the_ledger_knows_is_told_as_it_was(bench, row):
    bench.ledger.observed("t", "success", result={"subjects": []})
    outcome = remembered(bench.ledger.find("t"), wanted="elsewhere.png")
    assert (outcome.status, outcome.result, outcome.credits_estimated) == ("success", {"subjects": []}, 18)
    assert outcome.warnings == ()
