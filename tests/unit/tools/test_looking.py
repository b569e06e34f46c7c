"""``list_visual_tasks``, ``list_models``, ``get_credits`` and ``describe_imager_interface``."""

from __future__ import annotations

import json
import re
from importlib import metadata

import pytest

import kie_mcp
from kie_mcp.config import VARIABLES
from kie_mcp.errors import AuthError, BundleError, ConfigError
from kie_mcp.kie import TaskStatus
from kie_mcp.tools import TOOLS

# list_visual_tasks


@pytest.fixture
def made(tools):
    """Seven tasks, of prompts ``fox 1`` to ``fox 7``."""
    for number in range(1, 8):
        tools.clock.time += 60
        tools.call("create_visual_task", prompt=f"fox {number}")
    return tools


def test_tasks_come_newest_first_with_what_was_asked(made):
    tasks = made.call("list_visual_tasks")["tasks"]
    assert [task["prompt"] for task in tasks] == [f"fox {number}" for number in range(7, 0, -1)]
    assert set(tasks[0]) == {
        "task_id",
        "status",
        "model",
        "prompt",
        "created_at",
        "output_paths",
        "credits_consumed",
        "credits_estimated",
    }
    assert (tasks[0]["credits_consumed"], tasks[0]["credits_estimated"]) == (None, 18)
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\dZ", tasks[0]["created_at"])


def test_pages_follow_each_other_without_gaps_or_repeats(made):
    seen, cursor = [], {}
    for size in (3, 3, 1):
        answer = made.call("list_visual_tasks", limit=3, **cursor)
        assert len(answer["tasks"]) == size
        seen += [task["task_id"] for task in answer["tasks"]]
        cursor = {"cursor": answer["next_cursor"]} if "next_cursor" in answer else None
    assert cursor is None
    assert seen == [f"task-{number}" for number in range(7, 0, -1)]


def test_a_page_that_is_just_full_is_the_last(made):
    assert "next_cursor" not in made.call("list_visual_tasks", limit=7)


def test_a_new_task_does_not_disturb_the_pages(made):
    first = made.call("list_visual_tasks", limit=2)
    made.call("create_visual_task", prompt="fox 8")
    second = made.call("list_visual_tasks", limit=2, cursor=first["next_cursor"])
    assert [task["prompt"] for task in second["tasks"]] == ["fox 5", "fox 4"]


@pytest.mark.parametrize("cursor", ["", "before-", "before-x", "before--1", "²", "9" * 30, "x" * 1000])
def test_a_cursor_that_is_none_is_explained(made, cursor):
    error = made.error("list_visual_tasks", cursor=cursor)
    assert error["category"] == "input"
    assert "'cursor' is" in error["message"]
    assert "next_cursor of an earlier answer" in error["message"]
    assert len(error["message"]) < 200


def test_tasks_of_one_status_are_listed_alone(made, kie):
    made.call("get_visual_task", task_id="task-2")
    kie.state = lambda task_id: TaskStatus(task_id, "generating")
    made.call("get_visual_task", task_id="task-3")
    for status, expected in (("success", ["task-2"]), ("generating", ["task-3"]), ("refused", [])):
        assert [task["task_id"] for task in made.call("list_visual_tasks", status=status)["tasks"]] == expected
    assert len(made.call("list_visual_tasks", status="running")["tasks"]) == 6


def test_a_finished_task_is_told_with_its_files_and_cost(tools):
    picture = tools.call("generate_visual", prompt="a fox", platform="x")
    (task,) = tools.call("list_visual_tasks")["tasks"]
    assert (task["status"], task["output_paths"]) == ("success", picture["output_paths"])
    assert (task["credits_consumed"], task["platform"]) == (18, "x")
    assert "credits_estimated" not in task
    assert task["completed_at"] >= task["created_at"]


def test_a_refused_task_is_told_with_its_error(tools, kie):
    kie.refusals["a fox"] = AuthError("The key was refused.", code=401)
    tools.error("generate_visual", prompt="a fox")
    (task,) = tools.call("list_visual_tasks")["tasks"]
    assert (task["status"], task["task_id"], task["error"]["category"]) == ("refused", None, "auth")
    assert "credits_estimated" not in task


