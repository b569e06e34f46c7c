"""The commands, with answers from a script."""

from __future__ import annotations

import io
import json
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from kie_mcp.errors import AuthError, ConfigError, InputError, TaskFailedError
from kie_mcp.jobs.refreshing import Refreshed


def from_stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))


def test_generate_prints_the_path_and_nothing_else(command, application, generated):
    app = application(generated())
    done = command("generate", "a red fox", "--aspect-ratio", "16:9", "--model-params", "seed=5", application=app)
    assert (done.code, done.out, done.err) == (0, "/pictures/fox.png\n", "")
    arguments = {"prompt": "a red fox", "aspect_ratio": "16:9", "model_params": {"seed": 5}}
    assert app.calls == [("generate_visual", arguments)]
    assert app.closed == 1


def test_generate_finds_relative_pictures_from_where_one_is(command, application, generated):
    app = application(generated())
    given = [
        "fox.png",
        "~/fox.png",
        "/fox.png",
        "https://example.com/fox.png",
        "task:t-1",
        "data:image/png;base64,AA==",
        "",
    ]
    command("generate", "x", *(part for text in given for part in ("--image-input", text)), application=app)
    assert app.calls[0][1]["image_input"] == [str(Path.cwd() / "fox.png"), *given[1:]]


def test_a_failure_goes_to_stderr_with_what_to_do(command, application):
    done = command("generate", "x", application=application(AuthError("Kie refused the key.")))
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "kie-mcp: Kie refused the key.",
        "  Check KIE_AI_API_KEY against the key shown at kie.ai/api-key.",
    ]


@pytest.mark.parametrize("position", [0, 2])
def test_json_may_be_asked_for_before_and_after_the_command(command, application, position):
    words = ["generate", "x"]
    words.insert(position, "--json")
    done = command(*words, application=application(InputError("'prompt' is wrong.")))
    assert done.code == 2
    assert json.loads(done.out)["error"]["message"] == "'prompt' is wrong."
    assert done.err == ""


@pytest.mark.parametrize("position", [0, 2])
def test_the_sandbox_may_be_asked_for_before_and_after_the_command(command, application, generated, position):
    words = ["generate", "x"]
    words.insert(position, "--sandbox")
    app = application(generated())
    command(*words, application=app)
    assert app.built_with["sandbox"] is True


def test_progress_is_reported_while_a_call_runs(command, application, generated):
    def answer(_arguments, context):
        context.progress(1, None, "generating, 1 s")
        return generated()

    assert command("generate", "x", application=application(answer)).err == "kie-mcp: generating, 1 s\n"


@pytest.mark.parametrize(("options", "code"), [([], 3), (["--no-wait-for-result"], 0)])
def test_a_task_that_goes_on_has_an_exit_code_of_its_own(command, application, generated, options, code):
    answer = generated(status="submitted", output_paths=[], next_step="Wait.")
    done = command("generate", "x", *options, application=application(answer))
    assert done.code == code
    assert done.err.splitlines() == [
        "kie-mcp: task task-1 is submitted.",
        "  What goes on at Kie is paid for: `kie-mcp collect` saves it later.",
    ]


def test_a_task_of_the_sandbox_ends_with_it(command, application, generated):
    answer = generated(status="queuing", output_paths=[], next_step="Wait.")
    done = command("--sandbox", "generate", "x", application=application(answer, has_sandbox=True))
    assert "The sandbox ends with this command" in done.err


def test_no_answer_shows_a_secret(command, application, generated):
    app = application(generated(warnings=["the key is sk-1"]), secrets=("sk-1",))
    assert command("generate", "x", application=app).err == "kie-mcp: note: the key is [redacted]\n"


def test_batch_reads_a_file_and_prints_all_paths(command, application, generated):
    Path("items.json").write_text('\ufeff[{"prompt": "a"}, {"prompt": "b"}]', encoding="utf-8")
    results = [{"index": 0, **generated()}, {"index": 1, **generated(output_paths=["/b.png"])}]
    app = application({"ok": True, "total": 2, "succeeded": 2, "failed": 0, "results": results})
    options = [
        "--default-style",
        "ink",
        "--max-workers",
        "3",
        "--no-continue-on-error",
        "--default-image-input",
        "a.png",
    ]
    done = command("batch", "items.json", *options, application=app)
    assert (done.code, done.out, done.err) == (0, "/pictures/fox.png\n/b.png\n", "")
    assert app.calls[0][1] == {
        "items": [{"prompt": "a"}, {"prompt": "b"}],
        "default_style": "ink",
        "default_image_input": [str(Path.cwd() / "a.png")],
        "max_workers": 3,
        "continue_on_error": False,
    }


