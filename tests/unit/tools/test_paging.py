"""Answers that stay small however much there is to tell, and the cursors to the rest."""

from __future__ import annotations

import contextlib
import sqlite3
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kie_mcp.errors import InputError
from kie_mcp.jobs import Outcome
from kie_mcp.ledger import SavedFile
from kie_mcp.tools.fitting import ANSWER_BYTES, json_bytes
from kie_mcp.tools.generate_visual_batch import _summary
from kie_mcp.tools.paging import PAGE_BYTES, is_of_batch, page
from kie_mcp.tools.results import fields

SERVING, COMMAND_LINE = SimpleNamespace(serving=True), SimpleNamespace(serving=False)


def outcome(number, **more):
    """A finished generation as it comes from the floor below."""
    path = f"/pictures/20261122-101500-a-red-fox-number-{number}.png"
    return Outcome(
        task_id=f"{number:032x}",
        status="success",
        model="nano-banana-pro",
        files=(SavedFile(path, "image/png", 1_234_567, 2048, 2048),),
        image_urls=(f"https://result.example/{number:064x}.png",),
        credits_consumed=18.0,
        elapsed_seconds=12.345,
        **more,
    )


def told(tools, results):
    """The answer of a batch with these results."""
    return summary(tools, results).structured


def summary(tools, results):
    return _summary(results, tools.services, continue_on_error=True)


def walked(tools, answer, **arguments):
    """The results of an answer and of all that its cursors lead to; no page is too long."""
    entries = list(answer["results"])
    while "next_cursor" in answer:
        answer = tools.call("list_visual_tasks", cursor=answer["next_cursor"], **arguments)
        assert answer["tasks"] == []
        assert 0 < len(answer["results"]) <= arguments.get("limit", len(answer["results"]))
        assert json_bytes(answer) <= ANSWER_BYTES
        entries += answer["results"]
    return entries


# what fits


def test_what_fits_is_told_whole():
    entries = [{"index": number} for number in range(100)]
    assert page(entries, SERVING) == (entries, False)


def test_what_does_not_fit_is_left_for_the_next_page():
    entries = [{"index": number, "text": "x" * 1_000} for number in range(100)]
    shown, more = page(entries, SERVING)
    assert more
    assert shown == entries[: len(shown)]
    assert PAGE_BYTES - 2_000 < json_bytes(shown) <= PAGE_BYTES


def test_letters_count_as_the_bytes_that_are_sent():
    shown, _ = page([{"text": "狐" * 1_000}] * 100, SERVING)
    assert len(shown) == PAGE_BYTES // 3_013


def test_on_the_command_line_everything_fits():
    entries = [{"text": "x" * 100_000}] * 10
    assert page(entries, COMMAND_LINE) == (entries, False)


def test_no_more_are_shown_than_asked_for():
    entries = [{"index": number} for number in range(5)]
    assert page(entries, SERVING, 5) == (entries, False)
    assert page(entries, SERVING, 3) == (entries[:3], True)
    assert page(entries, COMMAND_LINE, 3) == (entries[:3], True)


def test_an_entry_that_is_longer_than_a_page_is_shown_without_its_longest_fields():
    entry = {"index": 0, "ok": True, "task_id": "t1", "image_urls": ["https://a.example/"], "result": "x" * 65_000}
    (shown,), more = page([entry, {"index": 1}], SERVING, 1)
    assert more
    assert shown.items() >= {**entry, "result": None, "left_out": ["result"]}.items()


# a batch


def test_a_batch_that_fits_is_told_as_on_the_command_line(tools, serve):
    results = [outcome(number) for number in range(20)]
    plain = told(tools, results)
    assert told(serve(tools), results) == plain
    assert "next_cursor" not in plain
    assert "next_step" not in plain


