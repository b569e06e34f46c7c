"""createTask, once: what is written down before and after it, and who is slowed down."""

from __future__ import annotations

import logging

import pytest

from kie_mcp.config import Rate
from kie_mcp.errors import (
    AuthError,
    CancelledError,
    ConfigError,
    NetworkError,
    RateLimitError,
    UnknownOutcomeError,
)
from kie_mcp.jobs.submitting import stopped
from kie_mcp.ledger import RateWindow


@pytest.fixture
def submit(bench):
    """Submit one request for a fox."""

    def run(context=None, **more):
        options = {name: more.pop(name) for name in ("window_until", "before_sending") if name in more}
        return bench.submitter.submit(bench.prepared(**more), (), context or bench.context(), **options)

    return run


def test_the_ledger_has_a_row_before_create_task_leaves(bench, client, submit):
    seen = []
    client.on_create = lambda body: seen.append((bench.rows(), body))
    submit(platform="linkedin", output_path=str(bench.config.output_dir / "fox.png"), output_format="png")
    ((rows, body),) = seen
    assert [(row.state, row.task_id, row.prompt, row.platform) for row in rows] == [
        ("submitting", None, "a fox", "linkedin")
    ]
    assert rows[0].output_path == str(bench.config.output_dir / "fox.png")
    assert (rows[0].output_format, rows[0].estimated_credits) == ("png", 18)
    assert body["model"] == "nano-banana-pro"


def test_the_task_id_is_written_down_before_anything_else_happens(bench, submit, monkeypatch):
    settle, seen = bench.window.settle, []

    def settling(ticket):
        seen.append(bench.rows()[0].task_id)
        settle(ticket)

    monkeypatch.setattr(bench.window, "settle", settling)
    assert submit() == "task-1"
    assert seen == ["task-1"]
    assert bench.rows()[0].state == "submitted"


def test_a_folder_that_was_asked_for_is_remembered_as_an_absolute_path(bench, submit):
    submit()
    assert bench.rows()[0].output_path == str(bench.config.output_dir)


def test_a_refusal_is_written_down_as_refused(bench, client, submit):
    client.scripts["create"] = [AuthError("The key was refused.", code=401)]
    with pytest.raises(AuthError):
        submit()
    (row,) = bench.rows()
    assert (row.state, row.task_id, row.error["category"]) == ("refused", None, "auth")


def test_an_unknown_outcome_is_written_down_as_such_and_sent_once(bench, client, submit):
    client.scripts["create"] = [UnknownOutcomeError("no answer")]
    with pytest.raises(UnknownOutcomeError):
        submit()
    (row,) = bench.rows()
    assert (row.state, row.error["category"]) == ("unknown_outcome", "unknown_outcome")
    assert len(client.calls["create"]) == 1


