"""How answers look, and what exit code each means."""

from __future__ import annotations

import json

import pytest

from kie_mcp.catalogue import usd
from kie_mcp.cli.answers import (
    exit_code,
    show_dry_run,
    show_generation,
    show_many,
    show_models,
    show_refreshed,
    show_tasks,
)


def failure(category="network", message="It failed.", next_step="Try again."):
    return {"ok": False, "error": {"category": category, "message": message, "next_step": next_step}}


RUNNING = {"ok": True, "status": "generating", "next_step": "The task goes on."}
UNSAVED = {"ok": True, "status": "success", "next_step": "Save it soon."}
MADE = {"ok": True, "status": "success"}


@pytest.mark.parametrize(
    ("answer", "waited", "code"),
    [
        (MADE, True, 0),
        (UNSAVED, True, 0),
        (RUNNING, True, 3),
        (RUNNING, False, 0),
        (failure("network"), True, 1),
        (failure("internal"), True, 1),
        (failure("config"), True, 2),
        (failure("input"), True, 2),
        ({"ok": True, "results": []}, True, 0),
        ({"ok": True, "results": [MADE, MADE]}, True, 0),
        ({"ok": True, "results": [MADE, RUNNING]}, True, 3),
        ({"ok": True, "results": [MADE, RUNNING]}, False, 0),
        ({"ok": True, "results": [MADE, RUNNING, failure("server")]}, True, 1),
        ({"ok": True, "results": [MADE, failure("input")]}, True, 1),
        ({"ok": False, "results": [failure("input"), failure("input")], **failure("input")}, True, 2),
        ({"ok": False, "results": [failure("input"), failure("server")], **failure("input")}, True, 1),
        ({"results": [MADE, MADE], **failure("input")}, True, 2),
    ],
)
def test_the_exit_code_says_how_it_ended(answer, waited, code):
    assert exit_code(answer, waited=waited) == code


def test_a_generation_prints_paths_and_nothing_else(capsys, generated):
    show_generation(generated(output_paths=["/a.png", "/b.png"], warnings=["JPEG, not PNG."]), "later")
    out, err = capsys.readouterr()
    assert out == "/a.png\n/b.png\n"
    assert err == "kie-mcp: note: JPEG, not PNG.\n"


def test_what_it_cost_is_told_and_what_it_should_have_cost_told_apart(capsys, generated):
    show_generation(generated(credits_consumed=18.0), "later")
    assert capsys.readouterr().err == "kie-mcp: 18 credits ($0.09).\n"
    show_generation(generated(credits_consumed=None, credits_estimated=4), "later")
    assert capsys.readouterr().err == "kie-mcp: about 4 credits ($0.02) by the price list.\n"
    results = [{"index": 0, **generated()}]
    many = {"total": 1, "failed": 0, "results": results, "credits_consumed": 36, "credits_estimated": 4}
    show_many(many, "later")
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_data_that_stand_for_a_picture_are_printed_as_json(capsys, generated):
    show_generation(generated(output_paths=[], result={"subjects": [1]}), "later")
    assert json.loads(capsys.readouterr().out) == {"subjects": [1]}
    show_generation(generated(output_paths=["/a.png"], result={"layers": [1]}), "later")
    assert capsys.readouterr().out == "/a.png\n"


def rehearsed(*entries, **answer):
    failed = sum(not entry["ok"] for entry in entries)
    return {
        "ok": True,
        "dry_run": True,
        "total": len(entries),
        "succeeded": len(entries) - failed,
        "failed": failed,
        "credits_estimated": 18.0,
        "usd_estimated": 0.09,
        "warnings": [],
        "results": [{"index": index, **entry} for index, entry in enumerate(entries)],
        **answer,
    }


SOUND = {
    "ok": True,
    "model": "nano-banana-pro",
    "body": {"model": "nano-banana-pro", "input": {"prompt": "a fox"}},
    "credits_estimated": 18,
    "warnings": [],
}


def test_a_dry_run_is_a_table_of_inputs_and_what_they_cost(capsys):
    unpriced = {**SOUND, "credits_estimated": None, "warnings": ["Odd."]}
    show_dry_run(rehearsed(SOUND, failure("input"), unpriced, warnings=["One price is not known."]))
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "item  model            credits  input",
        '0     nano-banana-pro  18       {"prompt": "a fox"}',
        '2     nano-banana-pro  -        {"prompt": "a fox"}',
    ]
    assert err.splitlines() == [
        "kie-mcp: item 1: It failed.",
        "kie-mcp: note: item 2: Odd.",
        "kie-mcp: note: One price is not known.",
        "kie-mcp: 2 of 3 could be sent, for at least 18 credits ($0.09); nothing was.",
    ]


