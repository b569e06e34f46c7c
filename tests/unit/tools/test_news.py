"""What has been finished meanwhile, told with the next answer."""

from __future__ import annotations

import json
import threading

import pytest

from kie_mcp.context import CallContext
from kie_mcp.errors import InputError
from kie_mcp.jobs import News
from kie_mcp.jobs.recovery import MOST_NEWS
from kie_mcp.services import LOOK_AGAIN_SECONDS, Services
from kie_mcp.tools import TOOLS, call_tool
from kie_mcp.tools.news import with_news
from kie_mcp.tools.spec import Link, ToolResult

DESCRIBE = next(tool for tool in TOOLS if tool.name == "describe_imager_interface")


def test_without_news_an_answer_stays_as_it_is():
    answer = ToolResult({"ok": True})
    assert with_news(answer, []) is answer


def test_news_is_added_to_whatever_is_answered():
    link = Link("file:///a.png", "a.png", "image/png", 1)
    saved = News("t1", "success", "a fox", ("/out/a.png",))
    failed = News("t2", "fail", None, error="too dark")
    told = with_news(ToolResult({"ok": False, "error": {}}, is_error=True, links=[link]), [saved, failed])
    assert told.structured == {
        "ok": False,
        "error": {},
        "finished_meanwhile": [
            {"task_id": "t1", "status": "success", "prompt": "a fox", "output_paths": ["/out/a.png"]},
            {"task_id": "t2", "status": "fail", "prompt": None, "output_paths": [], "error": "too dark"},
        ],
    }
    assert (told.is_error, told.links) == (True, (link,))


def test_a_long_prompt_is_cut():
    told = with_news(ToolResult({"ok": True}), [News("t", "success", "fox " * 500)])
    assert len(told.structured["finished_meanwhile"][0]["prompt"]) == 200


def test_news_that_is_too_long_is_told_in_short():
    paths = tuple(f"/out/{'x' * 200}-{number}.png" for number in range(10))
    news = [News(f"t{number}", "success", "fox " * 100, paths) for number in range(MOST_NEWS)]
    told = with_news(ToolResult({"ok": True}), news).structured["finished_meanwhile"]
    assert [entry["task_id"] for entry in told] == [one.task_id for one in news]
    assert told[0]["output_paths"] == list(paths)
    assert told[-1] == {"task_id": "t19", "status": "success", "next_step": "get_visual_task shows the rest."}
    assert len(json.dumps(told)) < 5_100


def test_a_refused_call_keeps_the_news_for_the_next(tools, die):
    tools.call("create_visual_task", prompt="a fox")
    die()
    for task_id in tools.services.jobs.recovery.take_over():
        tools.services.jobs.recovery.attend(task_id)
    assert tools.error("get_visual_task")["category"] == "input"
    assert len(tools.call("list_models", query="z-image")["finished_meanwhile"]) == 1


def test_a_cancelled_call_keeps_the_news_for_the_next(tools, die):
    tools.call("create_visual_task", prompt="a fox")
    die()
    for task_id in tools.services.jobs.recovery.take_over():
        tools.services.jobs.recovery.attend(task_id)
    context = CallContext(tools.clock)
    context.cancel()
    assert "finished_meanwhile" not in call_tool(DESCRIBE, tools.services, {}, context).structured
    assert len(tools.call("list_models", query="z-image")["finished_meanwhile"]) == 1


def test_a_call_that_is_cancelled_while_its_preview_is_made_keeps_the_news_for_the_next(served, die, monkeypatch):
    served.call("create_visual_task", prompt="a fox")
    die()
    for task_id in served.services.jobs.recovery.take_over():
        served.services.jobs.recovery.attend(task_id)
    context = CallContext(served.clock)
    monkeypatch.setattr(served.services.jobs.previews, "make", lambda *_: context.cancel())
    tool = next(tool for tool in TOOLS if tool.name == "generate_visual")
    answer = call_tool(tool, served.services, {"prompt": "a hare"}, context)
    assert context.cancelled
    assert "finished_meanwhile" not in answer.structured
    assert len(served.call("list_models", query="z-image")["finished_meanwhile"]) == 1


