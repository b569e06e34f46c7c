"""Waiting for one task: what ends the wait, what does not, and what is remembered."""

from __future__ import annotations

import pytest

from kie_mcp.errors import (
    AuthError,
    CancelledError,
    InputError,
    NetworkError,
    RateLimitError,
    ServerError,
    TaskNotFoundError,
)
from kie_mcp.jobs.waiting import NoTurnError
from kie_mcp.jobs.watching import Watch, Watcher
from kie_mcp.kie import TaskStatus


@pytest.fixture
def watch():
    """A wait for task ``t`` that began now."""

    def make(seconds=300.0, *, interval=3.0, new=60.0):
        return Watch("t", "nano-banana-pro", since=0.0, until=seconds, interval=interval, new_until=new)

    return make


def state(word, **more):
    return TaskStatus("t", word, **more)


def missing():
    return TaskNotFoundError("Kie knows no task 't'.", code=422, task_id="t")


def test_a_wait_goes_through_the_states_and_ends_with_success(bench, client, watch, done):
    client.scripts["poll"] = [state("waiting"), state("queuing"), state("generating"), done("t")]
    told = []
    status = bench.watcher.wait(watch(), bench.context(lambda *report: told.append(report)))
    assert status.state == "success"
    assert [message.split(",")[0] for _, _, message in told] == ["waiting", "queuing", "generating"]
    assert [seconds for seconds, _, _ in told] == sorted(seconds for seconds, _, _ in told)


def test_every_poll_is_remembered_with_what_it_showed(bench, client, watch, done):
    client.scripts["poll"] = [state("generating"), done("t", "https://a/1.png", credits_consumed=18, seconds=42.5)]
    bench.watcher.wait(watch(), bench.context())
    row = bench.ledger.find("t")
    assert (row.state, row.image_urls, row.credits_consumed, row.seconds) == (
        "success",
        ("https://a/1.png",),
        18,
        42.5,
    )


def test_what_a_running_task_is_said_to_cost_is_not_remembered(bench, client, watch, done):
    client.scripts["poll"] = [state("waiting", credits_consumed=0.0), done("t", credits_consumed=None)]
    bench.watcher.wait(watch(), bench.context())
    assert bench.ledger.find("t").credits_consumed is None


def test_the_first_poll_waits_as_long_as_the_model_has_always_taken(bench, clock, client, watch):
    for number in range(3):
        task = bench.ledger.begin(model="nano-banana-pro", prompt="a", request={})
        bench.ledger.accepted(task, f"old-{number}")
        bench.ledger.observed(f"old-{number}", "success", seconds=2.5 + number)
    bench.watcher.wait(watch(), bench.context())
    assert clock.waits == [pytest.approx(2.0)]  # half a second less than the quickest, for Kie's times are rounded


def test_what_others_learn_of_the_model_meanwhile_counts_too(bench, clock, client, watch, done):
    def learn():
        for number in range(3):
            task = bench.ledger.begin(model="nano-banana-pro", prompt="a", request={})
            bench.ledger.accepted(task, f"old-{number}")
            bench.ledger.observed(f"old-{number}", "success", seconds=30.0)
        return state("generating")

    client.scripts["poll"] = [learn, state("generating"), done("t")]
    bench.watcher.wait(watch(), bench.context())
    assert clock.waits == [0.75, 3.0, 3.0]


def test_polls_that_queue_up_are_yielded_to_by_tasks_that_cannot_be_done_yet(bench, clock, client, watch, done):
    for number in range(3):
        task = bench.ledger.begin(model="nano-banana-pro", prompt="a", request={})
        bench.ledger.accepted(task, f"old-{number}")
        bench.ledger.observed(f"old-{number}", "success", seconds=60.0)
    client.scripts["poll"] = [state("generating"), done("t")]
    Watcher(client, bench.ledger, lambda: 4.0).wait(watch(), bench.context())
    assert clock.waits == [pytest.approx(7.0), pytest.approx(7.0)]


def test_a_slow_answer_does_not_put_the_next_poll_off(bench, clock, client, watch, done):
    def slow():
        clock.time += 2.0
        return state("generating")

    client.scripts["poll"] = [slow, done("t")]
    bench.watcher.wait(watch(), bench.context())
    assert clock.waits == [0.75, 0.0]  # the second poll was due while the first was under way


