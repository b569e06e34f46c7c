"""``resources/list`` and ``resources/templates/list``."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, ConfigError, InputError
from kie_mcp.prompts import list_prompts
from kie_mcp.resources import list_resources, list_templates
from kie_mcp.resources.listing import PICTURES_A_PAGE, TASKS_A_PAGE
from kie_mcp.services import Services

GUIDE = "kie-mcp://guide"


@pytest.fixture
def listed(services, official):
    """One page, held against the official definition."""

    def page(cursor=None, context=None):
        params = {} if cursor is None else {"cursor": cursor}
        return official("resources/list", list_resources(services, params, context or CallContext()))

    return page


@pytest.fixture
def walk(listed):
    """The URIs of all pages; ``between`` is called after each page."""

    def pages(between=lambda: None):
        cursor, found = None, []
        while True:
            page = listed(cursor)
            found += [entry["uri"] for entry in page["resources"]]
            cursor = page.get("nextCursor")
            if cursor is None:
                return found
            between()

    return pages


@pytest.fixture
def crowd(services, tmp_path):
    """A ledger of many tasks: ``crowd(start, stop)`` adds those numbers, every second with an (empty) picture."""
    folder = tmp_path / "crowd"
    folder.mkdir()

    def add(start, stop):
        rows = []
        for number in range(start, stop):
            path = folder / f"{number}.png"
            if number % 2:
                path.touch()
            file = {"path": str(path), "mime_type": "image/png", "bytes": 10, "width": None, "height": None}
            rows.append((f"t{number}", "success", json.dumps([file] if number % 2 else []), number, number))
        with services.jobs.database.write() as connection:
            connection.executemany(
                "INSERT INTO tasks (task_id, state, files, created_at, updated_at) VALUES (?, ?, ?, ?, ?)", rows
            )
        return [(folder / f"{number}.png").as_uri() for number in range(start, stop) if number % 2]

    return add


def test_without_a_ledger_there_is_the_guide_and_none_is_made(listed, services):
    (guide,) = listed()["resources"]
    assert (guide["uri"], guide["mimeType"]) == (GUIDE, "text/markdown")
    assert not services.config.state_path.exists()


def test_an_empty_ledger_lists_the_guide_alone(listed, services):
    services.jobs.ledger.begin(model="z-image", prompt="a fox", request={})
    assert [entry["uri"] for entry in listed()["resources"]] == [GUIDE]


def test_a_picture_is_told_with_all_that_is_known_of_it(listed, album):
    path = album.save("a fox.png", prompt="A red fox\nin the snow", model="nano-banana-pro")
    os.utime(path, (0, 1_790_000_000))
    _, entry = listed()["resources"]
    assert entry == {
        "uri": path.as_uri(),
        "name": "a fox.png",
        "title": "A red fox in the snow",
        "description": "nano-banana-pro, 40 x 30 pixels, task task-1",
        "mimeType": "image/png",
        "size": path.stat().st_size,
        "annotations": {"audience": ["user"], "lastModified": "2026-09-21T14:13:20Z"},
    }


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1, "1970-01-01T00:00:00Z"), (2**33, "2242-03-16T12:56:32Z"), (2**62, "9999-12-31T23:59:59Z")],
)
def test_whatever_time_a_file_has_it_is_listed(listed, album, monkeypatch, seconds, shown):
    path = album.save("a.png")
    status = os.stat_result((*path.stat()[:8], seconds, 0))
    monkeypatch.setattr(type(path), "lstat", lambda _: status)
    assert listed()["resources"][1]["annotations"]["lastModified"] == shown


def test_a_long_prompt_is_cut_and_a_task_from_elsewhere_is_titled_by_its_file(listed, album, services, crowd):
    album.save("a.png", prompt="fox " * 100)
    crowd(1, 2)
    _, elsewhere, long = listed()["resources"]
    assert (elsewhere["title"], elsewhere["description"]) == ("1", "task t1")
    assert (len(long["title"]), long["title"][-1]) == (80, "…")


def test_every_file_of_a_task_is_listed_and_the_newest_task_first(listed, album):
    album.save("a.png", "b.png")
    album.save("c.png")
    assert [entry["name"] for entry in listed()["resources"]] == ["guide", "c.png", "a.png", "b.png"]


def test_only_what_is_still_there_as_a_regular_file_is_listed(listed, album, tmp_path):
    kept = album.save("kept.png")
    gone, folder, pipe, link, dangling = (album.save(f"{number}.png") for number in range(5))
    for path in (gone, folder, pipe, link, dangling):
        path.unlink()
    folder.mkdir()
    os.mkfifo(pipe)
    link.symlink_to(kept)
    dangling.symlink_to(tmp_path / "nowhere")
    assert [entry["name"] for entry in listed()["resources"]] == ["guide", "kept.png"]


def test_the_size_is_the_one_that_the_file_has_now(listed, album):
    path = album.save("a.png")
    path.write_bytes(b"shorter")
    assert listed()["resources"][1]["size"] == 7


def test_a_name_that_was_taken_again_is_listed_once_for_the_newer_task(listed, album):
    album.save("hero.png", prompt="first").unlink()
    album.save("hero.png", prompt="second")
    assert [entry["title"] for entry in listed()["resources"][1:]] == ["second"]


def test_on_a_later_page_it_is_listed_once_more(listed, album):
    path = album.save("hero.png")
    for number in range(TASKS_A_PAGE - 1):
        album.save(f"{number}.png")
    path.unlink()
    album.save("hero.png")
    first = listed()
    second = listed(first["nextCursor"])
    assert [page["resources"][-1]["uri"] == path.as_uri() for page in (first, second)] == [False, True]
    assert first["resources"][1]["uri"] == path.as_uri()


@pytest.mark.parametrize("name", [b"\xff", b"caf\xe9", b"\xed\xa0\x80"])
def test_a_path_that_is_no_text_is_not_listed_as_no_uri_leads_there(listed, album, name):
    album.save("kept.png")
    album.folder /= os.fsdecode(name)
    album.folder.mkdir()
    album.save("lost.png")
    assert [entry["name"] for entry in listed()["resources"]] == ["guide", "kept.png"]


def test_a_page_ends_before_a_task_with_which_it_would_have_too_many_pictures(listed, walk, album):
    made = [album.save(*(f"{number}-{index}.png" for index in range(30))) for number in range(4)]
    lengths = [len(listed()["resources"])]
    lengths.append(len(listed(listed()["nextCursor"])["resources"]))
    assert lengths == [1 + 90, 30]
    assert len(set(walk())) == 1 + 30 * len(made)


@pytest.mark.parametrize("pictures", [PICTURES_A_PAGE, PICTURES_A_PAGE + 1])
def test_a_task_is_listed_whole_however_many_pictures_it_has(listed, walk, album, pictures):
    for name in "abc":
        album.save(*(f"{name}-{index}.png" for index in range(pictures)))
    assert len(listed()["resources"]) == 1 + pictures
    assert len(set(walk())) == 1 + 3 * pictures


@pytest.mark.parametrize(("pictures", "tasks"), [(PICTURES_A_PAGE // 2, 2), (PICTURES_A_PAGE // 2 + 1, 1)])
def test_a_page_has_as_many_tasks_as_its_pictures_allow(listed, album, pictures, tasks):
    for name in "abc":
        album.save(*(f"{name}-{index}.png" for index in range(pictures)))
    assert len(listed()["resources"]) == 1 + tasks * pictures


def test_a_page_that_is_just_full_is_the_last(listed, album):
    for number in range(TASKS_A_PAGE):
        album.save(f"{number}.png")
    assert "nextCursor" not in listed()
    album.save("more.png")
    assert len(listed(listed()["nextCursor"])["resources"]) == 1


def test_in_a_ledger_of_ten_thousand_every_picture_is_listed_once_while_more_come(walk, crowd):
    uris = crowd(1, 10_001)
    numbers = itertools.count(20_001, 2)

    def one_more():
        number = next(numbers)
        crowd(number, number + 1)

    assert walk(between=one_more) == [GUIDE, *reversed(uris)]


def test_pictures_that_vanish_between_two_pages_leave_no_gap(walk, album):
    paths = [album.save(f"{number}.png") for number in range(2 * TASKS_A_PAGE)]
    found = walk(between=paths[0].unlink)
    assert found == [GUIDE, *(path.as_uri() for path in reversed(paths[1:]))]


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "\ud800",
        5,
        1.5,
        True,
        [],
        {"a": 1},
        "before-",
        "before--1",
        "before-1x",
        "before-1\n",
        "before-" + "9" * 19,
        "before-7 ",
        "A" * 1_000_000,
    ],
)
def test_a_cursor_that_is_none_is_named(listed, album, services, cursor, made):
    if made:
        album.save("a.png")
    with pytest.raises(InputError, match=r"params\.cursor is") as caught:
        list_resources(services, {"cursor": cursor}, CallContext())
    assert len(caught.value.message) < 200


def test_a_cursor_of_null_is_that_of_the_first_page(services):
    assert list_resources(services, {"cursor": None}, CallContext())["resources"][0]["uri"] == GUIDE


@pytest.mark.parametrize("number", ["0", "1", "9" * 18])
def test_a_cursor_from_another_ledger_does_no_harm(listed, album, number):
    album.save("a.png")
    assert len(listed(f"before-{number}")["resources"]) == (1 if len(number) > 1 else 0)


def test_a_cancelled_listing_ends(listed, album):
    album.save("a.png")
    context = CallContext()
    context.cancel()
    with pytest.raises(CancelledError):
        listed(context=context)


def test_settings_that_cannot_be_used_are_said(clock, catalogue):
    def broken():
        raise ConfigError("KIE_AI_RATE_LIMIT is 'x'.")

    services = Services(clock=clock, load_config=broken, load_catalogue=lambda: catalogue, build_jobs=lambda *_: None)
    with pytest.raises(ConfigError, match="KIE_AI_RATE_LIMIT"):
        list_resources(services, {}, CallContext())


def test_a_state_folder_that_cannot_be_looked_into_is_as_if_there_were_none(clock, catalogue, make_config, official):
    config = make_config(state_dir=Path("/", "a" * 1000))
    services = Services(
        clock=clock, load_config=lambda: config, load_catalogue=lambda: catalogue, build_jobs=lambda *_: None
    )
    (guide,) = official("resources/list", list_resources(services, {}, CallContext()))["resources"]
    assert guide["uri"] == GUIDE


@pytest.mark.parametrize("method", [list_templates, list_prompts])
def test_what_is_always_the_same_needs_no_settings(clock, method):
    def broken():
        raise ConfigError("KIE_AI_RATE_LIMIT is 'x'.")

    services = Services(clock=clock, load_config=broken, load_catalogue=broken, build_jobs=broken)
    assert method(services, {}, CallContext())


def test_both_templates_are_told(services, official):
    told = official("resources/templates/list", list_templates(services, {}, CallContext()))["resourceTemplates"]
    assert [template["uriTemplate"] for template in told] == ["kie-mcp://models/{model}", "kie-mcp://tasks/{task_id}"]
    for template in told:
        assert {"name", "title", "description", "mimeType"} <= template.keys()
    assert not services.config.state_path.exists()


def test_templates_have_one_page(services):
    with pytest.raises(InputError, match=r"params\.cursor"):
        list_templates(services, {"cursor": "x"}, CallContext())


def test_a_name_is_shown_without_control_characters_and_the_uri_has_them_all(listed, album):
    path = album.save("a\x1b[2J\u202eb.png")
    entry = listed()["resources"][1]
    assert entry["name"] == "a [2J b.png"
    assert entry["uri"] == Path(path).as_uri()
