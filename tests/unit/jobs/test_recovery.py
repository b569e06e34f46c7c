"""Collecting what nobody waits for."""

from __future__ import annotations

import threading

import pytest

from kie_mcp.context import CallContext
from kie_mcp.errors import AuthError, CancelledError, ConfigError, NetworkError, OutputError, TaskNotFoundError
from kie_mcp.jobs.model import SavePlan
from kie_mcp.jobs.recovery import CATCH_UP_SECONDS, MOST_NEWS, News
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
def collect_due(bench):
    """Look once at everything that is due, on this thread."""

    def run():
        due = []
        while (task_id := bench.unattended.take_due()) is not None:
            due.append(task_id)
        for task_id in due:
            bench.recovery.attend(task_id)

    return run


@pytest.fixture
def catch_up(bench, collect_due):
    """Take over, and look once at everything that was taken."""

    def run():
        bench.recovery.take_over()
        collect_due()

    return run


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
    assert other.recovery.take_over() == []
    assert bench.client.calls["poll"] == []
    assert other.recovery.news() == []


def test_a_task_that_was_being_sent_is_told_of_as_unknown(bench, orphan, catch_up):
    orphan(None)
    catch_up()
    (row,) = bench.rows()
    assert row.state == "unknown_outcome"
    assert row.error["category"] == "unknown_outcome"
    assert "list_visual_tasks" in row.error["next_step"] or "kie.ai/logs" in row.error["next_step"]


def test_a_task_that_goes_on_is_looked_at_again_later(bench, orphan, catch_up, client, clock, collect_due):
    orphan("t1")
    clock.time += 60
    client.scripts["poll"] = [TaskStatus("t1", "generating")]
    catch_up()
    assert bench.recovery.news() == []
    collect_due()
    assert len(client.calls["poll"]) == 1
    clock.time += 3
    collect_due()
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


def test_a_failure_in_passing_is_tried_again_after_a_while(
    bench, orphan, catch_up, downloads, clock, done, collect_due
):
    orphan("t1")
    link = done("t1").image_urls[0]
    downloads.answers = {link: NetworkError("the connection broke")}
    catch_up()
    assert bench.recovery.news() == []
    downloads.answers = {}
    collect_due()
    assert bench.files() == []
    clock.time += 30
    collect_due()
    assert len(bench.files()) == 1


@pytest.mark.parametrize("error", [AuthError("the key was refused"), OutputError("the folder is gone")])
def test_a_failure_that_stays_is_told_of_and_left(bench, orphan, catch_up, client, clock, error, collect_due):
    orphan("t1", "generating")
    client.scripts["poll"] = [error]
    catch_up()
    (entry,) = bench.recovery.news()
    assert (entry.status, entry.error) == ("generating", error.message)
    clock.time += 10_000
    collect_due()
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


def test_a_very_old_task_is_left_to_whoever_names_it(orphan, catch_up, client, clock):
    orphan("t1")
    clock.time += 100_000
    catch_up()
    assert client.calls["poll"] == []


def test_a_picture_that_was_being_placed_gets_its_name_without_kie(bench, orphan, catch_up, client, png):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    folder = bench.config.output_dir
    folder.mkdir()
    (folder / ".kie-mcp-0123456789abcdef.part").write_bytes(png)
    note = {
        "index": 0,
        "part": str(folder / ".kie-mcp-0123456789abcdef.part"),
        "stem": "fox",
        "path": str(folder / "fox.png"),
    }
    leave_note(bench, {**note, "mime_type": "image/png", "bytes": len(png), "width": 40, "height": 30})
    catch_up()
    assert bench.files() == ["fox.png"]
    assert [file.path for file in bench.ledger.find("t1").files] == [str(folder / "fox.png")]
    assert client.calls["poll"] == []


def test_a_picture_that_was_under_way_is_removed_and_fetched_anew(bench, orphan, catch_up, png):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    folder = bench.config.output_dir
    folder.mkdir()
    (folder / ".kie-mcp-0123456789abcdef.part").write_bytes(png[:50])
    leave_note(bench, {"index": 0, "part": str(folder / ".kie-mcp-0123456789abcdef.part")})
    catch_up()
    assert len(bench.files()) == 1
    assert bench.files()[0].endswith(".png")
    assert bench.ledger.find("t1").saving is None


