"""The tasks in the ledger."""

from __future__ import annotations

import pytest

from kie_mcp.errors import ConfigError
from kie_mcp.ledger import Database, SavedFile, TaskLedger

FOX = SavedFile("/pictures/fox.png", "image/png", 1234, 40, 30)


@pytest.fixture
def begin(ledger):
    """A function that begins a task and has it accepted."""

    def make(task_id=None, model="z-image", prompt="a fox"):
        number = ledger.begin(model=model, prompt=prompt, request={"model": model, "input": {"prompt": prompt}})
        if task_id is not None:
            ledger.accepted(number, task_id)
        return number

    return make


def test_a_task_has_a_row_before_it_is_sent(ledger, clock, tmp_path):
    number = ledger.begin(
        model="z-image",
        prompt="a fox",
        platform="x",
        request={"model": "z-image"},
        output_path=tmp_path,
        output_format="png",
        estimated_credits=4.5,
    )
    (row,) = ledger.recent(limit=10)
    assert (row.number, row.task_id, row.model, row.prompt, row.platform) == (number, None, "z-image", "a fox", "x")
    assert (row.state, row.output_path, row.output_format) == ("submitting", str(tmp_path), "png")
    assert (row.estimated_credits, row.credits_consumed, row.error) == (4.5, None, None)
    assert (row.files, row.image_urls) == ((), ())
    assert (row.created_at, row.updated_at, row.completed_at) == (clock.now(), clock.now(), None)


def test_the_request_is_kept_as_it_was_sent(ledger, database, begin):
    begin()
    with database.read() as connection:
        kept = connection.execute("SELECT request FROM tasks").fetchone()[0]
    assert kept == '{"model": "z-image", "input": {"prompt": "a fox"}}'


def test_an_accepted_task_is_found_by_its_id(ledger, clock, begin):
    number = begin()
    clock.time += 2
    ledger.accepted(number, "t1")
    row = ledger.find("t1")
    assert (row.number, row.state, row.updated_at - row.created_at) == (number, "submitted", 2)
    assert ledger.find("t2") is None


def test_a_refused_and_an_unknown_outcome_keep_their_error(ledger, begin):
    ledger.refused(begin(), {"category": "credits"})
    ledger.unknown(begin(), {"category": "unknown_outcome"})
    unknown, refused = ledger.recent(limit=2)
    assert (refused.state, refused.error) == ("refused", {"category": "credits"})
    assert (unknown.state, unknown.error) == ("unknown_outcome", {"category": "unknown_outcome"})
    assert refused.completed_at is not None


def test_states_are_followed_to_the_end(ledger, clock, begin):
    begin("t1")
    ledger.observed("t1", "generating")
    clock.time += 30
    ledger.observed("t1", "success", image_urls=["https://a", "https://b"], credits_consumed=6.0, seconds=28.5)
    row = ledger.find("t1")
    assert (row.state, row.image_urls, row.credits_consumed) == ("success", ("https://a", "https://b"), 6.0)
    assert (row.seconds, row.completed_at) == (28.5, clock.now())


def test_what_has_ended_stays_as_it_ended(ledger, clock, begin):
    begin("t1")
    ledger.observed("t1", "fail", error={"code": "422"})
    ended = ledger.find("t1")
    clock.time += 5
    ledger.observed("t1", "generating")
    ledger.observed("t1", "success", image_urls=["https://a"])
    assert ledger.find("t1") == ended


def test_a_renewed_link_is_noted_and_the_end_stays(ledger, clock, begin):
    begin("t1")
    ledger.observed("t1", "success", image_urls=["https://a"])
    ended = clock.now()
    clock.time += 5
    ledger.observed("t1", "success", image_urls=["https://b"])
    row = ledger.find("t1")
    assert (row.image_urls, row.completed_at, row.updated_at) == (("https://b",), ended, ended + 5)


def test_a_poll_that_shows_nothing_new_writes_nothing(ledger, database, begin):
    begin("t1")
    ledger.observed("t1", "generating", credits_consumed=6.0)
    with database.read() as connection:
        before = connection.total_changes
        ledger.observed("t1", "generating")
        ledger.observed("t1", "generating", credits_consumed=6.0)
        assert connection.total_changes == before


def test_news_that_another_thread_wrote_in_between_is_not_written_again(ledger, database, begin, monkeypatch):
    begin("t1")
    real = database.write

    def late():
        monkeypatch.setattr(database, "write", real)
        ledger.observed("t1", "success", seconds=3)
        return real()

    monkeypatch.setattr(database, "write", late)
    ledger.observed("t1", "generating")
    assert ledger.find("t1").state == "success"


def test_a_task_from_elsewhere_is_adopted(ledger):
    ledger.observed("t9", "generating")
    row = ledger.find("t9")
    assert (row.state, row.model, row.prompt) == ("generating", None, None)
    ledger.adopt("t9")
    assert ledger.find("t9").number == row.number
    ledger.adopt("t10")
    assert ledger.find("t10").number == row.number + 1
    assert ledger.find("t10").state == "unknown"


def test_saved_files_are_kept_in_order(ledger, begin, custody):
    begin("t1")
    other = SavedFile("/pictures/\udcff.webp", "image/webp", 5, None, None)
    assert custody.claim("t1", "a call")
    assert custody.saved("t1", "a call", [FOX, other])
    assert ledger.find("t1").files == (FOX, other)


def test_recent_tasks_come_newest_first_and_page_by_page(ledger, begin):
    numbers = [begin(f"t{index}") for index in range(5)]
    assert [row.number for row in ledger.recent(limit=2)] == numbers[:2:-1]
    assert [row.number for row in ledger.recent(limit=9, before=numbers[2])] == numbers[1::-1]