def test_a_dry_run_says_nothing_of_a_price_that_nobody_knows(capsys):
    unpriced = {**SOUND, "credits_estimated": None}
    show_dry_run(rehearsed(unpriced, credits_estimated=None, usd_estimated=None))
    assert capsys.readouterr().err == "kie-mcp: 1 of 1 could be sent; nothing was.\n"
    show_dry_run(rehearsed(SOUND))
    assert "for about 18 credits" in capsys.readouterr().err


def test_a_dry_run_of_a_batch_that_is_too_dear_says_so(capsys):
    show_dry_run(rehearsed(SOUND, **failure("input", "Over the limit.")))
    assert capsys.readouterr().err.splitlines()[1:] == ["kie-mcp: Over the limit.", "  Try again."]


def test_a_dry_run_of_which_nothing_could_be_sent_has_no_table(capsys):
    show_dry_run(rehearsed(failure("input"), **failure("input", "1 of 1 items failed")))
    out, err = capsys.readouterr()
    assert out == ""
    assert "1 of 1 items failed" not in err


def test_a_task_that_goes_on_is_named_with_the_way_back(capsys, generated):
    show_generation(generated(status="queuing", output_paths=[], next_step="Wait."), "Come back with collect.")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "kie-mcp: task task-1 is queuing.\n  Come back with collect.\n"


def test_of_many_each_failure_is_told_and_each_advice_once(capsys, generated):
    results = [
        {"index": 0, **failure()},
        {"index": 1, **generated(warnings=["Cut."])},
        {"index": 2, **failure(message="It failed, too.")},
        {"index": 3, **generated(status="waiting", output_paths=[], next_step="Wait.")},
    ]
    show_many({"ok": True, "total": 4, "failed": 2, "results": results}, "Come back.")
    out, err = capsys.readouterr()
    assert out == "/pictures/fox.png\n"
    assert err.splitlines() == [
        "kie-mcp: item 0: It failed.",
        "kie-mcp: note: item 1: Cut.",
        "kie-mcp: item 2: It failed, too.",
        "kie-mcp: item 3: task task-1 is waiting.",
        "kie-mcp: 2 of 4 failed.",
        "  Try again.",
        "  Come back.",
    ]


def test_of_many_tasks_each_is_called_by_its_id(capsys, generated):
    results = [{"task_id": "t-1", **failure()}, generated(status="waiting", output_paths=[], next_step="Wait.")]
    show_many({"ok": False, "total": 2, "failed": 1, "results": results}, "Come back.")
    assert capsys.readouterr().err.splitlines()[:2] == [
        "kie-mcp: task t-1: It failed.",
        "kie-mcp: task task-1 is waiting.",
    ]


def entry(**changes):
    shown = {"task_id": "t-1", "status": "success", "model": "m", "prompt": "a fox", "output_paths": []}
    return {**shown, "created_at": "2026-11-22T12:00:00Z", **changes}


def test_tasks_show_their_files_else_their_error_else_their_prompt(capsys):
    rows = [
        entry(output_paths=["/a.png"], error={"message": "An old error."}),
        entry(error={"message": "Kie could\nnot."}, task_id=None),
        entry(prompt="a \x1b[31mfox"),
        entry(prompt=None),
    ]
    show_tasks({"ok": True, "tasks": rows})
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["made", "task", "id", "status", "model", "files,", "error", "or", "prompt"]
    assert [line.split(maxsplit=5)[2:] for line in lines] == [
        ["t-1", "success", "m", "/a.png"],
        ["-", "success", "m", "Kie could not."],
        ["t-1", "success", "m", "a \ufffd[31mfox"],
        ["t-1", "success", "m"],
    ]


