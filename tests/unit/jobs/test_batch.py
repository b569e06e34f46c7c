"""Many generations: order, independence, stopping, and a pool of its own."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kie_mcp.context import CallContext
from kie_mcp.errors import AuthError, CancelledError, InputError, KieMcpError, ServerError
from kie_mcp.jobs import BatchPlan
from kie_mcp.kie import TaskStatus


@pytest.fixture
def run(bench):
    """Run a batch of prompts (or of errors, or of requests).

    The waits of all items move one driven clock on, so that none may end by its own time-out.
    """

    def start(*asked, context=None, **plan):
        long = {"poll_timeout_seconds": 1e9}
        requests = [bench.request(one, **long) if isinstance(one, str) else one for one in asked]
        return bench.batches.run(requests, BatchPlan(**plan), context or bench.context())

    return start


@pytest.fixture
def refuse(client):
    """Let createTask fail for some prompts."""

    def choose(**errors):
        def look(body):
            if body["input"]["prompt"] in errors:
                raise errors[body["input"]["prompt"]]

        client.on_create = look

    return choose


def test_results_come_in_the_order_of_the_items(bench, run):
    prompts = [f"fox number {number}" for number in range(30)]
    results = run(*prompts)
    assert [bench.ledger.find(result.task_id).prompt for result in results] == prompts
    assert len({result.files[0].path for result in results}) == 30


def test_items_with_one_prompt_never_share_a_file(bench, run):
    results = run(*["a fox"] * 25)
    assert len({result.files[0].path for result in results}) == 25
    assert len(bench.files()) == 25


def test_one_failure_leaves_the_others_alone(run, refuse):
    refuse(bad=ServerError("Kie answered code 501"))
    results = run("a", "bad", "b")
    assert [isinstance(result, KieMcpError) for result in results] == [False, True, False]
    assert results[1].category == "server"


def test_an_item_that_could_not_be_read_stays_the_error_it_is(run, client):
    error = InputError("'prompt' is missing.")
    results = run("a", error, "b")
    assert results[1] is error
    assert len(client.calls["create"]) == 2


def test_an_item_that_the_model_cannot_do_fails_alone(bench, run):
    results = run("a", bench.request("b", aspect_ratio="7:1"), "c")
    assert [getattr(result, "category", "fine") for result in results] == ["fine", "input", "fine"]


def test_an_item_that_fails_unexpectedly_fails_alone_and_says_nothing_of_the_inside(run, refuse, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    refuse(bad=ZeroDivisionError("secret detail"))
    results = run("a", "bad", "b")
    assert (results[1].category, results[1].message) == ("internal", "Internal error.")
    assert [result.status for result in results[::2]] == ["success", "success"]
    assert "item 1 of a batch failed unexpectedly" in caplog.text


def test_with_continue_on_error_off_nothing_is_sent_after_the_first_error(run, refuse, client):
    refuse(bad=AuthError("The key was refused."))
    results = run("a", "bad", "b", "c", max_workers=1, continue_on_error=False)
    assert results[0].status == "success"
    assert results[1].category == "auth"
    assert [result.category for result in results[2:]] == ["cancelled", "cancelled"]
    assert "item 1 failed and continue_on_error is false" in results[2].message
    assert [body["input"]["prompt"] for body in client.calls["create"]] == ["a"]


def test_what_was_sent_before_the_first_error_is_finished(run, client, done):
    """Item 0 fails while item 1 is being made: item 1 is waited for and saved, item 2 is not sent."""
    sent, failed = threading.Event(), threading.Event()

    def look(body):
        if body["input"]["prompt"] == "bad":
            assert sent.wait(10)
            raise AuthError("The key was refused.")
        sent.set()

    client.on_create = look
    client.scripts["poll"] = [lambda: failed.wait(10) and done("task-2")]

    def listen(done, total, message):
        if "item 0: failed" in message:
            failed.set()

    context = CallContext(listener=listen)
    results = run("bad", "good", "late", context=context, max_workers=2, continue_on_error=False)
    assert results[0].category == "auth"
    assert len(results[1].files) == 1
    assert results[2].category == "cancelled"
    assert "Nothing was sent or billed" in results[2].next_step


def test_a_cancel_ends_the_whole_call_and_the_ledger_keeps_what_was_made(bench, run, client):
    context = bench.context()

    def cancel():
        context.cancel()
        return TaskStatus("task-1", "generating")

    client.scripts["poll"] = [cancel]
    with pytest.raises(CancelledError):
        run("a", "b", "c", context=context, max_workers=1)
    assert [(row.task_id, row.state) for row in bench.rows()] == [("task-1", "generating")]


def test_a_cancel_before_the_items_are_prepared_ends_the_call(bench, run):
    context = bench.context()
    context.cancel()
    with pytest.raises(CancelledError):
        run(bench.request("a", image_input=("task:t",)), context=context)


def test_a_batch_above_the_price_limit_sends_nothing(make_bench, client):
    bench = make_bench(max_credits_per_call=50)
    with pytest.raises(InputError, match="at least 54 credits"):
        bench.batches.run([bench.request("a")] * 3, BatchPlan(), bench.context())
    assert client.calls["create"] == []


def test_a_price_that_is_not_known_is_told_with_the_pictures(make_bench):
    bench = make_bench(max_credits_per_call=50)
    asked = [bench.request("a"), bench.request("b", model="brand-new/model"), InputError("bad")]
    results = bench.batches.run(asked, BatchPlan(), bench.context())
    assert all("price is not known" in result.warnings[-1] for result in results[:2])


def test_a_batch_that_must_let_go_hands_its_tasks_back(bench, run, client):
    client.scripts["poll"] = [TaskStatus("task-1", "generating") for _ in range(500)]
    sent = threading.Barrier(3)
    client.on_create = lambda _body: sent.wait(30)
    context = bench.context()
    context.deadline = 10.0
    results = run("a", "b", "c", context=context)
    assert {result.status for result in results} <= {"generating", "submitted"}
    assert {row.task_id for row in bench.rows()} == {"task-1", "task-2", "task-3"}


def test_at_the_end_of_the_call_nothing_is_sent_any_more(bench, run, client, clock):
    context = bench.context()
    context.deadline = 10.0
    client.on_create = lambda _body: setattr(clock, "time", 10.0)
    handed_back, *others = run("a", "b", "c", context=context, max_workers=1)
    assert handed_back.task_id == "task-1"
    assert [other.category for other in others] == ["cancelled", "cancelled"]
    assert all("Not sent" in other.message and "Nothing was sent or billed" in other.next_step for other in others)
    assert len(client.calls["create"]) == 1


def test_progress_counts_the_items_that_are_done(bench, run):
    told = []
    run("a", "b", context=bench.context(lambda *report: told.append(report)), max_workers=1)
    assert {total for _, total, _ in told} == {2}
    counts = [done for done, _, _ in told]
    assert counts == sorted(counts)
    assert counts[-1] == 2
    assert told[0][2] == "0 of 2 done; item 0: submitted as task task-1"
    assert "2 of 2 done; item 1: saved " in told[-1][2]


def test_a_task_that_is_handed_back_counts_as_done_with_its_state(bench, run):
    told = []
    run(bench.request("a", wait_for_result=False), context=bench.context(lambda *report: told.append(report)))
    assert told[-1][2] == "1 of 1 done; item 0: submitted"


def test_no_more_items_run_side_by_side_than_there_are_workers(run, client):
    lock, running, most = threading.Lock(), [0], [0]
    full = threading.Barrier(4, timeout=10)

    def enter(body):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        full.wait()  # four are here at once
        with lock:
            running[0] -= 1
        full.wait()

    client.on_create = enter
    run(*["a fox"] * 12, max_workers=4)
    assert most[0] == 4


def test_a_batch_in_a_full_pool_does_not_wait_for_itself(run):
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(run, "a", "b", "c") for _ in range(2)]
        assert [len(one.result(20)) for one in both] == [3, 3]


def test_an_empty_batch_has_no_results(run):
    assert run() == []


def test_with_continue_on_error_off_nothing_is_sent_where_an_item_is_wrong_from_the_start(run, client):
    wrong = InputError("wrong")
    results = run("a", wrong, "b", continue_on_error=False)
    assert results[1] is wrong
    assert all("item 1 failed" in results[index].message for index in (0, 2))
    assert client.calls["create"] == []


def test_a_bug_in_the_checks_of_one_item_takes_no_other_down(bench, run, monkeypatch):
    prepare = bench.generations.sources.check

    def check(pictures, context, **more):
        if pictures:
            raise ZeroDivisionError
        return prepare(pictures, context, **more)

    monkeypatch.setattr(bench.generations.sources, "check", check)
    good, bad = run("a", bench.request("b", image_input=("https://a.example/b.png",)))
    assert good.files
    assert (bad.category, bad.message) == ("internal", "Internal error.")
