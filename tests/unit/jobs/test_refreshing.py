"""Refreshing the models: what comes of good, bad and missing answers."""

from __future__ import annotations

import copy

import pytest

from kie_mcp.catalogue.refreshed import bundled_files, read
from kie_mcp.context import CallContext
from kie_mcp.errors import (
    AuthError,
    CancelledError,
    ConfigError,
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
        self.schemas = {}
        self.asked = []

    def models(self, context):
        context.raise_if_cancelled()
        if isinstance(self.listed, Exception):
            raise self.listed
        return {"total": 0, "models": self.listed} if isinstance(self.listed, list) else self.listed

    def schema(self, model_id, context):
        context.raise_if_cancelled()
        self.asked.append(model_id)
        usual = described(model_id, BUNDLED.get(model_id, {}).get("input"))
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
    schema = copy.deepcopy(BUNDLED[model_id]["input"])
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
def path(tmp_path):
    return tmp_path / "catalogue.json"


@pytest.fixture
def refresh(make_config, path, market, context):
    refresher = Refresher(make_config(), path, lambda: market)
    return lambda: refresher.refresh(context)


def test_what_has_not_changed_is_counted(refresh, path):
    found = refresh()
    assert (found.asked, found.unchanged) == (4, 4)
    assert (found.updated, found.new, found.skipped) == ((), (), {})
    assert set(found.gone) == set(BUNDLED) - set(KNOWN)
    assert set(read(path)) == set(KNOWN)


def test_a_changed_schema_is_used_and_named(refresh, path, market):
    market.schemas["z-image"] = changed("z-image", seed={"type": "integer"})
    assert refresh().updated == ("z-image",)
    assert read(path)["z-image"]["input"]["properties"]["seed"] == {"type": "integer"}
    found = refresh()
    assert (found.updated, found.unchanged) == ((), 4)


def test_descriptions_alone_are_no_change(refresh, market):
    field = {**BUNDLED["z-image"]["input"]["properties"]["prompt"], "description": "What it shows."}
    market.schemas["z-image"] = changed("z-image", prompt=field)
    assert refresh().updated == ()


def test_a_new_image_model_is_added_and_named_once(refresh, path, market):
    market.listed.append(entry("brand/new"))
    market.schemas["brand/new"] = of("brand/new", **NEW)
    assert refresh().new == ("brand/new",)
    assert read(path)["brand/new"]["mapping"]["aspect_ratio"] == {"field": "aspect_ratio"}
    found = refresh()
    assert (found.new, found.unchanged) == ((), 5)
    market.listed.pop()
    assert "brand/new" in refresh().gone
    assert "brand/new" not in read(path)


@pytest.mark.parametrize(
    "answer",
    [
        described("chat", {"properties": {"messages": {"type": "array"}}}, "/api/v1/chat/completions"),
        {"model": "chat", "openapi": {}},
        of("chat", prompt={"type": "string"}, video_url={"type": "string"}),
        of("chat", prompt={"type": "string"}, duration={"type": "integer"}),
    ],
)
def test_what_makes_no_pictures_is_passed_over(refresh, path, market, answer):
    market.listed.append(entry("chat"))
    market.schemas["chat"] = answer
    found = refresh()
    assert market.asked[-1] == "chat"
    assert (found.new, found.skipped) == ((), {})
    assert "chat" not in read(path)


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
    ],
    ids=range(11),
)
def test_a_schema_that_cannot_be_used_leaves_its_model_as_it_was(refresh, path, market, answer):
    market.schemas["z-image"] = answer
    found = refresh()
    assert list(found.skipped) == ["z-image"]
    assert found.unchanged == 3
    assert "z-image" not in read(path)


def test_a_model_that_was_refreshed_before_stays_so(refresh, path, market):
    market.listed.append(entry("brand/new"))
    market.schemas.update(
        {"z-image": changed("z-image", seed={"type": "integer"}), "brand/new": of("brand/new", **NEW)}
    )
    refresh()
    before = read(path)
    market.schemas.update({"z-image": {"model": "z-image"}, "brand/new": InputError("unknown", code=404)})
    assert list(refresh().skipped) == ["brand/new", "z-image"]
    after = read(path)
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
        NetworkError("The connection broke."),
        AuthError("Kie refused the key."),
        UnclearAnswerError("An HTML page."),
    ],
    ids=range(10),
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
    [NetworkError("The connection broke."), AuthError("No."), RateLimitError("Too many."), CancelledError("No.")],
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
        return described("z-image", BUNDLED["z-image"]["input"])

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


def test_progress_counts_the_models(make_config, path, market, context):
    told = []
    Refresher(make_config(), path, lambda: market).refresh(context.child(lambda *given: told.append(given)))
    assert told[0] == (0, None, "reading the list of models")
    assert told[1] == (0, 4, "reading nano-banana-pro")
    assert told[-1] == (3, 4, "reading z-image")


def test_without_a_key_nothing_is_asked(make_config, path, market, context):
    with pytest.raises(ConfigError, match="KIE_AI_API_KEY"):
        Refresher(make_config(api_key=None), path, lambda: market).refresh(context)
    assert market.asked == []


def test_a_hostile_list_is_asked_for_little(refresh, market):
    market.listed += [entry(f"m{n}") for n in range(1000)] + [entry("../../x"), entry("a\n"), entry("x" * 9999), 5]
    market.schemas.update({f"m{n}": {"model": f"m{n}", "openapi": None} for n in range(1000)})
    found = refresh()
    assert found.asked == 500
    assert market.asked[:4] == list(KNOWN)
    assert len(found.skipped) == 496
