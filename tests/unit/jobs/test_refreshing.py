"""Refreshing the models: what comes of good, bad and missing answers."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from kie_mcp import schemas
from kie_mcp.catalogue import refreshed
from kie_mcp.catalogue.refreshed import bundled_at, bundled_files
from kie_mcp.context import CallContext
from kie_mcp.errors import (
    AuthError,
    CancelledError,
    ConfigError,
    CreditsError,
    InputError,
    NetworkError,
    RateLimitError,
    ServerError,
    UnclearAnswerError,
)
from kie_mcp.jobs.refreshing import Refresher

BUNDLED = bundled_files()
KNOWN = ("nano-banana-pro", "qwen/text-to-image", "seedream/4.5-edit", "z-image")
NEW = {"prompt": {"type": "string"}, "aspect_ratio": {"type": "string", "enum": ["1:1", "2:1"]}}


class Market:
    """Kie's catalogue: some bundled models; ``schemas`` has other answers, or errors, by their ids."""

    def __init__(self):
        self.listed = [entry(model_id) for model_id in KNOWN]
        self.total = None
        self.schemas = {}
        self.asked = []

    def models(self, context):
        context.raise_if_cancelled()
        if isinstance(self.listed, Exception):
            raise self.listed
        return {"total": self.total, "models": self.listed} if isinstance(self.listed, list) else self.listed

    def schema(self, model_id, context):
        context.raise_if_cancelled()
        self.asked.append(model_id)
        usual = changed(model_id) if model_id in BUNDLED else {"model": model_id, "openapi": None}
        answer = self.schemas.get(model_id, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


def entry(model_id, task="Text to Image"):
    return {"model": model_id, "title": model_id, "taskType": [task], "pricingDesc": None}


def described(model_id, schema, path="/api/v1/jobs/createTask"):
    body = {"properties": {"input": schema}}
    post = {"requestBody": {"content": {"application/json": {"schema": body}}}}
    return {"model": model_id, "openapi": {"paths": {path: {"post": post}}}}


def of(model_id, **fields):
    return described(model_id, {"type": "object", "properties": fields, "required": []})


def changed(model_id, **fields):
    known = copy.deepcopy(BUNDLED[model_id]["input"])
    schema = {name: known[name] for name in ("type", "properties", "required")}
    schema["properties"].update(fields)
    return described(model_id, schema)


@pytest.fixture
def market():
    return Market()


@pytest.fixture
def context(clock):
    clock.shift = 1_900_000_000.0  # later than the bundled models
    return CallContext(clock)


@pytest.fixture
def folder(tmp_path):
    """A schemas folder with a few of the models."""
    found = tmp_path / "schemas"
    (found / "models").mkdir(parents=True)
    for name in ("catalogue.json", *(f"models/{model_id.replace('/', '__')}.json" for model_id in KNOWN)):
        shutil.copy(Path(schemas.root()) / name, found / name)
    return str(found)


@pytest.fixture
def read(path, folder):
    """The model files that are made of the state file."""
    return lambda: {model_id: made for model_id, (_, made) in refreshed.read(path, folder).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "catalogue.json"


@pytest.fixture
def refresh(make_config, path, market, context, folder):
    refresher = Refresher(make_config(), path, lambda: market, folder=folder)
    return lambda: refresher.refresh(context)


def test_what_has_not_changed_is_counted(refresh, read):
    found = refresh()
    assert (found.asked, found.unchanged) == (4, 4)
    assert (found.updated, found.new, found.skipped) == ((), (), {})
    assert found.gone == ()
    assert set(read()) == set(KNOWN)


def test_a_changed_schema_is_used_and_named(refresh, market, read):
    market.schemas["z-image"] = changed("z-image", seed={"type": "integer"})
    assert refresh().updated == ("z-image",)
    assert read()["z-image"]["input"]["properties"]["seed"] == {"type": "integer"}
    found = refresh()
    assert (found.updated, found.unchanged) == ((), 4)


def test_descriptions_alone_are_no_change(refresh, market):
    field = {**BUNDLED["z-image"]["input"]["properties"]["prompt"], "description": "What it shows."}
    market.schemas["z-image"] = changed("z-image", prompt=field)
    assert refresh().updated == ()


def test_a_price_that_is_told_otherwise_is_a_change(refresh, market):
    market.listed[3]["pricingDesc"] = "0.8 credits per picture"
    assert refresh().updated == ()
    market.listed[3]["pricingDesc"] = "900 credits per picture"
    assert refresh().updated == ("z-image",)


def test_a_new_image_model_is_added_and_named_once(refresh, market, read):
    market.listed.append(entry("brand/new"))
    market.schemas["brand/new"] = of("brand/new", **NEW)
    assert refresh().new == ("brand/new",)
    assert read()["brand/new"]["mapping"]["aspect_ratio"] == {"field": "aspect_ratio"}
    found = refresh()
    assert (found.new, found.unchanged) == ((), 5)


def test_what_kie_no_longer_lists_stays_and_is_named(refresh, market, read):
    market.listed.append(entry("brand/new"))
    market.schemas.update({"brand/new": of("brand/new", **NEW), "z-image": changed("z-image", seed=NEW["prompt"])})
    refresh()
    market.listed = market.listed[:3]
    for _ in range(2):
        assert refresh().gone == ("brand/new", "z-image")
        assert "brand/new" in read()
        assert "seed" in read()["z-image"]["input"]["properties"]


@pytest.mark.parametrize(
    "answer",
    [
        described("chat", {"properties": {"messages": {"type": "array"}}}, "/api/v1/chat/completions"),
        {"model": "chat", "openapi": {}},
        of("chat", prompt={"type": "string"}, video_url={"type": "string"}),
        of("chat", prompt={"type": "string"}, duration={"type": "integer"}),
    ],
)
def test_what_makes_no_pictures_is_not_taken(refresh, market, read, answer):
    market.listed.append(entry("chat"))
    market.schemas["chat"] = answer
    found = refresh()
    assert market.asked[-1] == "chat"
    assert (found.new, found.skipped, list(found.not_taken)) == ((), {}, ["chat"])
    assert "chat" not in read()


@pytest.mark.parametrize(
    "answer",
    [
        {"model": "z-image", "openapi": None},
        {"model": "other", "openapi": described("z-image", BUNDLED["z-image"]["input"])["openapi"]},
        {"model": "z-image", "openapi": {"paths": {"/api/v1/chat/completions": {}}}},
        of("z-image"),
        of("z-image", prompt={"$ref": "https://evil.example/x.json"}),
        of("z-image", prompt={"type": "string", "minLength": 9, "maxLength": 1}),
        "not an object",
        [],
        InputError("Kie answered code 404: not supported", code=404),
        UnclearAnswerError("Kie answered HTTP 200 with something that is not its JSON envelope."),
        ServerError("Kie answered code 500: oops"),
        NetworkError("The connection broke."),
    ],
    ids=range(12),
)
def test_a_schema_that_cannot_be_used_leaves_its_model_as_it_was(refresh, market, answer, read):
    market.schemas["z-image"] = answer
    found = refresh()
    assert list(found.skipped) == ["z-image"]
    assert found.unchanged == 3
    assert "z-image" not in read()


def test_a_model_that_was_refreshed_before_stays_so(refresh, market, read):
    market.listed.append(entry("brand/new"))
    market.schemas.update(
        {"z-image": changed("z-image", seed={"type": "integer"}), "brand/new": of("brand/new", **NEW)}
    )
    refresh()
    before = read()
    market.schemas.update({"z-image": {"model": "z-image"}, "brand/new": InputError("unknown", code=404)})
    found = refresh()
    assert (list(found.skipped), found.not_taken, found.gone) == (["brand/new", "z-image"], {}, ())
    after = read()
    assert after["z-image"] == before["z-image"]
    assert after["brand/new"] == before["brand/new"]


@pytest.mark.parametrize(
    "listed",
    [
        {},
        None,
        "x",
        [],
        [None, 5, "z-image"],
        [entry("other/model")],
        [entry(f"../../{model_id}") for model_id in KNOWN],
        [entry(KNOWN[0])],
        NetworkError("The connection broke."),
        AuthError("Kie refused the key."),
        UnclearAnswerError("An HTML page."),
    ],
    ids=range(11),
)
def test_a_list_that_cannot_be_used_changes_nothing(refresh, path, market, listed):
    refresh()
    before = path.read_bytes()
    market.listed = listed
    with pytest.raises((NetworkError, AuthError, UnclearAnswerError)):
        refresh()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "error",
    [AuthError("No."), CreditsError("None."), ConfigError("No."), RateLimitError("Too many."), CancelledError("No.")],
)
def test_an_error_in_the_middle_changes_nothing(refresh, path, market, error):
    refresh()
    before = path.read_bytes()
    market.schemas.update({"nano-banana-pro": changed("nano-banana-pro", a={}), "z-image": error})
    with pytest.raises(type(error)):
        refresh()
    assert path.read_bytes() == before


def test_a_cancelled_refresh_changes_nothing(refresh, path, market, context):
    def last():
        context.cancel()
        return changed("z-image")

    market.schemas["z-image"] = last
    with pytest.raises(CancelledError):
        refresh()
    assert not path.exists()


def test_when_most_schemas_cannot_be_used_nothing_changes(refresh, path, market):
    market.schemas.update({model_id: {"model": model_id, "openapi": None} for model_id in KNOWN[:2]})
    assert len(refresh().skipped) == 2
    before = path.read_bytes()
    market.schemas["seedream/4.5-edit"] = {"model": "seedream/4.5-edit", "openapi": None}
    market.asked.clear()
    with pytest.raises(UnclearAnswerError, match="nano-banana-pro: Kie gives no schema for it") as caught:
        refresh()
    assert "as they were" in caught.value.next_step
    assert market.asked == list(KNOWN[:3])
    assert path.read_bytes() == before


def test_progress_counts_the_models(make_config, path, market, context, folder):
    told = []
    Refresher(make_config(), path, lambda: market, folder=folder).refresh(
        context.child(lambda *given: told.append(given))
    )
    assert told[0] == (0, None, "reading the list of models")
    assert told[1] == (0, 4, "reading nano-banana-pro")
    assert told[-1] == (3, 4, "reading z-image")


def test_without_a_key_nothing_is_asked(make_config, path, market, context):
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY"):
        Refresher(make_config(api_key=None), path, lambda: market).refresh(context)
    assert market.asked == []


def test_a_list_that_says_that_it_is_longer_changes_nothing(refresh, path, market):
    market.total = 218
    with pytest.raises(UnclearAnswerError, match="cut off after 4"):
        refresh()
    assert market.asked == []
    assert not path.exists()


def test_a_hostile_list_is_asked_for_little(refresh, market):
    market.listed += [entry(f"m{n}") for n in range(1000)] + [entry("../../x"), entry("a\n"), entry("x" * 9999), 5]
    found = refresh()
    assert found.asked == 300
    assert market.asked[:4] == list(KNOWN)
    assert len(found.not_taken) == 296


def test_the_file_never_holds_more_models_than_are_asked_for(refresh, path, market):
    market.schemas.update({f"m{n}": of(f"m{n}", **NEW) for n in range(600)})
    known = market.listed
    for first in (0, 300):
        market.listed = [*known, *(entry(f"m{n}") for n in range(first, first + 300))]
        refresh()
    kept = [model["id"] for model in json.loads(path.read_text("utf-8"))["models"]]
    assert kept == [*KNOWN, *(f"m{n}" for n in range(300, 596))]


def test_where_the_date_is_wrong_nothing_is_asked(refresh, path, market, clock):
    clock.shift = bundled_at() - 1
    day = dt.datetime.fromtimestamp(clock.shift, dt.UTC).date()
    with pytest.raises(ConfigError, match=f"date, {day}, is wrong") as caught:
        refresh()
    assert "clock" in caught.value.next_step
    clock.shift = -1e12
    with pytest.raises(ConfigError, match="1970"):
        refresh()
    assert market.asked == []
    assert not path.exists()


def test_the_key_is_kept_nowhere(make_config, path, market, context, folder):
    key = "k-0123456789abcdef"
    told = []
    market.listed += [entry(key), entry("brand/new")]
    market.listed[-1].update(title=f"A {key}", pricingDesc=f"{key} credits", taskType=["Text to Image", key])
    field = {"type": "string", "description": key, "enum": [key, "1:1"], "default": key}
    market.schemas["brand/new"] = of("brand/new", **NEW, style=field)
    market.schemas["z-image"] = InputError("Kie answered code 404: unknown")
    refresher = Refresher(make_config(api_key=key), path, lambda: market, folder=folder)
    refresher.refresh(context.child(lambda *given: told.append(given)))
    assert b"brand/new" in path.read_bytes()
    assert key not in path.read_text("utf-8")
    assert key not in str(told)