def test_batch_finds_the_relative_pictures_of_its_file(command, application, monkeypatch):
    items = [{"prompt": "a", "image_input": ["fox.png", "/b.png", 7]}, {"image_input": "fox.png"}, "no item"]
    from_stdin(monkeypatch, json.dumps(items).encode())
    app = application({"ok": True, "total": 3, "failed": 0, "results": []})
    command("batch", "-", application=app)
    sent = app.calls[0][1]["items"]
    assert sent[0]["image_input"] == [str(Path.cwd() / "fox.png"), "/b.png", 7]
    assert sent[1:] == items[1:]


def test_batch_can_be_tried_without_sending_anything(command, application, monkeypatch):
    from_stdin(monkeypatch, b'[{"prompt": "a"}]')
    entry = {
        "index": 0,
        "ok": True,
        "model": "m",
        "body": {"input": {"prompt": "a"}},
        "credits_estimated": 4,
        "warnings": [],
    }
    answer = {"ok": True, "dry_run": True, "total": 1, "succeeded": 1, "failed": 0, "results": [entry]}
    app = application({**answer, "credits_estimated": 4, "usd_estimated": 0.02, "warnings": []})
    done = command("batch", "-", "--dry-run", application=app)
    assert done.code == 0
    assert "could be sent" in done.err
    assert app.calls[0][1] == {"items": [{"prompt": "a"}], "dry_run": True}


def test_batch_reads_standard_input(command, application, generated, monkeypatch):
    from_stdin(monkeypatch, b'[{"prompt": "a"}]')
    app = application({"ok": True, "total": 1, "failed": 0, "results": [{"index": 0, **generated()}]})
    assert command("batch", "-", application=app).code == 0
    assert app.calls[0][1] == {"items": [{"prompt": "a"}]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file 'items.json' is empty."),
        (b" \n", "The file 'items.json' is empty."),
        (b"[{", "The file 'items.json' is not JSON: Expecting property name"),
        (b"[" * 100_000, "The file 'items.json' is not JSON: "),
        (b"\xff\xfe[{}]", "The file 'items.json' cannot be read: byte 0 is not UTF-8 text."),
        (b'{"prompt": "x"}', "The file 'items.json' holds no list."),
        (b"[]", "The file 'items.json' holds an empty list."),
    ],
)
def test_a_file_that_cannot_be_used_is_an_input_error(command, application, content, reason):
    Path("items.json").write_bytes(content)
    app = application()
    done = command("batch", "items.json", application=app)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"kie-mcp: {reason}")
    assert len(done.err.splitlines()) == 2
    assert app.calls == []


@pytest.mark.parametrize(
    ("file", "reason"),
    [("missing.json", "no such file or directory"), (".", "is a directory"), ("nul\0.json", "embedded null byte")],
)
def test_a_file_that_cannot_be_read_is_an_input_error(command, application, file, reason):
    done = command("batch", file, application=application())
    assert done.code == 2
    assert f"cannot be read: {reason}." in done.err