def test_a_thousand_results_are_walked_through_once_and_in_order(tools, serve):
    results = [
        InputError(f"Item {number} is wrong.") if number % 7 == 3 else outcome(number) for number in range(1_000)
    ]
    plain = told(tools, results)
    answer = told(serve(tools), results)
    assert json_bytes(answer) <= ANSWER_BYTES
    assert [entry["index"] for entry in plain["results"]] == list(range(1_000))
    assert walked(tools, answer) == plain["results"]
    counts = ("total", "succeeded", "failed", "credits_consumed")
    assert [answer[name] for name in counts] == [plain[name] for name in counts] == [1_000, 857, 143, 18 * 857]
    assert answer["next_step"] == (
        f"The first {len(answer['results'])} of 1000 results are here; "
        f"call list_visual_tasks with cursor {answer['next_cursor']} for the rest."
    )


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # batches do not disturb each other
)
@given(
    sizes=st.lists(st.integers(0, 50_000), min_size=1, max_size=12),
    limit=st.none() | st.integers(1, 200),
)
def test_results_of_any_size_are_all_reached(served, sizes, limit):
    results = [outcome(number, result="x" * size) for number, size in enumerate(sizes)]
    answer = told(served, results)
    assert json_bytes(answer) <= ANSWER_BYTES
    entries = walked(served, answer, **({} if limit is None else {"limit": limit}))
    assert [entry["index"] for entry in entries] == list(range(len(sizes)))
    for entry, size in zip(entries, sizes, strict=True):
        assert entry["result"] == ("x" * size if "left_out" not in entry else None)
        assert ("left_out" in entry) is (
            json_bytes({**fields(outcome(0)), "index": 0, "result": "x" * size}) > PAGE_BYTES
        )
        assert entry["output_path"]


def test_all_failures_together_stay_small(served):
    error = InputError("x" * 30_000)
    answer = told(served, [error] * 100)
    assert answer["error"]["message"].startswith("100 of 100 items failed; item 0: xxx")
    assert json_bytes(answer) <= ANSWER_BYTES
    assert len(walked(served, answer)) == 100


def test_the_links_are_all_there_to_choose_from(served):
    result = summary(served, [outcome(number) for number in range(500)])
    assert [link.label for link in result.links] == [str(number) for number in range(500)]


def test_what_is_stored_holds_no_key(served, make_config):
    results = [outcome(number, warnings=(f"The key is {served.config.api_key}.",)) for number in range(200)]
    answer = told(served, results)
    further = served.call("list_visual_tasks", cursor=answer["next_cursor"])
    assert further["results"][0]["warnings"] == ["The key is [redacted]."]


@pytest.fixture
def full(served):
    """The ledger cannot be written any more."""
    with served.services.jobs.database.write() as connection:
        connection.execute("DROP TABLE batch_results")
    return served


def test_where_the_results_cannot_be_stored_the_first_are_still_told(full):
    answer = told(full, [outcome(number) for number in range(200)])
    assert (answer["ok"], answer["total"], answer["succeeded"]) == (True, 200, 200)
    assert "next_cursor" not in answer
    assert answer["next_step"] == (
        f"The first {len(answer['results'])} of 200 results are here; list_visual_tasks shows those of the rest that "
        "became tasks; for the others nothing was sent."
    )


def test_no_bug_in_the_ledger_loses_an_answer_that_was_paid_for(served, monkeypatch):
    def fail(*_):
        raise sqlite3.IntegrityError

    monkeypatch.setattr(served.services.jobs.batch_results, "store", fail)
    assert told(served, [outcome(number) for number in range(200)])["ok"]