def test_a_picture_that_cannot_be_placed_does_not_stop_the_rest(bench, orphan, catch_up, monkeypatch):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    leave_note(bench, {"index": 0, "part": "/nowhere/.kie-mcp-0123456789abcdef.part"})
    orphan("t2")

    def refuse(task_id, context):
        raise OutputError("read-only")

    monkeypatch.setattr(bench.saver, "settle", refuse)
    catch_up()
    assert {entry.task_id for entry in bench.recovery.news()} == {"t1", "t2"}


def leave_note(bench, note):
    assert bench.custody.claim("t1", "dead:a call")
    assert bench.custody.journal("t1", "dead:a call", note)


def test_what_somebody_else_is_saving_is_not_settled(bench, orphan):
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    leave_note(bench, {"index": 0, "part": "/nowhere/.kie-mcp-0123456789abcdef.part"})
    assert bench.custody.claim("t1", bench.custody.claimant_name("another call"))
    bench.saver.settle("t1", bench.context())
    assert bench.ledger.find("t1").saving is not None


def test_a_call_that_lets_go_has_its_task_collected(bench, client, clock, collect_due):
    client.scripts["poll"] = [TaskStatus("task-1", "generating")] * 200
    outcome = bench.generations.run(bench.prepared(poll_timeout_seconds=10), bench.context())
    assert not outcome.finished
    client.scripts["poll"] = []
    collect_due()
    assert len(bench.files()) == 1
    assert [entry.task_id for entry in bench.recovery.news()] == ["task-1"]


def test_a_cancelled_call_has_its_task_collected(bench, client, collect_due):
    context = bench.context()
    client.on_create = lambda _body: context.cancel()
    with pytest.raises(CancelledError):
        bench.generations.run(bench.prepared(), context)
    collect_due()
    assert len(bench.files()) == 1


def test_a_task_that_nobody_fetches_is_collected_after_a_while(bench, clock, collect_due):
    bench.generations.run(bench.prepared(wait_for_result=False), bench.context())
    clock.time += 599
    collect_due()
    assert not bench.config.output_dir.exists() or bench.files() == []
    clock.time += 1
    collect_due()
    assert len(bench.files()) == 1


def test_what_a_call_has_fetched_meanwhile_is_no_news(bench, clock, collect_due):
    bench.generations.run(bench.prepared(wait_for_result=False), bench.context())
    bench.generations.collect("task-1", bench.context())
    clock.time += 600
    collect_due()
    assert bench.recovery.news() == []
    assert len(bench.files()) == 1


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


# threads


@pytest.fixture
def real_waits(clock):
    """Waits of the threads end when something happens; those of calls end at once, as usual."""
    usual = clock.wait
    clock.wait = lambda event, seconds: (
        event.wait(60) if threading.current_thread().name.startswith("kie-mcp-recovery") else usual(event, seconds)
    )


@pytest.fixture
def told(bench):
    """Set with every piece of news."""
    event, tell = threading.Event(), bench.recovery._tell
    bench.recovery._tell = lambda news: (tell(news), event.set())
    return event


@pytest.mark.usefixtures("real_waits")
def test_in_the_background_everything_is_collected_as_it_becomes_unattended(bench, orphan, told):
    bench.recovery.start()
    orphan("t1")
    assert bench.recovery.take_over() == ["t1"]
    assert told.wait(30)
    told.clear()
    bench.generations.run(bench.prepared("a hare", wait_for_result=False), bench.context())
    bench.unattended.add("task-1")
    assert told.wait(30)
    bench.recovery.start()
    bench.recovery.close()
    assert [entry.task_id for entry in bench.recovery.news()] == ["t1", "task-1"]


@pytest.mark.usefixtures("real_waits")
def test_one_slow_picture_does_not_hold_up_the_others(bench, orphan, told, downloads, done):
    go_on = threading.Event()

    def slow():
        go_on.wait(30)
        return downloads.data

    downloads.answers = {done("t1").image_urls[0]: slow}
    bench.recovery.start()
    orphan("t1")
    bench.recovery.take_over()
    orphan("t2")
    bench.recovery.take_over()
    assert told.wait(30)
    assert [entry.task_id for entry in bench.recovery.news()] == ["t2"]
    go_on.set()
    bench.recovery.close()


