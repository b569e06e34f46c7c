"""``kie-mcp models --refresh``, with the stand-in of Kie behind a socket; both live by one clock that tests drive."""

from __future__ import annotations

import json
import logging
import shutil
import threading

import pytest

from kie_mcp import schemas
from kie_mcp.catalogue import Catalogue
from kie_mcp.catalogue.refreshed import bundled_files, read
from kie_mcp.cli.main import run
from kie_mcp.clock import Clock
from kie_mcp.config import Config
from kie_mcp.context import CallContext
from kie_mcp.errors import CancelledError, KieMcpError, UnclearAnswerError
from kie_mcp.jobs import build_jobs
from kie_mcp.log import LOGGER
from kie_mcp.sandbox import Faults, Sandbox, SandboxOptions


class SharedClock(Clock):
    """Waiting ends at once and moves the time on, for the stand-in and its caller alike."""

    def __init__(self):
        self.time = 0.0
        self.lock = threading.Lock()
        self.on_wait = lambda: None

    def now(self):
        return 1_900_000_000.0 + self.time

    def monotonic(self):
        return self.time

    def wait(self, event, seconds):
        with self.lock:
            self.time += max(0.0, seconds)
        self.on_wait()
        return event.is_set()


@pytest.fixture
def clock():
    return SharedClock()


@pytest.fixture
def folder(tmp_path):
    """A schemas folder with all of the models, for the stand-in."""
    found = tmp_path / "schemas"
    shutil.copytree(schemas.root(), found)
    return found


@pytest.fixture
def edit(folder):
    """Change, add or take away one model of the stand-in."""

    def make(model_id, change, new_id=None):
        name = f"{model_id.replace('/', '__')}.json"
        data = json.loads((folder / "models" / name).read_text("utf-8"))
        change(data)
        data["id"] = new_id or model_id
        (folder / "models" / f"{data['id'].replace('/', '__')}.json").write_text(json.dumps(data), "utf-8")

    return make


@pytest.fixture
def kie(folder, clock):
    """Start stand-ins with the models of ``folder``."""
    started = []

    def start():
        catalogue = Catalogue.load(str(folder))
        started.append(Sandbox(SandboxOptions(), catalogue=catalogue, clock=clock).start())
        return started[-1]

    yield start
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def refresh(tmp_path, clock):
    """Refresh from a stand-in; the file is ``catalogue-sandbox.json`` in the test's folder."""

    def make(sandbox, context=None):
        config = Config(api_key="k-0123456789", base_url=sandbox.base_url, state_dir=tmp_path)
        jobs = build_jobs(config, Catalogue.load(), clock)
        try:
            return jobs.refresher.refresh(context or CallContext(clock))
        finally:
            jobs.database.close()

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "catalogue-sandbox.json"


def longer(data):
    data["input"]["properties"]["prompt"]["maxLength"] = 4321


def without_words(node):
    if isinstance(node, dict):
        return {name: without_words(value) for name, value in node.items() if name != "description"}
    return node


def test_the_bundled_models_come_back_as_they_went_out(kie, refresh, path):
    found = refresh(kie())
    bundled = bundled_files()
    assert (found.updated, found.new, found.gone, found.skipped) == ((), (), (), {})
    assert list(found.not_taken) == []
    assert found.unchanged == len(bundled)
    made = {model_id: model for model_id, (_, model) in read(path).items()}
    assert set(made) == set(bundled)
    for model_id, base in bundled.items():
        assert without_words(made[model_id]["input"]) == without_words(base["input"])
        for part in ("mapping", "defaults", "price", "kind", "title", "notes"):
            assert made[model_id][part] == base[part]


def test_it_never_asks_more_than_once_a_second(kie, refresh, clock):
    sandbox = kie()
    found = refresh(sandbox)
    assert sandbox.stats()["requests"] == {"GET /api/v1/models": found.asked + 1}
    assert clock.time >= found.asked


