"""``completion/complete``."""

from __future__ import annotations

import pytest

from kie_mcp.completion import MOST_VALUES, NEWEST_TASKS, complete
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, ConfigError, InputError
from kie_mcp.resources import list_templates
from kie_mcp.schemas import load_prompts
from kie_mcp.services import Services

PROMPT = {"type": "ref/prompt", "name": "picture_set"}
TASK = {"type": "ref/resource", "uri": "kie-mcp://tasks/{task_id}"}


@pytest.fixture
def ask(services, official):
    """The completion of one value, held against the official definition."""

    def completion(ref, name, value="", **chosen):
        params = {"ref": ref, "argument": {"name": name, "value": value}}
        if chosen:
            params["context"] = {"arguments": chosen}
        return official("completion/complete", complete(services, params, CallContext()))["completion"]

    return completion


@pytest.fixture
def values(ask):
    return lambda *given, **chosen: ask(*given, **chosen)["values"]


def prompt(name):
    return {"type": "ref/prompt", "name": name}


def test_nothing_typed_gives_everything(ask, catalogue):
    found = ask(PROMPT, "model")
    assert found["values"] == [model.id for model in catalogue.search()]
    assert (found["total"], found["hasMore"]) == (len(catalogue.search()), False)


def test_what_begins_so_comes_before_what_contains_it(values):
    found = values(PROMPT, "model", "QWEN")
    assert found[0].startswith("qwen")
    found = values(PROMPT, "model", "banana")
    assert found == ["google/nano-banana", "google/nano-banana-edit"] + [
        name for name in found if name.startswith("nano-banana")
    ]
    found = values(PROMPT, "model", "seedream")
    begins = [name.startswith("seedream") for name in found]
    assert begins == sorted(begins, reverse=True)
    assert {True, False} == set(begins)


@pytest.mark.parametrize("typed", ["zzz", " ", "z" * 100_000, "\ud800", "\0", "%", ".*"])
def test_what_fits_nothing_gives_nothing(ask, typed):
    assert ask(PROMPT, "model", typed) == {"values": [], "total": 0, "hasMore": False}


def test_platforms_and_styles_are_completed(values, catalogue):
    assert values(PROMPT, "platform", "Insta") == ["instagram", "instagram-reel", "instagram-story"]
    assert values(prompt("platform_picture"), "platform") == catalogue.platform_names()
    assert values(PROMPT, "style", "water") == ["watercolour"]
    assert values(PROMPT, "style") == load_prompts()["styles"]


def test_choices_are_those_of_the_chosen_model(values, catalogue):
    model = catalogue.find("nano-banana-pro")
    for argument in ("aspect_ratio", "resolution"):
        assert values(PROMPT, argument, model="Nano-Banana-Pro") == model.choices(argument)
    assert values(prompt("platform_picture"), "output_format", model="qwen2-1/text-to-image")[-1] == "webp"
    assert values(PROMPT, "resolution", model="z-image") == []
    assert values(PROMPT, "aspect_ratio", "16", model="z-image") == ["16:9", "9:16"]


@pytest.mark.parametrize("chosen", [{}, {"model": ""}, {"model": " "}, {"style": "x"}])
def test_without_a_chosen_model_choices_are_those_of_the_usual_one(values, catalogue, services, chosen):
    usual = catalogue.find(services.config.model)
    assert values(PROMPT, "aspect_ratio", **chosen) == usual.choices("aspect_ratio")
    assert values(PROMPT, "resolution", **chosen) == usual.choices("resolution")


def test_settings_that_cannot_be_used_spoil_no_completion_of_choices(clock, catalogue):
    def broken():
        raise ConfigError("KIE_AI_RATE_LIMIT is 'x'.")

    services = Services(clock=clock, load_config=broken, load_catalogue=lambda: catalogue, build_jobs=broken)
    params = {"ref": PROMPT, "argument": {"name": "aspect_ratio", "value": ""}}
    assert complete(services, params, CallContext())["completion"]["values"][0] == "1:1"


def test_of_a_model_that_is_not_known_choices_are_those_of_all_models_the_commonest_first(values, catalogue):
    found = values(PROMPT, "aspect_ratio", model="no-such-model")
    assert found[0] == "1:1"
    assert set(found) == {ratio for model in catalogue.search() for ratio in model.choices("aspect_ratio")}
    assert len(set(found)) == len(found)


def test_tasks_are_completed_newest_first(values, album):
    album.save("a.png")
    album.task()
    album.save("c.png")
    assert values(TASK, "task_id") == ["task-3", "task-2", "task-1"]
    assert values(prompt("finish_my_pictures"), "task_id", "K-2") == ["task-2"]
    assert values(prompt("picture_variations"), "picture") == ["task-3", "task-1"]


def test_a_task_without_an_id_is_left_out(values, services):
    services.jobs.ledger.begin(model="z-image", prompt="a fox", request={})
    assert values(TASK, "task_id") == []