@pytest.mark.usefixtures("real_waits")
def test_a_bug_with_one_task_does_not_end_the_collecting(bench, orphan, told, caplog):
    found, failed = bench.ledger.find, []

    def fail_once(task_id):
        if not failed:
            failed.append(task_id)
            bench.unattended.add(task_id)
            raise RuntimeError("a bug")
        return found(task_id)

    bench.ledger.find = fail_once
    orphan("t1")
    bench.recovery.take_over()
    bench.recovery.start()
    assert told.wait(30)
    bench.recovery.close()
    assert failed == ["t1"]
    assert "failed unexpectedly" in caplog.text


@pytest.mark.usefixtures("real_waits")
def test_a_call_waits_until_what_was_taken_over_was_looked_at(bench, orphan):
    for number in range(6):
        orphan(f"t{number}")
    bench.recovery.catch_up(CallContext())
    assert len(bench.files()) == 6
    bench.recovery.close()


@pytest.mark.usefixtures("real_waits")
def test_a_call_waits_no_longer_than_it_may(bench, orphan, clock, downloads, done, told):
    go_on = threading.Event()
    downloads.answers = {done("t1").image_urls[0]: lambda: (go_on.wait(30), downloads.data)[1]}
    orphan("t1")
    began = clock.time
    bench.recovery.catch_up(bench.context())
    assert clock.time - began == pytest.approx(CATCH_UP_SECONDS, abs=0.1)
    go_on.set()
    assert told.wait(30)
    bench.recovery.close()
    assert len(bench.files()) == 1


@pytest.mark.usefixtures("real_waits")
def test_a_cancelled_call_waits_no_longer(bench, orphan, downloads, done):
    go_on = threading.Event()
    downloads.answers = {done("t1").image_urls[0]: lambda: (go_on.wait(30), downloads.data)[1]}
    orphan("t1")
    context = bench.context()
    context.cancel()
    with pytest.raises(CancelledError):
        bench.recovery.catch_up(context)
    go_on.set()
    bench.recovery.close()


def test_a_ledger_that_cannot_be_written_keeps_nobody_from_looking_at_it(bench, monkeypatch, caplog):
    def full(*_):
        raise ConfigError("the disk is full")

    monkeypatch.setattr(bench.custody, "end_abandoned", full)
    bench.recovery.catch_up(bench.context())
    assert "could not be collected: the disk is full" in caplog.text


def test_what_was_stopped_before_it_began_does_not_begin(bench):
    bench.recovery.close()
    bench.recovery.start()
    assert bench.unattended.take() is None


def test_news_beyond_what_one_answer_holds_comes_with_the_next(bench):
    for number in range(MOST_NEWS + 1):
        bench.recovery._tell(News(f"t{number}", "success", None))
    assert len(bench.recovery.news()) == MOST_NEWS
    assert [entry.task_id for entry in bench.recovery.news()] == [f"t{MOST_NEWS}"]


def test_a_row_from_the_future_is_looked_at_once(bench, orphan, clock, client, collect_due):
    orphan("t1", "generating")
    clock.shift -= 7200
    client.scripts["poll"] = [TaskStatus("t1", "generating")]
    bench.unattended.add("t1")
    collect_due()
    clock.time += 100
    collect_due()
    assert len(client.calls["poll"]) == 1


def test_a_bug_after_the_submission_leaves_the_task_to_be_collected(bench, monkeypatch, collect_due):
    def fail(*_):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(bench.watcher, "wait", fail)
        with pytest.raises(RuntimeError):
            bench.generations.run(bench.prepared(), bench.context())
    collect_due()
    assert len(bench.files()) == 1


@pytest.mark.parametrize(
    "note",
    [
        {"index": 0, "part": "{folder}/mine.txt"},
        {"index": 0, "part": ".kie-mcp-0123456789abcdef.part"},
        {"index": 0, "part": "/elsewhere/.kie-mcp-0123456789abcdef.part", "path": "{folder}/a.png"},
    ],
)
def test_a_note_about_files_of_others_is_dropped(bench, orphan, catch_up, tmp_path, note):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    orphan("t1", "success", image_urls=["https://result.example/1.png"])
    leave_note(bench, {name: value.format(folder=tmp_path) if name != "index" else 0 for name, value in note.items()})
    catch_up()
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert len(bench.files()) == 1
    assert bench.ledger.find("t1").saving is None