def test_what_kie_has_changed_is_used_from_then_on(kie, refresh, path, edit):
    edit("z-image", longer)
    edit("z-image", lambda data: None, "brand/new-text-to-image")
    found = refresh(kie())
    assert (found.updated, found.new) == (("z-image",), ("brand/new-text-to-image",))
    catalogue = Catalogue.load(refreshed=path)
    assert catalogue.find("z-image").fields["prompt"]["maxLength"] == 4321
    assert catalogue.find("brand/new-text-to-image").choices("aspect_ratio")
    assert catalogue.find("qwen/text-to-image") is not None


@pytest.mark.parametrize("fault", ["models:html:0", "models:not_json:0", "models:code:500:0", "models:code:401:0"])
def test_broken_answers_change_nothing(kie, refresh, path, edit, fault):
    refresh(kie())
    before = path.read_bytes()
    edit("z-image", longer)
    sandbox = kie()
    sandbox.faults.put(Faults.parse(fault))
    with pytest.raises(KieMcpError):
        refresh(sandbox)
    assert path.read_bytes() == before


@pytest.mark.parametrize("fault", ["models:code:429:9", "models:html:2", "models:drop:1", "models:code:500:1"])
def test_an_answer_that_is_broken_for_a_while_is_asked_for_again(kie, refresh, fault):
    sandbox = kie()
    sandbox.faults.put(Faults.parse(fault))
    assert refresh(sandbox).unchanged == len(bundled_files())


@pytest.mark.parametrize("fault", ["html", "hostile", "code", "drop"])
def test_a_schema_that_stays_broken_leaves_its_model_as_it_is(kie, refresh, fault):
    sandbox = kie()
    sandbox.faults.add("models", fault, times=3, after=5, **({"code": 500} if fault == "code" else {}))
    found = refresh(sandbox)
    assert 1 <= len(found.skipped) <= 3
    assert found.unchanged + len(found.skipped) == len(bundled_files())


def test_a_list_with_few_of_the_models_changes_nothing(kie, refresh, path, folder):
    refresh(kie())
    before = path.read_bytes()
    for file in sorted((folder / "models").iterdir())[3:]:
        file.unlink()
    with pytest.raises(UnclearAnswerError, match="3 of the 68 models"):
        refresh(kie())
    assert path.read_bytes() == before


def test_an_interrupt_in_the_middle_changes_nothing(kie, refresh, path, clock):
    context = CallContext(clock)
    clock.on_wait = lambda: clock.time > 2 and context.cancel()
    with pytest.raises(CancelledError):
        refresh(kie(), context)
    assert not path.exists()


@pytest.fixture
def command(kie, tmp_path, monkeypatch, capsys, clock, environment, key):
    """Run the command line before a stand-in that has the models of ``folder``; the log is as before in the end."""
    log = logging.getLogger(LOGGER)
    before = list(log.handlers), log.level, log.propagate

    def start(*words):
        sandbox = kie()
        settings = {"KIE_AI_BASE_URL": sandbox.base_url, "KIE_AI_API_KEY": key, "KIE_AI_STATE_DIR": str(tmp_path)}
        monkeypatch.setattr("os.environ", {**environment, **settings})
        monkeypatch.chdir(tmp_path)
        code = run(words, clock=clock)
        return code, *capsys.readouterr()

    yield start
    log.handlers, log.level, log.propagate = before


def test_the_command_shows_what_it_found_and_then_the_models(command, edit):
    edit("z-image", longer)
    code, out, err = command("models", "--refresh", "banana", "pro")
    assert code == 0
    assert "1 updated" in err
    assert "  updated: z-image" in err
    assert "nano-banana-pro" in out
    assert "z-image" not in out
    code, out, err = command("--json", "models", "z-image")
    assert json.loads(out)["models"][0]["input_schema"]["properties"]["prompt"]["maxLength"] == 4321


def test_the_command_in_json(command, edit):
    edit("z-image", lambda data: None, "brand/new-text-to-image")
    code, out, err = command("models", "--refresh", "--json", "brand/new-text-to-image")
    answer = json.loads(out)
    assert (code, err, answer["ok"]) == (0, "", True)
    assert answer["refreshed"]["new"] == ["brand/new-text-to-image"]
    assert answer["models"][0]["id"] == "brand/new-text-to-image"
    assert answer["models"][0]["credits"] is None
