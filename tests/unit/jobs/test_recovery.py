"""Collecting what nobody waits for."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.errors import AuthError, CancelledError, NetworkError, OutputError, TaskNotFoundError
from kie_mcp.jobs.model import SavePlan
from kie_mcp.jobs.recovery import CATCH_UP_SECONDS
from kie_mcp.kie import TaskStatus


@pytest.fixture
def orphan(bench):
    """A function that leaves a task behind, made by a process that is dead."""

    def make(task_id, state=None, **observed):
        number = bench.ledger.begin(
            model="z-image", prompt=f"a fox {task_id}", request={}, output_path=bench.config.output_dir
        )
        if task_id:
            bench.ledger.accepted(number, task_id)
        if state:
            bench.ledger.observed(task_id, state, **observed)
        with bench.database.write() as connection:
            connection.execute("UPDATE tasks SET owner = 'dead' WHERE number = ?", (number,))

    return make


@pytest.fixture
def catch_up(bench):
    return lambda context=None: bench.recovery.catch_up(context or bench.context())


def test_the_pictures_of_the_dead_are_saved_and_told_of_once(bench, orphan, catch_up):
    orphan("t1")
    orphan("t2", "generating")
    catch_up()
    assert len(bench.files()) == 2
    news = {entry.task_id: entry for entry in bench.recovery.news()}
    assert set(news) == {"t1", "t2"}
    assert (news["t1"].status, news["t1"].prompt, news["t1"].error) == ("success", "a fox t1", None)
    assert news["t1"].paths == tuple(file.path for file in bench.ledger.find("t1").files)
    assert bench.recovery.news() == []


def test_the_tasks_of_this_process_are_left_to_its_calls(bench, catch_up):
    bench.ledger.accepted(bench.ledger.begin(model="m", prompt="p", request={}), "mine")
    catch_up()
    assert bench.client.calls["poll"] == []


def test_without_a_key_kie_is_not_asked(make_bench, orphan, bench):
    orphan("t1")
    other = make_bench(api_key=None)
    other.recovery.catch_up(other.context())
    assert bench.client.calls["poll"] == []
    assert other.recovery.news() == []


def test_a_task_that_was_being_sent_is_told_of_as_unknown(bench, orphan, catch_up):
    orphan(None)
    catch_up()
    (row,) = bench.rows()
    assert row.state == "unknown_outcome"
    assert row.error["category"] == "unknown_outcome"
    assert "list_visual_tasks" in row.error["next_step"] or "kie.ai/logs" in row.error["next_step"]


def test_a_task_that_goes_on_is_looked_at_again_later(bench, orphan, catch_up, client, clock):
    orphan("t1")
    clock.time += 60
    client.scripts["poll"] = [TaskStatus("t1", "generating")]
    catch_up()
    assert bench.recovery.news() == []
    bench.recovery.collect_due(bench.context())
    assert len(client.calls["poll"]) == 1
    clock.time += 3
    bench.recovery.collect_due(bench.context())
    assert [entry.task_id for entry in bench.recovery.news()] == ["t1"]


def test_a_task_that_failed_is_told_of_with_its_reason(bench, orphan, catch_up, client):
    orphan("t1")
    client.scripts["poll"] = [TaskStatus("t1", "fail", fail_code="500", fail_message="too dark")]
    catch_up()
    (entry,) = bench.recovery.news()
    assert (entry.status, entry.paths) == ("fail", ())
    assert "too dark" in entry.error
    catch_up()
    assert len(client.calls["poll"]) == 1


def test_a_failure_in_passing_is_tried_again_after_a_while(bench, orphan, catch_up, downloads, clock, done):
    orphan("t1")
    link = done("t1").image_urls[0]
    downloads.answers = {link: NetworkError("the connection broke")}
    catch_up()
    assert bench.recovery.news() == []
    downloads.answers = {}
    bench.recovery.collect_due(bench.context())
    assert bench.files() == []
    clock.time += 30
    bench.recovery.collect_due(bench.context())
    assert len(bench.files()) == 1


@pytest.mark.parametrize("error", [AuthError("the key was refused"), OutputError("the folder is gone")])
def test_a_failure_that_stays_is_told_of_and_left(bench, orphan, catch_up, client, clock, error):
    orphan("t1", "generating")
    client.scripts["poll"] = [error]
    catch_up()
    (entry,) = bench.recovery.news()
    assert (entry.status, entry.error) == ("generating", error.message)
    clock.time += 10_000
    bench.recovery.collect_due(bench.context())
    assert len(client.calls["poll"]) == 1


def test_a_task_that_kie_does_not_know_is_left_and_noted(bench, orphan, catch_up, client, clock):
    orphan("t1", "generating")
    clock.time += 7200
    client.scripts["poll"] = [TaskNotFoundError("no such task"), TaskNotFoundError("no such task")]
    catch_up()
    assert bench.recovery.news() == []
    assert bench.ledger.find("t1").state == "generating"
    clock.time += 3600
    with pytest.raises(TaskNotFoundError):
        bench.generations.collect("t1", bench.context())
    assert bench.ledger.find("t1").state == "not_found"


def test_a_very_old_task_is_looked_at_once(bench, orphan, catch_up, client, clock):
    orphan("t1")
    clock.time += 100_000
    client.scripts["poll"] = [TaskStatus("t1", "generating")]
    catch_up()
    clock.time += 100_000
    bench.recovery.collect_due(bench.context())
    assert len(client.calls["poll"]) == 1


def test_a_cancelled_call_leaves_the_rest_for_the_next(bench, orphan, catch_up, client):
    orphan("t1")
    context = bench.context()

    def cancelled():
        context.cancel()
        context.raise_if_cancelled()

    client.scripts["poll"] = [cancelled]
    with pytest.raises(CancelledError):
        catch_up(context)
    bench.recovery.collect_due(bench.context())
    assert len(bench.files()) == 1


def test_a_call_catches_up_no_longer_than_it_may(bench, orphan, clock, client):
    orphan("t1")
    limits = []
    bench.downloads.fetch = lambda url, receive, context: limits.append(context.remaining()) or receive(iter([]))
    bench.recovery.catch_up(bench.context())
    assert limits == [CATCH_UP_SECONDS]


def test_a_picture_that_was_being_placed_gets_its_name_without_kie(bench, orphan, catch_up, client, png):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    folder = bench.config.output_dir
    folder.mkdir()
    (folder / ".kie-mcp-1.part").write_bytes(png)
    note = {"index": 0, "part": str(folder / ".kie-mcp-1.part"), "stem": "fox", "path": str(folder / "fox.png")}
    leave_note(bench, {**note, "mime_type": "image/png", "bytes": len(png), "width": 40, "height": 30})
    catch_up()
    assert bench.files() == ["fox.png"]
    assert [file.path for file in bench.ledger.find("t1").files] == [str(folder / "fox.png")]
    assert client.calls["poll"] == []


def test_a_picture_that_was_under_way_is_removed_and_fetched_anew(bench, orphan, catch_up, png):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    folder = bench.config.output_dir
    folder.mkdir()
    (folder / ".kie-mcp-1.part").write_bytes(png[:50])
    leave_note(bench, {"index": 0, "part": str(folder / ".kie-mcp-1.part")})
    catch_up()
    assert len(bench.files()) == 1
    assert bench.files()[0].endswith(".png")
    assert bench.ledger.find("t1").saving is None


def test_a_picture_that_cannot_be_placed_does_not_stop_the_rest(bench, orphan, catch_up, monkeypatch):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    leave_note(bench, {"index": 0, "part": "/nowhere/1.part"})
    orphan("t2")

    def refuse(task_id, context):
        raise OutputError("read-only")

    monkeypatch.setattr(bench.saver, "settle", refuse)
    catch_up()
    assert {entry.task_id for entry in bench.recovery.news()} == {"t1", "t2"}


def leave_note(bench, note):
    custody = bench.custody
    assert custody.journal("t1", "dead:a call", note)


def test_what_somebody_else_is_saving_is_not_settled(bench, orphan):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    leave_note(bench, {"index": 0, "part": "/nowhere/1.part"})
    assert bench.custody.claim("t1", bench.custody.claimant_name("another call"))
    bench.saver.settle("t1", bench.context())
    assert bench.ledger.find("t1").saving is not None


def test_a_call_that_lets_go_has_its_task_collected(bench, client, clock):
    client.scripts["poll"] = [TaskStatus("task-1", "generating")] * 200
    outcome = bench.generations.run(bench.prepared(poll_timeout_seconds=10), bench.context())
    assert not outcome.finished
    client.scripts["poll"] = []
    bench.recovery.collect_due(bench.context())
    assert len(bench.files()) == 1
    assert [entry.task_id for entry in bench.recovery.news()] == ["task-1"]


def test_a_cancelled_call_has_its_task_collected(bench, client):
    context = bench.context()
    client.on_create = lambda _body: context.cancel()
    with pytest.raises(CancelledError):
        bench.generations.run(bench.prepared(), context)
    bench.recovery.collect_due(bench.context())
    assert len(bench.files()) == 1


def test_a_task_that_nobody_fetches_is_collected_after_a_while(bench, clock):
    bench.generations.run(bench.prepared(wait_for_result=False), bench.context())
    clock.time += 599
    bench.recovery.collect_due(bench.context())
    assert not bench.config.output_dir.exists() or bench.files() == []
    clock.time += 1
    bench.recovery.collect_due(bench.context())
    assert len(bench.files()) == 1


def test_what_a_call_has_fetched_meanwhile_is_no_news(bench, clock):
    bench.generations.run(bench.prepared(wait_for_result=False), bench.context())
    bench.generations.collect("task-1", bench.context())
    clock.time += 600
    bench.recovery.collect_due(bench.context())
    assert bench.recovery.news() == []
    assert len(bench.files()) == 1


def test_in_the_background_everything_is_collected_as_it_ends(bench, orphan, clock):
    """On its own thread; the driven clock lets it run as fast as it can."""
    told = threading.Event()
    tell = bench.recovery._tell
    bench.recovery._tell = lambda news: (tell(news), told.set())
    waiting = threading.Event()
    wait = clock.wait
    clock.wait = lambda event, seconds: event.wait(60) if seconds > 1e6 else wait(event, seconds) or waiting.set()
    orphan("t1")
    bench.recovery.start()
    assert told.wait(30)
    told.clear()
    bench.generations.run(bench.prepared("a hare", wait_for_result=False), bench.context())
    bench.unattended.add("task-1")
    assert told.wait(30)
    bench.recovery.close()
    assert [entry.task_id for entry in bench.recovery.news()] == ["t1", "task-1"]


def test_a_bug_with_one_task_does_not_end_the_collecting(bench, orphan, clock, caplog):
    found = bench.ledger.find
    told = threading.Event()
    tell = bench.recovery._tell
    bench.recovery._tell = lambda news: (tell(news), told.set())
    clock.wait = lambda event, seconds: event.wait(60) if seconds > 1e6 else event.is_set()
    failed = []

    def fail_once(task_id):
        if not failed:
            failed.append(task_id)
            bench.unattended.add(task_id)
            raise RuntimeError("a bug")
        return found(task_id)

    bench.ledger.find = fail_once
    orphan("t1")
    bench.recovery.start()
    assert told.wait(30)
    bench.recovery.close()
    assert failed == ["t1"]
    assert "failed unexpectedly" in caplog.text


def test_a_saver_that_was_taken_for_dead_does_not_save_twice(bench, done, downloads, png, clock):
    """It was suspended for longer than a claim lasts, and another process has saved the picture meanwhile."""
    status = done("t", "https://result.example/1.png")
    bench.ledger.observed("t", "success", image_urls=status.image_urls)
    plan = SavePlan(bench.outputs.target(None), "a fox")

    def suspended(url, receive, context):
        del downloads.fetch

        def chunks():
            yield png[:100]
            clock.time += 500
            assert bench.custody.claim("t", bench.custody.claimant_name("the other"))
            bench.saver.settle("t", bench.context())
            yield png[100:]

        return receive(chunks())

    downloads.fetch = suspended
    with pytest.raises(OutputError, match="Another call is saving") as caught:
        bench.saver.save(status, plan, bench.context())
    assert caught.value.retryable
    assert bench.files() == []
