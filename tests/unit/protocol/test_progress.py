"""Progress: only with a token, increasing, not too often, none at or after the result."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.protocol.progress import ProgressReporter, ReportingClock
from kie_mcp.protocol.revisions import HANDSHAKE, LATEST_HANDSHAKE
from kie_mcp.tools.spec import ToolResult


class Reports:
    """A reporter, and what it sent."""

    def __init__(self, clock, revision=LATEST_HANDSHAKE, token=0):
        self.sent = []
        self._clock = clock
        self.reporter = ProgressReporter(token, revision, clock, self.sent.append)

    def report(self, done, total=None, message=""):
        """Report, one second after whatever was before; the params that were sent, or ``None``."""
        self._clock.time += 1
        before = len(self.sent)
        self.reporter.report(done, total, message)
        return self.sent[-1]["params"] if len(self.sent) > before else None


def test_a_report_is_sent_with_its_token_total_and_message(clock):
    reports = Reports(clock, token="t")
    assert reports.report(1, 4, "one") == {"progressToken": "t", "progress": 1, "total": 4, "message": "one"}
    assert reports.sent[0]["method"] == "notifications/progress"


def test_an_unknown_total_and_an_empty_message_are_left_out(clock):
    assert Reports(clock).report(1) == {"progressToken": 0, "progress": 1}


def test_the_oldest_revision_has_no_messages(clock):
    assert "message" not in Reports(clock, HANDSHAKE["2024-11-05"]).report(1, 4, "one")


def test_a_report_that_does_not_go_forward_is_a_small_step(clock):
    reports = Reports(clock)
    values = [reports.report(done, 4)["progress"] for done in (1, 1, 0, 2)]
    assert values == sorted(set(values))
    assert values[0] == 1
    assert values[2] < values[3] == 2


def test_steps_without_a_total_go_forward_too(clock):
    reports = Reports(clock)
    values = [reports.report(5)["progress"] for _ in range(3)]
    assert values == sorted(set(values))


def test_nothing_goes_above_the_total(clock):
    reports = Reports(clock)
    assert reports.report(9, 4)["progress"] == 4
    assert reports.report(4, 4) is None
    assert reports.report(5, 4) is None
    assert len(reports.sent) == 1


def test_the_first_report_is_sent_at_once_and_the_next_a_tenth_of_a_second_later(clock):
    reports = Reports(clock)
    reports.reporter.report(1, None, "")
    clock.time += 0.09
    reports.reporter.report(2, None, "")
    clock.time += 0.02
    reports.reporter.report(3, None, "")
    assert [message["params"]["progress"] for message in reports.sent] == [1, 3]


def test_nothing_is_sent_after_close_or_silence(clock):
    for end in (ProgressReporter.close, ProgressReporter.silence):
        reports = Reports(clock)
        end(reports.reporter)
        assert reports.report(1) is None


def test_close_waits_out_the_gap(clock):
    reports = Reports(clock)
    reports.report(1)
    clock.time += 0.02
    reports.reporter.close()
    assert clock.waits == [pytest.approx(0.03)]


def test_close_does_not_wait_where_nothing_was_sent_lately(clock):
    Reports(clock).reporter.close()
    reports = Reports(clock)
    reports.report(1)
    clock.time += 0.06
    reports.reporter.close()
    assert clock.waits == []


def test_there_is_always_a_step_left_however_often_a_report_does_not_go_forward(clock):
    reports = Reports(clock)
    values = [reports.report(1, 2)["progress"] for _ in range(20_000)]
    assert values == sorted(set(values))
    assert values[-1] < 2


# while a call waits


def waiting(clock):
    """A reporter, and the clock that its call waits by."""
    reports = Reports(clock)
    return reports, ReportingClock(clock, reports.reporter)


def test_a_long_wait_says_again_what_was_last_reported(clock):
    reports, waits = waiting(clock)
    reports.report(7, None, "generating")
    assert waits.wait(threading.Event(), 23) is False
    assert clock.waits == [5, 5, 5, 5, 3]
    told = [message["params"] for message in reports.sent]
    assert [params["message"] for params in told] == ["generating"] * 5
    assert [params["progress"] for params in told] == sorted({params["progress"] for params in told})
    assert told[-1]["progress"] < 7.1


def test_many_short_waits_in_silence_are_told_too(clock):
    reports, waits = waiting(clock)
    for _ in range(21):
        waits.wait(threading.Event(), 1)
    assert [message["params"]["message"] for message in reports.sent] == ["waiting"] * 4


def test_a_wait_adds_nothing_where_a_call_reports_by_itself(clock):
    reports, waits = waiting(clock)
    for second in range(20):
        reports.report(second)
        waits.wait(threading.Event(), 2)
    assert len(reports.sent) == 20


def test_the_latest_report_is_said_again_even_if_it_came_too_soon_after_another(clock):
    reports, waits = waiting(clock)
    reports.report(1, 4, "first")
    reports.reporter.report(2, 4, "second")
    waits.wait(threading.Event(), 6)
    assert [message["params"]["message"] for message in reports.sent] == ["first", "second"]


def test_a_wait_ends_as_soon_as_what_is_waited_for_happens(clock):
    _, waits = waiting(clock)
    happened = threading.Event()
    happened.set()
    assert waits.wait(happened, 60) is True
    assert clock.waits == [5]
    assert waits.monotonic() == clock.monotonic()
    assert waits.now() == pytest.approx(clock.now(), abs=60)


def test_a_call_and_its_parts_report_while_they_wait_but_only_with_a_token(harness):
    def wait(_, context):
        context.progress(0, 2, "0 of 2 done")
        context.child(None).sleep(60)
        return ToolResult({"ok": True})

    harness.tool = wait
    told = harness.call(1, meta={"progressToken": 1})[:-1]
    assert len(told) == 12
    assert {message["params"]["message"] for message in told} == {"0 of 2 done"}
    assert len(harness.call(2)) == 1


@pytest.mark.parametrize("token", [0, "", "a", 7])
def test_a_call_with_a_token_reports_progress_and_then_answers(harness, token):
    def report(_, context):
        context.progress(1, 2, "half")
        return ToolResult({"ok": True})

    harness.tool = report
    progress, answer = harness.call(5, meta={"progressToken": token})
    assert progress["params"]["progressToken"] == token
    assert "result" in answer
    assert harness.clock.waits == [pytest.approx(0.05)]


@pytest.mark.parametrize("meta", [None, {}, {"progressToken": None}, {"progressToken": True}, {"progressToken": 1.5}])
def test_a_call_without_a_usable_token_reports_nothing(harness, meta):
    def report(_, context):
        context.progress(1, 2, "half")
        return ToolResult({"ok": True})

    harness.tool = report
    assert len(harness.call(5, meta=meta)) == 1


def test_a_context_that_outlives_its_call_reports_nothing(harness):
    kept = []

    def keep(_, context):
        kept.append(context)
        return ToolResult({"ok": True})

    harness.tool = keep
    harness.call(1, meta={"progressToken": 1})
    harness.clock.time += 1
    kept[0].progress(1, None, "late")
    assert len(harness.lines) == 1


def test_a_cancelled_call_reports_nothing_more_and_waits_for_no_gap(harness):
    def report(_, context):
        context.progress(1, 2, "half")
        harness.cancel(1)
        harness.clock.time += 1
        context.progress(2, 2, "done")
        return ToolResult({"ok": True})

    harness.tool = report
    assert [message["method"] for message in harness.call(1, meta={"progressToken": 1})] == ["notifications/progress"]
    assert harness.clock.waits == []