def test_a_closed_standard_input_is_an_input_error(command, application, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    done = command("batch", "-", application=application())
    assert done.err.startswith("kie-mcp: Standard input cannot be read: it is closed.\n")
    assert done.code == 2


def test_tasks_passes_its_options_on(command, application):
    app = application({"ok": True, "tasks": []})
    assert command("tasks", "--status", "fail", "--limit", "5", application=app).code == 0
    assert app.calls == [("list_visual_tasks", {"status": "fail", "limit": 5})]


def test_collect_says_when_there_is_nothing_to_do(command, application):
    done = command("collect", application=application())
    assert (done.code, done.out) == (0, "")
    assert done.err == "kie-mcp: nothing to collect: every task has ended, and its pictures are saved.\n"


def test_collect_of_nothing_is_an_empty_list_in_json(command, application):
    done = command("collect", "--json", application=application())
    assert (done.code, json.loads(done.out)) == (0, {"ok": True, "total": 0, "failed": 0, "results": []})


def test_collect_fetches_what_is_left_of_any_age(command, application, generated, row):
    def answer(arguments, _context):
        return generated() if arguments["task_id"] == "t-1" else TaskFailedError("Kie could not.")

    app = application(answer, answer)
    app.ledger.rows = [row("t-1", owner="another process"), row("t-2")]
    done = command("collect", application=app)
    assert (done.code, done.out) == (1, "/pictures/fox.png\n")
    calls = sorted(arguments["task_id"] for _, arguments in app.calls)
    assert calls == ["t-1", "t-2"]
    assert done.err.splitlines() == [
        "kie-mcp: task t-1: asking",
        "kie-mcp: task t-2: asking",
        "kie-mcp: task t-2: Kie could not.",
        "kie-mcp: 1 of 2 failed.",
        "  Change the prompt or the model as the message suggests, then ask again.",
    ]


def test_collect_fetches_what_is_named_side_by_side_and_counts_as_it_goes(command, application, generated, terminal):
    screen = terminal("stderr", columns=200)
    both = threading.Barrier(2)
    seen = []

    def answer(arguments, context):
        context.progress(3, None, "generating, 3 s")
        seen.append(screen.shown()[-1])
        both.wait(30)
        while arguments["task_id"] == "t-2" and not screen.shown()[-1].startswith("1/2 |"):
            context.progress(4, None, "generating, 4 s")
        return generated()

    app = application(answer, answer)
    done = command("collect", "t-1", "t-2", "--wait-seconds", "5", "--output-path", "out", application=app)
    assert done.code == 0
    given = {"wait_seconds": 5.0, "output_path": "out"}
    calls = sorted((arguments["task_id"], name, arguments) for name, arguments in app.calls)
    assert calls == [(task, "get_visual_task", {"task_id": task, **given}) for task in ("t-1", "t-2")]
    assert [line[:5] for line in seen] == ["0/2 |", "0/2 |"]


def test_collect_says_how_many_tasks_of_another_key_there_are(command, application):
    app = application()
    app.ledger.others = 2
    done = command("collect", application=app)
    assert done.code == 0
    reason = "that were made with another key or address; name them to ask for them."
    assert done.err.splitlines() == [
        f"kie-mcp: left out: 2 unfinished task(s) {reason}",
        "kie-mcp: nothing else to collect: every task has ended, and its pictures are saved.",
    ]


def test_collect_fails_where_the_ledger_does(command, application):
    app = application()
    app.ledger.broken = True
    done = command("collect", application=app)
    assert (done.code, done.err) == (2, "kie-mcp: The ledger is broken.\n  Mend it.\n")


def test_models_joins_the_words_of_a_query(command, application):
    app = application({"ok": True, "models": []})
    command("models", "nano", "banana", "--kind", "text-to-image", application=app)
    assert app.calls == [("list_models", {"query": "nano banana", "kind": "text-to-image"})]


class Refresher:
    """Finds one updated model, or raises."""

    def __init__(self, error=None):
        self.error = error

    def refresh(self, context):
        context.progress(0, 1, "reading z-image")
        if self.error is not None:
            raise self.error
        return Refreshed(2, updated=("z-image",), new=(), unchanged=0, skipped={"a": "sk-1"}, not_taken={}, gone=())


@pytest.fixture
def refreshing(application):
    """An application with a refresher; ``reloaded`` counts how often the models were read anew."""

    def make(error=None, **given):
        app = application({"ok": True, "total": 0, "models": []}, **given)
        app.reloaded = 0

        def reload_catalogue():
            app.reloaded += 1

        app.services.jobs.refresher = Refresher(error)
        app.services.reload_catalogue = reload_catalogue
        return app

    return make


def test_models_can_be_refreshed_first(command, refreshing):
    app = refreshing(secrets=("sk-1",))
    done = command("models", "--refresh", "z", application=app)
    assert done.code == 0
    assert done.err.splitlines()[:3] == [
        "kie-mcp: reading z-image",
        "kie-mcp: 2 models asked for at Kie: 1 updated, 0 new, 0 unchanged, 1 left as they were.",
        "  updated: z-image",
    ]
    assert "left as it was: a: [redacted]" in done.err
    assert app.reloaded == 1
    assert app.calls == [("list_models", {"query": "z"})]


def test_a_refresh_in_json_is_part_of_the_answer(command, refreshing):
    done = command("models", "--refresh", "--json", application=refreshing())
    answer = json.loads(done.out)
    assert (answer["ok"], answer["models"], done.err) == (True, [], "")
    assert answer["refreshed"] == {
        "asked": 2,
        "updated": ["z-image"],
        "new": [],
        "unchanged": 0,
        "skipped": {"a": "sk-1"},
        "not_taken": {},
        "gone": [],
    }


@pytest.mark.parametrize(("error", "code"), [(AuthError("No."), 1), (ConfigError("No key."), 2)])
def test_a_refresh_that_fails_lists_nothing(command, refreshing, error, code):
    app = refreshing(error)
    done = command("models", "--refresh", application=app)
    assert (done.code, done.out, app.calls, app.reloaded) == (code, "", [], 0)
    assert error.message in done.err


def test_models_without_a_query_lists_all(command, application):
    app = application({"ok": True, "models": []})
    command("models", application=app)
    assert app.calls == [("list_models", {})]


def test_credits_prints_the_balance(command, application):
    done = command("credits", application=application({"ok": True, "credits": 1234567.5, "usd": 6172.8375}))
    assert done.out == "1234567.5 credits (about $6172.84)\n"


def test_call_takes_and_gives_json(command, application):
    answer = {"ok": True, "task_id": "t-1", "status": "submitted", "next_step": "Wait."}
    app = application(answer)
    done = command("call", "create_visual_task", '{"prompt": "x"}', application=app)
    assert (done.code, json.loads(done.out)) == (0, answer)
    assert app.calls == [("create_visual_task", {"prompt": "x"})]


@pytest.mark.parametrize(("arguments", "code"), [({}, 3), ({"wait_for_result": False}, 0)])
def test_call_ends_like_the_command_of_that_tool(command, application, generated, arguments, code):
    app = application(generated(status="waiting", next_step="Wait."))
    assert command("call", "generate_visual", json.dumps(arguments), application=app).code == code


def test_call_reads_arguments_from_standard_input(command, application, monkeypatch):
    from_stdin(monkeypatch, b'{"query": "z"}')
    app = application({"ok": True, "models": []})
    assert command("call", "list_models", "-", application=app).code == 0
    assert app.calls == [("list_models", {"query": "z"})]


def test_call_needs_no_arguments_where_the_tool_needs_none(command, application):
    app = application({"ok": True})
    assert command("call", "describe_imager_interface", application=app).code == 0
    assert app.calls == [("describe_imager_interface", {})]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["no_tool"], "There is no tool 'no_tool'; the tools are generate_visual, "),
        (["list_models", "{"], "The arguments are not JSON: "),
        (["list_models", "[" * 100_000], "The arguments are not JSON: "),
        (["list_models", "[]"], "The arguments must be a JSON object, "),
    ],
)
def test_call_answers_wrong_use_in_json(command, application, words, reason):
    done = command("call", *words, application=application())
    assert done.code == 2
    assert json.loads(done.out)["error"]["message"].startswith(reason)
    assert done.err == ""