# looking after tasks in the background


class FakeJobs:
    """Jobs of which only the recovery is asked for."""

    def __init__(self):
        self.started = False
        self.looks = 0
        self.looked = threading.Event()
        self.on_look = lambda: None
        self.recovery = self

    def start(self):
        self.started = True

    def take_over(self):
        self.looks += 1
        self.looked.set()
        self.on_look()

    def news(self):
        return []

    def close(self):
        self.started = False


@pytest.fixture
def background(make_config, clock, catalogue, tmp_path):
    """Services that look after tasks, and the jobs that they have."""

    def make(*, serving=True, build=None, name="state"):
        config = make_config(state_dir=tmp_path / name)
        jobs = FakeJobs()
        services = Services(
            clock=clock,
            load_config=lambda: config,
            load_catalogue=lambda: catalogue,
            build_jobs=build or (lambda *_: jobs),
            serving=serving,
        )
        (config.state_path).mkdir(parents=True)
        return services, jobs, config.state_path / "ledger.sqlite3"

    return make


def joined_threads():
    for thread in threading.enumerate():
        if thread.name == "kie-mcp-look":
            thread.join(30)


def test_any_first_call_looks_after_the_tasks(background, clock):
    services, jobs, ledger = background()
    ledger.touch()
    call_tool(DESCRIBE, services, {}, CallContext(clock))
    assert jobs.looked.wait(30)
    call_tool(DESCRIBE, services, {}, CallContext(clock))
    joined_threads()
    assert jobs.looks == 1
    assert jobs.started
    clock.time += LOOK_AGAIN_SECONDS
    with pytest.raises(InputError):
        call_tool(DESCRIBE, services, {"unknown": 1}, CallContext(clock))
    joined_threads()
    assert jobs.looks == 2


def test_without_a_ledger_there_is_nothing_to_look_for(background, clock):
    services, jobs, ledger = background()
    services.look_after_tasks()
    joined_threads()
    assert jobs.looks == 0
    assert not ledger.exists()


def test_a_command_looks_after_nothing(background):
    services, jobs, ledger = background(serving=False)
    ledger.touch()
    services.look_after_tasks()
    joined_threads()
    assert jobs.looks == 0


def test_settings_that_cannot_be_used_end_the_look_and_nothing_else(background, caplog):
    def refuse(*_):
        raise RuntimeError("a bug")

    services, _, ledger = background(build=refuse)
    ledger.touch()
    services.look_after_tasks()
    joined_threads()
    assert "could not be looked for: a bug" in caplog.text


def test_while_the_ledger_keeps_its_opener_waiting_nobody_else_waits(background, clock):
    opened = threading.Event()
    services, jobs, ledger = background(build=lambda *_: opened.wait(30) and jobs)
    ledger.touch()
    call_tool(DESCRIBE, services, {}, CallContext(clock))
    assert call_tool(DESCRIBE, services, {}, CallContext(clock)).structured["ok"]
    assert services.news() == []
    opened.set()
    joined_threads()
    assert jobs.looks == 1


def test_without_a_thread_to_be_had_the_answer_is_given_all_the_same(background, clock, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    services, jobs, ledger = background()
    ledger.touch()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert call_tool(DESCRIBE, services, {}, CallContext(clock)).structured["ok"]
    assert jobs.looks == 0


def test_a_look_that_comes_too_late_looks_at_nothing_and_says_nothing(background, caplog):
    services, jobs, ledger = background()
    ledger.touch()
    services.close()
    services.look_after_tasks()
    joined_threads()
    assert jobs.looks == 0

    services, jobs, ledger = background(name="other")
    ledger.touch()

    def closed_meanwhile():
        services.close()
        raise RuntimeError("the ledger is closed")

    jobs.on_look = closed_meanwhile
    services.look_after_tasks()
    joined_threads()
    assert jobs.looks == 1
    assert caplog.text == ""