def test_a_long_prompt_is_cut_and_a_task_from_elsewhere_has_none(tools):
    tools.call("create_visual_task", prompt="fox " * 500)
    tools.call("get_visual_task", task_id="elsewhere")
    adopted, long = tools.call("list_visual_tasks")["tasks"]
    assert adopted["prompt"] is None
    assert (len(long["prompt"]), long["prompt"][-1]) == (200, "…")


def test_the_tasks_of_the_dead_are_collected_before_they_are_listed(tools, die):
    tools.call("create_visual_task", prompt="a fox")
    die()
    news = []
    while not news:  # on a driven clock the ten seconds of a call are over before the picture is saved
        answer = tools.call("list_visual_tasks")
        news = answer.get("finished_meanwhile", [])
    (task,) = tools.call("list_visual_tasks")["tasks"]
    assert task["status"] == "success"
    assert len(task["output_paths"]) == 1
    told = {"task_id": task["task_id"], "status": "success", "prompt": "a fox", "output_paths": task["output_paths"]}
    assert news == [told]
    assert "finished_meanwhile" not in tools.call("list_visual_tasks")


def test_tasks_are_listed_without_a_key(make_tools):
    assert make_tools(api_key=None).call("list_visual_tasks") == {"ok": True, "tasks": []}


# list_models


def test_every_model_is_listed_in_short(tools, catalogue):
    answer = tools.call("list_models")
    assert answer["total"] == len(answer["models"]) == len(catalogue.search())
    assert all({"id", "title", "kind", "credits"} <= set(model) for model in answer["models"])
    assert not any("input_schema" in model for model in answer["models"])
    assert len(json.dumps(answer, separators=(",", ":"))) < 18_000


def test_a_price_is_told_in_credits_and_dollars_and_in_words_where_it_depends(tools):
    listed = {model["id"]: model for model in tools.call("list_models")["models"]}

    def price(model_id):
        return {name: listed[model_id][name] for name in ("credits", "usd", "price") if name in listed[model_id]}

    assert price("z-image") == {"credits": 0.8, "usd": 0.004}
    assert price("nano-banana-pro") == {"credits": 18, "usd": 0.09, "price": "18 (1K/2K), 24 (4K)"}
    assert price("ideogram/v3-remix") == {"credits": None}


def test_models_are_found_by_the_names_of_their_inputs(tools):
    found = {model["id"] for model in tools.call("list_models", query="mask_url")["models"]}
    assert {"ideogram/v3-edit", "ideogram/character-edit", "qwen2-1/image-to-image"} <= found


def test_models_are_found_by_words_and_by_kind(tools):
    found = tools.call("list_models", query="banana")["models"]
    assert found
    assert all("banana" in model["id"] for model in found)
    of_kind = tools.call("list_models", kind="text-to-image")["models"]
    assert {model["kind"] for model in of_kind} == {"text-to-image"}


def test_a_model_named_exactly_is_shown_whole(tools, catalogue):
    (model,) = tools.call("list_models", query="nano-banana-pro")["models"]
    assert model["input_schema"] == dict(catalogue.find("nano-banana-pro").input_schema)
    assert model["aspect_ratios"][:3] == ["1:1", "2:3", "3:2"]
    assert (model["max_images"], model["credits"]) == (8, 18)
    assert model["notes"]


def test_what_a_model_does_not_accept_is_left_out(tools):
    (model,) = tools.call("list_models", query="z-image")["models"]
    assert "resolutions" not in model
    assert "max_images" not in model


def test_near_misses_are_named(tools):
    answer = tools.call("list_models", query="nano-bananna-pro")
    assert (answer["total"], answer["models"]) == (0, [])
    assert "nano-banana-pro" in answer["did_you_mean"]


