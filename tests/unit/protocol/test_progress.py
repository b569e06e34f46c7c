"""Progress: only with a token, increasing, not too often, none at or after the result."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest

from kie_mcp.clock import Clock
from kie_mcp.protocol.outlets import Outlets
from kie_mcp.protocol.progress import ProgressReporter
from kie_mcp.protocol.revisions import HANDSHAKE, LATEST_HANDSHAKE
from kie_mcp.protocol.server import Server
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


def test_what_came_too_soon_to_be_told_is_told_before_the_result_if_it_was_the_last(clock):
    reports = Reports(clock)
    for message in ("success, 2 s", "saving", "saved fox.png"):
        reports.reporter.report(2, None, message)
    assert [sent["params"]["message"] for sent in reports.sent] == ["success, 2 s"]
    reports.reporter.close()
    assert [sent["params"]["message"] for sent in reports.sent] == ["success, 2 s", "saved fox.png"]
    assert reports.sent[0]["params"]["progress"] < reports.sent[1]["params"]["progress"]
    assert clock.waits == [pytest.approx(0.05)]


def test_what_was_told_is_not_told_again_before_the_result(clock):
    reports = Reports(clock)
    reports.report(2, None, "success, 2 s")
    reports.reporter.close()
    assert len(reports.sent) == 1


def test_close_does_not_wait_where_nothing_was_sent_lately(clock):
    Reports(clock).reporter.close()
    reports = Reports(clock)
    reports.report(1)
    clock.time += 0.06
    reports.reporter.close()
    assert clock.waits == []


def test_small_steps_never_reach_the_next_item(clock):
    reports = Reports(clock)
    values = [reports.report(1, 1000)["progress"] for _ in range(20_000)]
    assert values == sorted(set(values))
    assert values[-1] < 2
    assert reports.report(2, 1000)["progress"] == 2


@pytest.mark.parametrize("total", [3, 2.5])
def test_small_steps_towards_the_last_item_never_reach_the_total(clock, total):
    reports = Reports(clock)
    values = [reports.report(2, total)["progress"] for _ in range(20_000)]
    assert values == sorted(set(values))
    assert values[-1] < total


def test_the_progress_of_a_long_batch_is_less_than_an_item_ahead(clock):
    reports = Reports(clock)
    for number in range(4000):
        done = number // 5
        assert done <= reports.report(done, 1000)["progress"] < done + 1


def test_reports_that_overtake_each_other_go_forward_by_less_than_an_item(clock):
    reports = Reports(clock)
    values = [reports.report(done, 9)["progress"] for done in (3, 2, 1, 3, 0)]
    assert values == sorted(set(values))
    assert (values[0], values[-1] < 4) == (3, True)


# while a call does something that reports nothing


def keep_alive(reports, clock, seconds):
    """Keep the progress alive for that long."""
    end = clock.time + seconds
    clock.on_wait = lambda: clock.time < end or reports.reporter.silence()
    reports.reporter.keep_alive()


def test_a_silent_call_says_every_five_seconds_again_what_was_last_reported(clock):
    reports = Reports(clock)
    reports.report(7, None, "generating")
    keep_alive(reports, clock, 23)
    assert clock.waits == [5] * 5
    told = [message["params"] for message in reports.sent]
    assert [params["message"] for params in told] == ["generating"] * 5
    assert [params["progress"] for params in told] == sorted({params["progress"] for params in told})
    assert told[-1]["progress"] < 7.1


def test_a_call_that_has_reported_nothing_yet_is_heard_of_too(clock):
    reports = Reports(clock)
    keep_alive(reports, clock, 14)
    assert [message["params"] for message in reports.sent] == [
        {"progressToken": 0, "progress": 0, "message": "waiting"},
        {"progressToken": 0, "progress": pytest.approx(0.01), "message": "waiting"},
    ]


def test_the_five_seconds_begin_with_the_last_notification(clock):
    reports = Reports(clock)
    clock.time += 3
    reports.reporter.report(1, 4, "one")
    clock.time -= 3  # so that this happens in the midst of the first wait
    keep_alive(reports, clock, 9)
    assert clock.waits == [5, 3, 5]
    assert len(reports.sent) == 2


def test_nothing_is_added_where_a_call_reports_by_itself(clock):
    reports = Reports(clock)

    def report_until_the_end():
        reports.report(len(reports.sent))
        if len(reports.sent) == 20:
            reports.reporter.silence()

    clock.on_wait = report_until_the_end
    reports.reporter.keep_alive()
    assert [message["params"]["progress"] for message in reports.sent] == list(range(20))


def test_the_latest_report_is_said_again_even_if_it_came_too_soon_after_another(clock):
    reports = Reports(clock)
    reports.report(1, 4, "first")
    reports.reporter.report(2, 4, "second")
    keep_alive(reports, clock, 9)
    assert [message["params"]["message"] for message in reports.sent] == ["first", "second"]


def test_at_the_total_there_is_nothing_left_to_say_and_it_is_not_tried_without_pause(clock):
    reports = Reports(clock)
    reports.report(4, 4)
    keep_alive(reports, clock, 60)
    assert len(reports.sent) == 1
    assert clock.waits == [5] * 12


@pytest.mark.parametrize("end", [ProgressReporter.close, ProgressReporter.silence])
def test_a_progress_that_has_ended_is_kept_alive_no_longer(clock, end):
    reports = Reports(clock)
    end(reports.reporter)
    reports.reporter.keep_alive()
    assert reports.sent == []


def test_a_call_is_heard_of_from_its_request_to_its_answer(harness):
    harness.start(1, meta={"progressToken": "t"})
    (keep_alive,) = harness.beside
    end = harness.clock.time + 60
    harness.clock.on_wait = lambda: harness.clock.time < end or harness.run()
    keep_alive()
    told = [json.loads(line) for line in harness.lines]
    assert [message.get("method") for message in told] == ["notifications/progress"] * 11 + [None]
    assert {message["params"]["message"] for message in told[:-1]} == {"waiting"}


def test_a_cancelled_call_is_heard_of_no_more(harness):
    harness.start(1, meta={"progressToken": "t"})
    (keep_alive,) = harness.beside
    end = harness.clock.time + 14
    harness.clock.on_wait = lambda: harness.clock.time < end or harness.cancel(1)
    keep_alive()
    harness.run()
    assert len(harness.lines) == 2


def test_nothing_goes_on_beside_a_call_without_a_token(harness):
    harness.call(1)
    assert harness.beside == []


def test_a_call_that_cannot_be_run_is_not_heard_of(harness):
    def refuse(_):
        raise RuntimeError

    harness.spawn = refuse
    (answer,) = harness.start(1, meta={"progressToken": 1})
    assert answer["error"]["code"] == -32603
    (keep_alive,) = harness.beside
    keep_alive()
    assert len(harness.lines) == 1


def test_a_result_that_cannot_be_told_is_an_internal_error_and_ends_the_progress(harness, monkeypatch):
    def refuse(*_):
        raise RuntimeError

    monkeypatch.setattr("kie_mcp.protocol.tool_calls.complete", refuse)
    harness.start(1, meta={"progressToken": 1})
    (answer,) = harness.run()
    assert answer["error"] == {"code": -32603, "message": "Internal error"}
    assert len(harness.internal_errors) == 2  # of the result, and of the error in its place
    (keep_alive,) = harness.beside
    keep_alive()
    assert len(harness.lines) == 1


class FastClock(Clock):
    """A hundred times as fast as the system's."""

    def monotonic(self):
        return super().monotonic() * 100

    def wait(self, event, seconds):
        return super().wait(event, seconds / 100)


def test_a_call_that_blocks_is_heard_of_from_a_thread_that_ends_with_it():
    heard = threading.Semaphore(0)
    lines, running = [], []

    def send(line):
        lines.append(json.loads(line))
        heard.release()

    def block(*_):
        running.extend(_progress_threads())
        assert all(heard.acquire(timeout=30) for _ in range(3))
        return ToolResult({"ok": True})

    outlets = Outlets(
        call_tool=block,
        answer=lambda *_: {},
        send_line=send,
        spawn=lambda job: job(),
        spawn_feature=lambda job: job(),
        clock=FastClock(),
        on_internal_error=lambda error: pytest.fail(str(error)),
        clients=list,
    )
    server = Server(lambda: [SimpleNamespace(name="block")], outlets)
    params = {"name": "block", "_meta": {"progressToken": 1}}
    server.receive(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode())
    (thread,) = running
    thread.join(30)
    assert not thread.is_alive()
    assert [message.get("method") for message in lines[:3]] == ["notifications/progress"] * 3
    assert [message.get("id") for message in lines[-2:]] == [None, 1]


def _progress_threads():
    return [thread for thread in threading.enumerate() if thread.name == "progress"]


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