def test_times_are_local(capsys, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC-9")
    time.tzset()
    show_tasks({"ok": True, "tasks": [entry()]})
    monkeypatch.undo()
    time.tzset()
    assert capsys.readouterr().out.splitlines()[1].startswith("2026-11-22 21:00  t-1")


def test_no_tasks_are_no_table(capsys):
    show_tasks({"ok": True, "tasks": []})
    assert capsys.readouterr() == ("", "kie-mcp: no tasks.\n")


def test_results_of_a_batch_are_shown_as_json(capsys):
    show_tasks({"ok": True, "tasks": [], "results": [{"index": 0, "ok": True}]})
    assert "--json" in capsys.readouterr().err


def test_older_tasks_are_mentioned(capsys):
    show_tasks({"ok": True, "tasks": [entry()], "next_cursor": "before-7"})
    assert capsys.readouterr().err == "kie-mcp: there are older ones: add --cursor before-7\n"


def test_models_are_a_table(capsys):
    found = [
        {"id": "a/b", "kind": "text-to-image", "credits": 0.8, "usd": 0.004, "aspect_ratios": ["1:1", "16:9"]},
        {"id": "c", "kind": "image-to-image", "credits": None, "max_images": 4},
    ]
    show_models({"ok": True, "models": found})
    assert capsys.readouterr().out.splitlines() == [
        "id   kind            credits  US$    in  ratios",
        "a/b  text-to-image   0.8      0.004  0   1:1 16:9",
        "c    image-to-image  -        -      4",
    ]


def test_the_whole_list_of_models_fits_a_terminal_of_100_columns(terminal, catalogue):
    screen = terminal("stdout", columns=100)
    rows = [
        {
            "id": model.id,
            "kind": model.kind,
            "credits": model.price.credits,
            **({} if model.price.credits is None else {"usd": usd(model.price.credits)}),
            "max_images": model.max_images,
            "aspect_ratios": model.choices("aspect_ratio"),
        }
        for model in catalogue.search()
    ]
    show_models({"ok": True, "models": rows})
    lines = screen.getvalue().splitlines()
    assert len(lines) == len(rows) + 1
    assert max(map(len, lines)) <= 100


REFRESHED = {
    "asked": 5,
    "updated": ["a", "b"],
    "new": [],
    "unchanged": 1,
    "skipped": {"c": "it is odd"},
    "not_taken": {"e": "it makes no pictures"},
    "gone": ["d"],
}


def test_of_long_lists_the_first_are_shown(capsys):
    many = [f"m{n}" for n in range(13)]
    show_refreshed({**REFRESHED, "gone": many, "not_taken": dict.fromkeys(many, "it is odd"), "updated": many[:10]})
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == f"  updated: {', '.join(many[:10])}"
    assert lines[2] == f"  no longer listed by Kie: {', '.join(many[:10])}, and 3 more"
    assert lines[-2:] == ["  not taken: m9: it is odd", "  and 3 more"]


def test_a_refresh_is_summed_up_on_stderr(capsys):
    show_refreshed(REFRESHED)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "kie-mcp: 5 models asked for at Kie: 2 updated, 0 new, 1 unchanged, 1 left as they were.",
        "  updated: a, b",
        "  no longer listed by Kie: d",
        "  left as it was: c: it is odd",
        "  not taken: e: it makes no pictures",
    ]


@pytest.mark.parametrize(
    ("near", "words"),
    [({"did_you_mean": ["a", "b"]}, "did you mean a, b?"), ({}, "`kie-mcp models` lists them all.")],
)
def test_where_no_model_is_found_it_says_so(capsys, near, words):
    show_models({"ok": True, "models": [], **near})
    assert capsys.readouterr() == ("", f"kie-mcp: no such model; {words}\n")


def test_one_model_is_shown_whole(capsys):
    schema = {
        "required": ["prompt", "size"],
        "properties": {
            "prompt": {"type": "string", "maxLength": 1000, "description": "What it shows"},
            "size": {"enum": ["s", "l"], "default": "s"},
            "pictures": {"type": "array", "maxItems": 8, "items": {"type": "string", "format": "uri"}},
            "things": {"type": "array"},
            "seed": {"type": "integer", "minimum": 0, "maximum": 9},
            "strength": {"type": "number", "default": 0.5},
            "checked": {"type": "boolean", "default": True},
            "free": {},
        },
    }
    model = {"id": "a", "title": "A", "kind": "text-to-image", "price": None, "notes": ["Slow."], "other": ["seed"]}
    show_models({"ok": True, "models": [{**model, "input_schema": schema}]})
    assert capsys.readouterr().out.splitlines() == [
        "a: A",
        "kind: text-to-image",
        "price in credits: not known",
        "",
        "inputs:",
        "  prompt    required; string; at most 1000 characters; What it shows",
        "  size      one of s, l; default s",
        "  pictures  list of URL; at most 8",
        "  things    list of values",
        "  seed      integer; from 0; to 9; set by --model-params seed=VALUE",
        "  strength  number; default 0.5",
        "  checked   boolean; default true",
        "  free",
        "",
        "notes:",
        "  Slow.",
    ]


def test_a_model_without_notes_or_inputs_is_shown_too(capsys):
    model = {"id": "a", "title": "A", "kind": "k", "price": "5", "notes": [], "input_schema": {}}
    show_models({"ok": True, "models": [model]})
    assert capsys.readouterr().out.splitlines()[-2:] == ["", "inputs:"]