def test_a_new_task_may_be_unknown_for_a_while(bench, client, watch, done):
    client.scripts["poll"] = [missing(), missing(), done("t")]
    assert bench.watcher.wait(watch(), bench.context()).state == "success"


def test_a_task_that_stays_unknown_after_the_grace_is_an_error_with_its_id(bench, clock, client, watch):
    client.scripts["poll"] = [missing() for _ in range(100)]
    with pytest.raises(TaskNotFoundError) as caught:
        bench.watcher.wait(watch(), bench.context())
    assert caught.value.task_id == "t"
    assert 60 <= clock.time <= 63


def test_an_unknown_state_is_not_the_end(bench, client, watch, done):
    client.scripts["poll"] = [state("unknown"), state("unknown"), done("t")]
    assert bench.watcher.wait(watch(), bench.context()).state == "success"


@pytest.mark.parametrize(
    "error",
    [NetworkError("broken"), RateLimitError("too many"), ServerError("busy")],
    ids=lambda error: error.category,
)
def test_a_poll_that_fails_in_passing_does_not_end_the_wait(bench, client, watch, done, error):
    client.scripts["poll"] = [state("generating"), error, error, done("t")]
    assert bench.watcher.wait(watch(), bench.context()).state == "success"


def test_a_pause_that_kie_asks_for_is_kept(bench, clock, client, watch, done):
    client.scripts["poll"] = [
        RateLimitError("too many", retry_after=20),
        ServerError("busy", retry_after=999),
        done("t"),
    ]
    bench.watcher.wait(watch(), bench.context())
    assert clock.waits == [0.75, 20.0, 60.0]


def test_the_last_known_state_is_told_while_polls_fail(bench, client, watch):
    client.scripts["poll"] = [state("generating"), *[NetworkError("broken") for _ in range(50)]]
    assert bench.watcher.wait(watch(seconds=20), bench.context()).state == "generating"


@pytest.mark.parametrize(
    "error",
    [
        AuthError("The key was refused."),
        InputError("bad", code=400),
        ServerError("no way back", retryable=False),
        NetworkError("certificate", retryable=False),
    ],
    ids=lambda error: error.category,
)
def test_a_refusal_ends_the_wait_and_names_the_task(bench, client, watch, error):
    client.scripts["poll"] = [state("waiting"), error]
    with pytest.raises(type(error)) as caught:
        bench.watcher.wait(watch(), bench.context())
    assert caught.value.task_id == "t"


def test_a_wait_that_times_out_tells_where_the_task_is(bench, clock, client, watch):
    client.scripts["poll"] = [state("generating") for _ in range(100)]
    status = bench.watcher.wait(watch(seconds=25.0), bench.context())
    assert status.state == "generating"
    assert clock.time == pytest.approx(25.0)
    assert bench.ledger.find("t").state == "generating"


def test_after_the_deadline_there_is_no_poll_but_the_one_under_way_and_that_is_short(bench, clock, client, watch):
    client.scripts["poll"] = [state("generating") for _ in range(100)]
    asked = []
    answer = client.get_task

    def asking(task_id, context, *, once):
        asked.append((clock.time, context.deadline, once))
        return answer(task_id, context, once=once)

    client.get_task = asking
    bench.watcher.wait(watch(seconds=25.0), bench.context())
    assert [time for time, _, _ in asked if time >= 25.0] == [25.0]
    assert {deadline for _, deadline, _ in asked} == {25.0}
    assert all(once for _, _, once in asked)


@pytest.fixture
def known(bench):
    """A function that puts task ``t`` into the ledger, as it was seen before."""

    def put(word, **more):
        bench.ledger.accepted(bench.ledger.begin(model="nano-banana-pro", prompt="a", request={}), "t")
        bench.ledger.observed("t", word, **more)

    return put


@pytest.fixture
def no_turns(clock, client):
    """No poll has its turn any more: each waits until its deadline."""

    def wait(_task_id, context, **_):
        clock.time = context.deadline
        raise NoTurnError("So many tasks.")

    client.get_task = wait


@pytest.mark.usefixtures("no_turns")
def test_a_wait_in_which_no_poll_has_its_turn_ends_in_time_and_tells_what_the_ledger_knows(bench, clock, watch, known):
    known("generating")
    assert bench.watcher.wait(watch(seconds=25.0), bench.context()).state == "generating"
    assert clock.time == pytest.approx(25.0)