def test_a_kind_that_is_none_is_explained(tools):
    error = tools.error("list_models", kind="text-to-imag")
    assert error["category"] == "input"
    assert "Did you mean 'text-to-image'?" in error["message"]


def test_an_exact_model_of_another_kind_is_not_found(tools):
    assert tools.call("list_models", query="z-image", kind="text-or-image-to-image")["models"] == []


# get_credits


def test_the_balance_is_told_in_credits_and_dollars(tools):
    assert tools.call("get_credits") == {"ok": True, "credits": 5916.25, "usd": 29.5813}


# describe_imager_interface


def test_the_description_tells_tools_settings_limits_and_versions(tools, tmp_path, catalogue):
    answer = tools.call("describe_imager_interface")
    assert [tool["name"] for tool in answer["tools"]] == [tool.name for tool in TOOLS]
    assert answer["tools"][0]["required"] == ["prompt"]
    assert answer["server"]["version"] == kie_mcp.__version__
    assert answer["server"]["libraries"]["requests"] == metadata.version("requests")
    environment = answer["environment"]
    assert (environment["api_key"], environment["output_folder"]) == ("set", str(tmp_path / "out"))
    assert environment["state_folder"] == str(tmp_path / "state")
    assert sorted(environment["variables"]) == sorted(variable.name for variable in VARIABLES)
    assert environment["variables"]["KIE_AI_RATE_LIMIT"] == "100/1"
    assert environment["models"] == [model.id for model in catalogue.search()]
    assert "linkedin" in environment["platforms"]
    assert answer["limits"]["new_tasks"] == "100 per 1 s"
    assert "output_folder_warning" not in environment


@pytest.mark.parametrize(
    ("most", "client", "expected"), [(None, 54, 54), (None, float("inf"), None), (20, 54, 20), (100, 54, 100)]
)
def test_the_description_tells_how_long_a_call_of_this_client_may_take(make_tools, most, client, expected):
    tools = make_tools(max_wait_seconds=most)
    tools.call_seconds = client
    limits = tools.call("describe_imager_interface")["limits"]
    assert (limits["max_wait_seconds"], limits["call_seconds"]) == (most, expected)


def test_the_description_never_shows_the_key(tools):
    assert tools.config.api_key not in json.dumps(tools.call("describe_imager_interface"))


def test_the_description_says_that_the_key_is_missing(make_tools):
    answer = make_tools(api_key=None).call("describe_imager_interface")
    assert answer["environment"]["api_key"] == "missing"
    assert answer["environment"]["variables"]["KIE_AI_API_KEY"] == "missing"


def test_the_description_touches_neither_network_nor_disk(tools, tmp_path):
    tools.call("describe_imager_interface")
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_used_are_described_rather_than_failing(make_tools):
    tools = make_tools(ConfigError("KIE_AI_TIMEOUT_SECONDS is 'soon'; accepted is a number of seconds."))
    answer = tools.call("describe_imager_interface")
    assert answer["environment"]["config_error"]["category"] == "config"
    assert "'soon'" in answer["environment"]["config_error"]["message"]
    assert len(answer["tools"]) == len(TOOLS)
    assert tools.error("get_credits")["category"] == "config"


def test_a_broken_installation_is_described_rather_than_failing(make_tools):
    tools = make_tools()

    def broken():
        raise BundleError("No bundled schemas.")

    tools.services._load_catalogue = broken
    answer = tools.call("describe_imager_interface")
    assert answer["environment"]["config_error"]["message"] == "No bundled schemas."


def test_a_library_that_is_not_there_is_described_rather_than_failing(tools, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert set(tools.call("describe_imager_interface")["server"]["libraries"].values()) == {"not installed"}


def test_an_output_folder_that_cannot_be_used_is_told(make_tools, tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    environment = make_tools(output_dir=tmp_path / "file", output_roots=(tmp_path,)).call("describe_imager_interface")[
        "environment"
    ]
    assert str(tmp_path / "file") in environment["output_folder_warning"]
    assert environment["variables"]["KIE_AI_OUTPUT_ROOTS"] == [str(tmp_path)]