def test_config_prints_the_block_and_where_it_goes(command, application, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/opt/elsewhere"])
    monkeypatch.setattr("shutil.which", lambda _name: "/opt/bin/kie-mcp")
    done = command("config", "cursor", application=application())
    assert done.code == 0
    server = json.loads(done.out)["mcpServers"]["kie"]
    assert server["command"] == "/opt/bin/kie-mcp"
    assert server["env"]["KIE_AI_OUTPUT_DIR"] == str(Path.home() / "Pictures" / "kie-mcp")
    assert done.err.splitlines() == [
        "kie-mcp: cursor: ~/.cursor/mcp.json, or .cursor/mcp.json in a project",
        "  Put your key in the place of YOUR_KEY.",
    ]


def test_config_for_the_sandbox_asks_for_no_key(command, application):
    done = command("--sandbox", "config", "codex", application=application())
    assert "--sandbox" in done.out
    assert "KEY" not in done.out + done.err


def test_config_in_json_holds_the_same_block(command, application):
    done = command("config", "vscode", "--json", application=application())
    answer = json.loads(done.out)
    assert answer["host"] == "vscode"
    assert json.loads(answer["block"])["inputs"][0]["password"] is True
    assert "mcp.json" in answer["where"]
    assert done.err == ""


def test_doctor_prints_a_line_for_each_check(command, application, monkeypatch):
    found = [("settings", True, "all\nwell with sk-1"), ("API key", False, "Missing. Call get_credits.")]
    monkeypatch.setattr("kie_mcp.cli.commands.checks", lambda _services, _context: iter(found))
    done = command("doctor", application=application(secrets=("sk-1",)))
    assert done.code == 1
    assert done.out.splitlines() == [
        "ok    settings: all well with [redacted]",
        "FAIL  API key: Missing. Call `kie-mcp credits`.",
    ]


def test_doctor_in_json_says_the_same(command, application, monkeypatch):
    monkeypatch.setattr("kie_mcp.cli.commands.checks", lambda _services, _context: iter([("settings", True, "fine")]))
    done = command("doctor", "--json", application=application())
    assert done.code == 0
    assert json.loads(done.out) == {"ok": True, "checks": [{"check": "settings", "ok": True, "detail": "fine"}]}


def test_settings_that_cannot_be_used_are_told_once(command, application):
    done = command("tasks", application=application(ConfigError("KIE_AI_TIMEOUT_SECONDS is 'soon'.")))
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "kie-mcp: KIE_AI_TIMEOUT_SECONDS is 'soon'.",
        "  Correct the named variable in the environment or in .env, then run the command again.",
    ]