def test_a_bug_or_an_interrupt_while_sending_leaves_an_unknown_outcome(bench, client, submit):
    client.scripts["create"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        submit()
    assert bench.rows()[0].state == "unknown_outcome"


def test_too_many_requests_slow_down_and_the_task_is_sent_again(bench, clock, client, submit):
    client.scripts["create"] = [RateLimitError("429"), RateLimitError("429"), "made"]
    assert submit() == "made"
    assert clock.time == pytest.approx(1.5 + 3.0)
    assert [(row.state, row.task_id) for row in bench.rows()] == [("submitted", "made")]


def test_a_retry_after_is_honoured_up_to_a_minute(clock, client, submit):
    client.scripts["create"] = [RateLimitError("429", retry_after=7), RateLimitError("429", retry_after=900), "made"]
    submit()
    assert clock.time == pytest.approx(67.0)


def test_too_many_requests_slow_everyone_down_who_shares_the_window(bench, clock, client, submit):
    other = RateWindow(bench.documents, bench.config.rate_limit, clock)

    def refuse():
        raise RateLimitError("429", retry_after=30)

    client.scripts["create"] = [refuse]
    with pytest.raises(RateLimitError):
        submit(poll_timeout_seconds=5)
    assert clock.time == 0.0
    other.settle(other.acquire(bench.context()))
    assert clock.time == pytest.approx(30.0)


def test_others_that_cannot_be_told_of_too_many_requests_are_no_reason_to_give_up(
    bench, client, submit, monkeypatch, caplog
):
    def busy(*_):
        raise ConfigError("The file is busy.")

    monkeypatch.setattr(bench.window, "slow_down", busy)
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    client.scripts["create"] = [RateLimitError("429"), "made"]
    assert submit() == "made"
    assert "The file is busy." in caplog.text


def test_too_many_requests_for_longer_than_the_call_may_take_are_an_error(bench, clock, client, submit):
    client.scripts["create"] = [RateLimitError("429") for _ in range(50)]
    with pytest.raises(RateLimitError):
        submit(poll_timeout_seconds=60)
    assert 30 <= clock.time <= 60
    assert bench.rows()[0].state == "refused"


def test_a_call_that_must_let_go_earlier_does(bench, clock, client, submit):
    context = bench.context()
    context.deadline = 10.0
    client.scripts["create"] = [RateLimitError("429") for _ in range(50)]
    with pytest.raises(RateLimitError):
        submit(context)
    assert clock.time <= 10


def test_a_window_that_stays_full_for_longer_than_the_call_sends_nothing(make_bench, client):
    bench = make_bench(rate_limit=Rate(1, 100))
    bench.submitter.submit(bench.prepared(), (), bench.context())
    with pytest.raises(RateLimitError):
        bench.submitter.submit(bench.prepared(), (), bench.context(), window_until=50.0)
    assert len(client.calls["create"]) == 1
    assert len(bench.rows()) == 1


def test_a_cancel_while_create_task_is_under_way_keeps_the_id(bench, client, submit):
    context = bench.context()
    client.on_create = lambda body: context.cancel()
    assert submit(context) == "task-1"
    assert bench.ledger.find("task-1").state == "submitted"


def test_a_cancel_before_create_task_sends_nothing(bench, client, submit):
    context = bench.context()
    with pytest.raises(CancelledError):
        submit(context, before_sending=context.cancel)
    assert client.calls["create"] == []
    assert [row.state for row in bench.rows()] == ["refused"]


def test_a_stop_before_sending_sends_nothing_and_frees_the_window(make_bench, clock, client):
    bench = make_bench(rate_limit=Rate(1, 10))

    def stop():
        raise stopped("Not sent: the batch has stopped.")

    with pytest.raises(CancelledError) as caught:
        bench.submitter.submit(bench.prepared(), (), bench.context(), before_sending=stop)
    assert "Nothing was sent or billed" in caught.value.next_step
    assert client.calls["create"] == []
    assert bench.rows() == []
    bench.submitter.submit(bench.prepared(), (), bench.context())
    assert clock.time == pytest.approx(10.0)


def test_a_ledger_that_cannot_be_written_stops_the_task_before_it_is_sent(bench, client, submit, monkeypatch):
    def full(**_):
        raise ConfigError("The disk is full.")

    monkeypatch.setattr(bench.ledger, "begin", full)
    with pytest.raises(ConfigError):
        submit()
    assert client.calls["create"] == []


def test_a_task_id_is_passed_on_even_where_it_cannot_be_written_down(bench, submit, monkeypatch, caplog):
    def full(*_):
        raise ConfigError("The disk is full.")

    monkeypatch.setattr(bench.ledger, "accepted", full)
    monkeypatch.setattr(bench.window, "settle", full)
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    assert submit() == "task-1"
    assert "task task-1 was made but could not be written down" in caplog.text


def test_a_network_that_is_down_before_anything_was_sent_is_a_refusal(bench, client, submit):
    client.scripts["create"] = [NetworkError("no connection")]
    with pytest.raises(NetworkError):
        submit()
    assert bench.rows()[0].state == "refused"


def test_the_key_is_not_written_down_even_where_a_caller_puts_it_into_the_prompt(bench, submit):
    submit(prompt=f"a fox with {bench.config.api_key} on its fur")
    bench.database.close()
    stored = b"".join(file.read_bytes() for file in bench.config.state_path.rglob("*") if file.is_file())
    assert bench.config.api_key.encode() not in stored