def test_at_most_a_hundred_values_are_given_of_the_newest_tasks(ask, services):
    rows = [(f"t{number:05}", number, number) for number in range(1, 10_001)]
    with services.jobs.database.write() as connection:
        connection.executemany(
            "INSERT INTO tasks (state, task_id, created_at, updated_at) VALUES ('unknown', ?, ?, ?)", rows
        )
    found = ask(TASK, "task_id")
    assert found["values"] == [f"t{number:05}" for number in range(10_000, 10_000 - MOST_VALUES, -1)]
    assert (found["total"], found["hasMore"]) == (NEWEST_TASKS, True)
    found = ask(TASK, "task_id", "t095")
    assert (found["total"], found["hasMore"]) == (100, False)


def test_without_a_ledger_there_are_no_tasks_and_none_is_made(values, services):
    assert values(TASK, "task_id") == []
    assert values(prompt("picture_variations"), "picture") == []
    assert not services.config.state_path.exists()


def test_where_nobody_may_look_there_are_no_tasks(services, album, monkeypatch):
    album.save("a.png")
    monkeypatch.setattr(services, "has_ledger", lambda: False)
    for kind in ("finish_my_pictures", "picture_variations"):
        name = {"finish_my_pictures": "task_id", "picture_variations": "picture"}[kind]
        params = {"ref": prompt(kind), "argument": {"name": name, "value": ""}}
        assert complete(services, params, CallContext())["completion"]["values"] == []


def test_models_of_the_template_are_completed(values):
    assert values({"type": "ref/resource", "uri": "kie-mcp://models/{model}"}, "model", "z-") == ["z-image"]


def test_every_template_that_is_listed_is_completed(ask, services, album):
    album.save("a.png")
    for template in list_templates(services, {}, CallContext())["resourceTemplates"]:
        uri = template["uriTemplate"]
        assert ask({"type": "ref/resource", "uri": uri}, uri.partition("{")[2][:-1])["values"]


def test_every_kind_that_a_prompt_names_is_completed(ask, album):
    album.save("a.png")
    for entry in load_prompts()["prompts"]:
        for argument in entry["arguments"]:
            assert bool(ask(prompt(entry["name"]), argument["name"])["values"]) == ("completes" in argument)


@pytest.mark.parametrize("name", ["subjects", "no_such_argument", "", "model "])
def test_an_argument_whose_values_are_not_known_has_none(ask, name):
    assert ask(PROMPT, name) == {"values": [], "total": 0, "hasMore": False}


GOOD = {"name": "model", "value": ""}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, r"params\.ref is null; it must be an object"),
        ({"ref": "picture_set", "argument": GOOD}, r"params\.ref is 'picture_set'"),
        ({"ref": {}, "argument": GOOD}, r"params\.ref\.type is null"),
        ({"ref": {"type": "ref/tool", "name": "x"}, "argument": GOOD}, r"must be ref/prompt or ref/resource"),
        ({"ref": {"type": "ref/prompt"}, "argument": GOOD}, r"params\.ref\.name is null"),
        ({"ref": {"type": "ref/prompt", "name": []}, "argument": GOOD}, r"params\.ref\.name is \[\]"),
        ({"ref": prompt("picture_sets"), "argument": GOOD}, "Did you mean 'picture_set'"),
        ({"ref": {"type": "ref/resource"}, "argument": GOOD}, r"params\.ref\.uri is null"),
        ({"ref": {"type": "ref/resource", "uri": "kie-mcp://guide"}, "argument": GOOD}, "Unknown resource template"),
        ({"ref": {"type": "ref/resource", "uri": "x" * 10_000}, "argument": GOOD}, "Unknown resource template"),
        ({"ref": PROMPT}, r"params\.argument is null"),
        ({"ref": PROMPT, "argument": []}, r"params\.argument is \[\]"),
        ({"ref": PROMPT, "argument": {"value": ""}}, r"params\.argument\.name is null"),
        ({"ref": PROMPT, "argument": {"name": "model"}}, r"params\.argument\.value is null"),
        ({"ref": PROMPT, "argument": {"name": "model", "value": 5}}, r"params\.argument\.value is 5"),
        ({"ref": PROMPT, "argument": GOOD, "context": "x"}, r"params\.context is 'x'"),
        ({"ref": PROMPT, "argument": GOOD, "context": {"arguments": [1]}}, r"params\.context\.arguments is \[1\]"),
    ],
)
def test_params_that_cannot_be_used_are_named(services, params, message):
    with pytest.raises(InputError, match=message) as caught:
        complete(services, params, CallContext())
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("context", [None, {}, {"arguments": None}, {"arguments": {}}, {"arguments": {"model": 5}}])
def test_a_context_that_says_nothing_is_none(services, context):
    params = {"ref": PROMPT, "argument": {"name": "aspect_ratio", "value": ""}, "context": context}
    assert complete(services, params, CallContext())["completion"]["values"][0] == "1:1"


def test_a_cancelled_completion_ends(services):
    context = CallContext()
    context.cancel()
    with pytest.raises(CancelledError):
        complete(services, {"ref": PROMPT, "argument": GOOD}, context)