@pytest.fixture
def locked(served, tmp_path):
    """Another process writes into the ledger, and does not end."""
    with contextlib.closing(sqlite3.connect(tmp_path / "state" / "ledger.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield served
        other.execute("ROLLBACK")


def test_a_locked_ledger_holds_no_answer_back(locked):
    results = [outcome(number) for number in range(200)]
    answer = told(locked, results)
    assert (answer["ok"], answer["total"], "next_cursor" in answer) == (True, 200, False)
    assert "list_visual_tasks shows those of the rest" in answer["next_step"]


def test_the_ledger_is_waited_for_for_half_a_second_even_at_the_end_of_a_call(served, monkeypatch):
    waits = []
    monkeypatch.setattr(served.services.jobs.batch_results, "store", lambda *given: waits.append(given[2]) or "ab")
    told(served, [outcome(number) for number in range(200)])
    assert waits == [0.5]


def test_what_was_told_is_not_stored_as_well(served):
    answer = told(served, [outcome(number) for number in range(200)])
    with served.services.jobs.database.read() as connection:
        items = [item for (item,) in connection.execute("SELECT item FROM batch_results ORDER BY item")]
    assert items == list(range(len(answer["results"]), 200))


# a dry run


def test_a_dry_run_of_a_thousand_items_is_walked_through(tools, serve):
    items = [{"prompt": f"a red fox number {number}", "model": "z-image"} for number in range(1_000)]
    plain = tools.call("generate_visual_batch", items=items, dry_run=True)
    answer = serve(tools).call("generate_visual_batch", items=items, dry_run=True)
    assert json_bytes(answer) <= ANSWER_BYTES
    assert (answer["total"], answer["credits_estimated"]) == (1_000, 800)
    assert walked(tools, answer) == plain["results"]
    assert len(plain["results"]) == 1_000


def test_a_dry_run_that_cannot_be_stored_says_what_to_do(full):
    items = [{"prompt": "a red fox " * 50, "model": "z-image"}] * 200
    answer = full.call("generate_visual_batch", items=items, dry_run=True)
    assert "next_cursor" not in answer
    assert "rehearse fewer items at a time" in answer["next_step"]


# cursors


@pytest.fixture
def cursor(served):
    return told(served, [outcome(number) for number in range(200)])["next_cursor"]


def test_a_page_can_be_read_again(served, cursor):
    assert served.call("list_visual_tasks", cursor=cursor) == served.call("list_visual_tasks", cursor=cursor)


def test_a_page_is_as_small_as_is_wished(served, cursor):
    answer = served.call("list_visual_tasks", cursor=cursor, limit=2)
    assert len(answer["results"]) == 2
    assert walked(served, answer, limit=7)[-1]["index"] == 199


def test_on_the_command_line_the_rest_comes_in_one_piece(served, cursor):
    served.services.serving = False
    answer = served.call("list_visual_tasks", cursor=cursor)
    assert answer["results"][-1]["index"] == 199
    assert "next_cursor" not in answer


def test_the_pages_of_a_batch_wait_for_no_other_tasks(served, cursor, monkeypatch):
    monkeypatch.setattr(served.services.jobs.recovery, "catch_up", lambda _: pytest.fail("it was not to be waited for"))
    assert served.call("list_visual_tasks", cursor=cursor)["results"]


@pytest.mark.parametrize("change", [lambda cursor: cursor.replace("batch-", "batch-0"), lambda cursor: cursor + "999"])
def test_a_batch_that_is_not_there_is_explained(served, cursor, change):
    other = change(cursor)
    error = served.error("list_visual_tasks", cursor=other)
    assert error["category"] == "input"
    assert error["message"] == f"'cursor' is '{other}'; there are no results for it. They are kept for 30 days."


def test_a_status_does_not_go_with_a_batch(served, cursor):
    error = served.error("list_visual_tasks", cursor=cursor, status="success")
    assert error["category"] == "input"
    assert "'status' does not go with a cursor of a batch" in error["message"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batch-0af3-17", True),
        ("before-17", False),
        ("batch-0af3", False),
        ("batch-0AF3-17", False),
        ("batch-0af3--1", False),
        ("batch-0af3-17 ", False),
        ("batch-0af3-" + "1" * 10, False),
        ("batch-" + "a" * 65 + "-1", False),
        ("batch-0af3-١", False),  # noqa: RUF001 - a digit of another script
    ],
)
def test_a_cursor_of_a_batch_is_known_by_its_form(text, expected):
    assert is_of_batch(text) is expected


# other lists


def test_a_page_of_tasks_ends_where_the_answer_would_be_too_long(served):
    for number in range(150):
        served.services.jobs.ledger.begin(model="z-image", prompt=f"{number} fox " * 50, request={})
    seen, cursor = [], {}
    while cursor is not None:
        answer = served.call("list_visual_tasks", limit=200, **cursor)
        assert json_bytes(answer) <= ANSWER_BYTES
        seen += [task["prompt"].split()[0] for task in answer["tasks"]]
        cursor = {"cursor": answer["next_cursor"]} if "next_cursor" in answer else None
    assert seen == [str(number) for number in range(149, -1, -1)]
    served.services.serving = False
    assert len(served.call("list_visual_tasks", limit=200)["tasks"]) == 150


def test_the_bundled_models_fit_into_one_answer(served, catalogue):
    answer = served.call("list_models")
    assert len(answer["models"]) == answer["total"] == len(catalogue.search())
    for model in catalogue.search():
        assert json_bytes(served.call("list_models", query=model.id)) < ANSWER_BYTES


def test_more_models_than_fit_are_counted_and_can_be_searched(served, monkeypatch):
    monkeypatch.setattr("kie_mcp.tools.paging.PAGE_BYTES", 2_000)
    answer = served.call("list_models")
    assert 0 < len(answer["models"]) < answer["total"]
    assert answer["next_step"] == (
        f"The first {len(answer['models'])} of {answer['total']} models are here; name a query or a kind."
    )


def test_the_description_stays_small(served):
    assert json_bytes(served.call("describe_imager_interface")) < ANSWER_BYTES


def test_so_does_the_refusal_of_very_many_arguments(served):
    error = served.error("generate_visual", prompt="a", **{f"argument_{number}" * 100: 1 for number in range(1_000)})
    assert json_bytes(error) < 2_000
    assert "And 995 more." in error["message"]