def test_recent_tasks_are_filtered_by_state(ledger, begin):
    begin()
    ledger.refused(begin(), {})
    for task_id, state in (("t1", "waiting"), ("t2", "success"), ("t3", "fail"), ("t4", "unknown")):
        begin(task_id)
        ledger.observed(task_id, state)
    assert [row.task_id for row in ledger.recent(status="running", limit=9)] == ["t4", "t1"]
    assert [row.task_id for row in ledger.recent(status="success", limit=9)] == ["t2"]
    assert len(ledger.recent(status="submitting", limit=9)) == 1
    assert ledger.recent(status="no such state", limit=9) == []


def test_times_are_learned_per_model_newest_first(ledger, begin):
    for index, model in enumerate(["z-image", "other", "z-image", "z-image"]):
        begin(f"t{index}", model)
        ledger.observed(f"t{index}", "success", seconds=float(index))
    begin("t9")
    ledger.observed("t9", "fail", seconds=99)
    assert ledger.model_seconds("z-image") == [3.0, 2.0, 0.0]
    assert ledger.model_seconds("z-image", last=1) == [3.0]
    assert ledger.model_seconds("unheard of") == []


def test_no_text_keeps_a_secret(ledger, database, path):
    number = ledger.begin(
        model="m s3cret-word",
        prompt="p s3cret-word",
        platform="x s3cret-word",
        request={"input": {"prompt": ["s3cret-word"]}},
        output_path="/tmp/s3cret-word",
        output_format="s3cret-word",
    )
    ledger.accepted(number, "id s3cret-word")
    ledger.observed("id s3cret-word", "fail", image_urls=["https://s3cret-word"], error={"message": "key s3cret-word"})
    assert ledger.find("id s3cret-word").prompt == "p [redacted]"
    assert ledger.find("id s3cret-word").error == {"message": "key [redacted]"}
    database.close()
    assert b"s3cret-word" not in path.read_bytes()


def test_half_a_character_in_a_prompt_loses_no_task(ledger):
    ledger.begin(model="z-image", prompt="\ud83d fox", request={"prompt": "\ud83d fox"})
    assert ledger.recent(limit=1)[0].prompt == "? fox"


def test_a_killed_process_loses_no_id_it_was_given(processes, path, clock):
    script = """
import os, sys
from pathlib import Path
from kie_mcp.clock import Clock
from kie_mcp.ledger import Database, TaskLedger
ledger = TaskLedger(Database(Path(sys.argv[1])), Clock())
ledger.accepted(ledger.begin(model="z-image", prompt="a fox", request={}), "t1")
os._exit(0)
"""
    processes(script, 1, path)
    database = Database(path)
    assert TaskLedger(database, clock).find("t1").state == "submitted"
    database.close()


def test_a_structured_result_is_kept_and_leaves_nothing_to_fetch(ledger, begin, custody):
    begin("t")
    ledger.observed("t", "success", result={"boxes": [[1, 2.5]], "label": "fox"})
    row = ledger.find("t")
    assert row.result == {"boxes": [[1, 2.5]], "label": "fox"}
    assert row.without_pictures
    assert custody.unsaved().tasks == ()


def test_a_result_beside_pictures_leaves_those_to_fetch(ledger, begin, custody):
    begin("t")
    ledger.observed("t", "success", image_urls=["https://a.example/1"], result={"layers_data": []})
    assert not ledger.find("t").without_pictures
    assert [row.task_id for row in custody.unsaved().tasks] == ["t"]
    assert custody.claim("t", "a call")
    assert custody.saved("t", "a call", [FOX])
    assert custody.unsaved().tasks == ()
    assert ledger.find("t").result == {"layers_data": []}


def test_a_task_that_names_neither_pictures_nor_data_is_left_to_fetch(ledger, begin, custody):
    begin("t")
    ledger.observed("t", "success")
    assert not ledger.find("t").without_pictures
    assert [row.task_id for row in custody.unsaved().tasks] == ["t"]


def test_a_result_that_was_missing_so_far_is_noted_once(ledger, database, begin):
    begin("t")
    ledger.observed("t", "success")
    ledger.observed("t", "success", result=[1])
    with database.read() as connection:
        before = connection.total_changes
        ledger.observed("t", "success", result=[1])
        ledger.observed("t", "success")
        assert connection.total_changes == before
    assert ledger.find("t").result == [1]


def test_a_result_keeps_no_secret(ledger, begin):
    begin("t")
    ledger.observed("t", "success", result={"text": "the s3cret-word"})
    assert "s3cret-word" not in str(ledger.find("t").result)


def test_an_id_that_could_not_be_written_down_is_written_with_the_next_poll(ledger, database, begin, monkeypatch):
    number = begin()
    with monkeypatch.context() as patched:
        patched.setattr(database, "write", full_disk)
        with pytest.raises(ConfigError):
            ledger.accepted(number, "t1")
    ledger.observed("t1", "generating")
    ledger.observed("t1", "success")
    (row,) = ledger.recent(limit=9)
    assert (row.number, row.task_id, row.state, row.prompt) == (number, "t1", "success", "a fox")


def full_disk():
    raise ConfigError("the disk is full")


def test_a_task_that_was_given_up_and_made_after_all_has_no_error(ledger, begin):
    number = begin()
    ledger.unknown(number, {"category": "unknown_outcome"})
    ledger.accepted(number, "t1")
    row = ledger.find("t1")
    assert (row.state, row.error, row.completed_at) == ("submitted", None, None)