@pytest.mark.usefixtures("no_turns")
def test_a_look_that_has_no_turn_by_the_deadline_tells_what_the_ledger_knows(bench, clock, known):
    known("success", image_urls=["https://a/1.png"], seconds=12.0, credits_consumed=18.0)
    context = bench.context()
    context.deadline = 3.0
    assert bench.watcher.look("t", context) == state(
        "success", model="nano-banana-pro", image_urls=("https://a/1.png",), seconds=12.0, credits_consumed=18.0
    )
    assert clock.time == pytest.approx(3.0)


def test_a_task_that_kie_did_not_know_is_unknown_where_it_has_no_turn(bench, clock):
    bench.ledger.adopt("t")
    bench.ledger.missing("t")
    clock.time += 3600
    bench.ledger.missing("t")
    assert bench.ledger.find("t").state == "not_found"
    assert bench.watcher._known("t").state == "unknown"


@pytest.mark.usefixtures("no_turns")
def test_nobody_knows_a_task_that_is_not_in_the_ledger_and_has_no_turn(bench):
    context = bench.context()
    context.deadline = 3.0
    assert bench.watcher.look("t", context).state == "unknown"


def test_a_wait_shorter_than_the_backlog_polls_all_the_same_where_it_has_its_turn(bench, client, done):
    client.scripts["poll"] = [done("t")]
    watch = Watch("t", None, since=0.0, until=10.0, interval=3.0, at_once=True)
    assert Watcher(client, bench.ledger, lambda: 100.0).wait(watch, bench.context()).state == "success"


def test_a_poll_that_fails_after_others_have_seen_the_end_takes_nothing_back(bench, client, known):
    known("success", image_urls=["https://a/1.png"])
    client.scripts["poll"] = [NetworkError("broken")]
    watch = Watch("t", None, since=0.0, until=10.0, interval=3.0, at_once=True)
    status = bench.watcher.wait(watch, bench.context())
    assert (status.state, status.image_urls) == ("success", ("https://a/1.png",))


def test_a_wait_without_time_asks_nothing(bench, client, watch, known):
    known("queuing")
    assert bench.watcher.wait(watch(seconds=0), bench.context()).state == "queuing"
    assert client.calls["poll"] == []


def test_a_cancelled_wait_ends_without_another_poll(bench, clock, client, watch):
    client.scripts["poll"] = [state("generating") for _ in range(100)]
    context = bench.context()
    clock.on_wait = lambda: context.cancel() if len(clock.waits) == 3 else None
    with pytest.raises(CancelledError):
        bench.watcher.wait(watch(), context)
    assert len(client.calls["poll"]) == 2


def test_a_failure_is_remembered_with_its_reason(bench, client, watch):
    client.scripts["poll"] = [state("fail", fail_code="422", fail_message="prohibited content")]
    assert bench.watcher.wait(watch(), bench.context()).state == "fail"
    row = bench.ledger.find("t")
    assert row.state == "fail"
    assert row.error["category"] == "task_failed"
    assert "prohibited content" in row.error["message"]


def test_a_failure_without_words_says_so(bench, client, watch):
    client.scripts["poll"] = [state("fail")]
    bench.watcher.wait(watch(), bench.context())
    assert bench.ledger.find("t").error["message"].endswith("no reason given")


def test_a_look_asks_once_and_remembers(bench, client):
    client.scripts["poll"] = [state("queuing")]
    assert bench.watcher.look("t", bench.context()).state == "queuing"
    assert bench.ledger.find("t").state == "queuing"


def test_a_look_at_a_new_task_that_is_not_visible_yet_says_submitted(bench, client):
    client.scripts["poll"] = [missing()]
    assert bench.watcher.look("t", bench.context(), new=True).state == "submitted"


def test_a_look_at_a_task_that_nobody_knows_is_an_error(bench, client):
    client.scripts["poll"] = [missing()]
    with pytest.raises(TaskNotFoundError):
        bench.watcher.look("t", bench.context())


def test_a_wait_for_a_task_of_an_unknown_model_works_too(bench, done, client):
    watch = Watch("t", None, since=0.0, until=10.0, interval=3.0)
    assert bench.watcher.wait(watch, bench.context()).state == "success"
