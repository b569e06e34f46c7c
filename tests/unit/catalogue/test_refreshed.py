"""The file of refreshed models: written whole, read with suspicion."""

from __future__ import annotations

import copy
import logging
import os
import stat

import pytest

from kie_mcp import schemas
from kie_mcp.catalogue import Catalogue
from kie_mcp.catalogue.catalogue import refreshed_path
from kie_mcp.catalogue.checking import ModelFileCheck
from kie_mcp.catalogue.refreshed import LARGEST_BYTES, bundled_files, read, write
from kie_mcp.config import Config
from kie_mcp.errors import BundleError, ConfigError, UnclearAnswerError

PICTURE = {"type": "string", "format": "uri"}
LATER = 1_900_000_000.0
BUNDLED = bundled_files()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "catalogue.json"


@pytest.fixture
def model():
    """A bundled model file, with changes that a function makes."""

    def make(change=lambda data: None, model_id="nano-banana-pro"):
        data = copy.deepcopy(BUNDLED[model_id])
        change(data)
        return data

    return make


@pytest.fixture
def warnings(caplog, monkeypatch):
    """The program's warnings so far."""
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def longer(data):
    data["input"]["properties"]["prompt"]["maxLength"] = 777


def test_what_was_written_is_read(path, model, warnings):
    write(path, [model(longer)], LATER)
    assert read(path) == {"nano-banana-pro": model(longer)}
    assert warnings() == []


def test_it_is_readable_by_its_owner_only_and_nothing_else_is_left(path, model):
    write(path, [model()], LATER)
    write(path, [model(longer)], LATER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["catalogue.json"]


def test_a_write_that_fails_changes_nothing(path, model, monkeypatch):
    write(path, [model()], LATER)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left") as caught:
        write(path, [model(longer)], LATER)
    assert "KIE_AI_STATE_DIR" in caught.value.next_step
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["catalogue.json"]


def test_a_folder_that_cannot_be_used_is_a_settings_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"catalogue\.json"):
        write(tmp_path / "file" / "catalogue.json", [], LATER)


def test_too_much_is_not_written(path):
    with pytest.raises(UnclearAnswerError, match="larger"):
        write(path, [{"id": "x" * LARGEST_BYTES}], LATER)
    assert not path.exists()


def test_without_a_file_there_is_nothing(path, warnings):
    assert read(path) == {}
    assert warnings() == []


def test_what_is_older_than_the_bundled_models_is_not_used(path, model, warnings):
    write(path, [model(longer)], 1_000_000_000)
    assert read(path) == {}
    assert warnings() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'{"format": 2, "fetched_at": 1900000000, "models": []}',
        b'{"format": 1, "fetched_at": "1900000000", "models": []}',
        b'{"format": 1, "fetched_at": true, "models": []}',
        b'{"format": 1, "fetched_at": NaN, "models": []}',
        b'{"format": 1, "fetched_at": Infinity, "models": []}',
        b'{"format": 1, "fetched_at": ' + b"9" * 4000 + b', "models": []}',
        b'{"format": 1, "fetched_at": ' + b"9" * 5000 + b', "models": []}',
        b'{"format": 1, "fetched_at": 1900000000}',
        b'{"format": 1, "fetched_at": 1900000000, "models": {}}',
        b'{"format": 1, "fetched_at": 1900000000, "models": []}' + b" " * LARGEST_BYTES,
    ],
    ids=range(17),
)
def test_a_file_that_cannot_be_used_is_told_of_and_left_alone(path, warnings, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert read(path) == {}
    assert len(warnings()) == 1
    assert path.read_bytes() == content


def test_what_is_no_file_is_not_waited_for(path):
    path.parent.mkdir()
    os.mkfifo(path)
    assert read(path) == {}
    path.unlink()
    path.mkdir()
    assert read(path) == {}


def field(**changes):
    return lambda data: data["input"]["properties"]["prompt"].update(changes)


def part(name, value):
    return lambda data: data.update({name: value})


def root(**changes):
    return lambda data: data["input"].update(changes)


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"properties": {"a": value}}
    return value


@pytest.mark.parametrize(
    "change",
    [
        part("id", "../../x"),
        part("id", "nano-banana-pro\n"),
        part("id", "Nano-Banana-Pro"),
        part("id", None),
        part("input", None),
        part("input", []),
        part("input", {"properties": []}),
        part("input", {"properties": {"a": 5}}),
        part("input", {"properties": {}}),
        part("title", ""),
        part("kind", "video"),
        part("mapping", {"prompt": {"field": "nothing"}}),
        part("mapping", {"aspect_ratio": {"field": "resolution"}}),
        part("defaults", {"nothing": 1}),
        part("minimal_input", {}),
        part("price", None),
        part("notes", [" "]),
        field(pattern="(a+)+$"),
        field(**{"$ref": "https://evil.example/schema.json"}),
        field(allOf=[{"$ref": "file:///etc/passwd"}]),
        field(enum=[{"a": 1}]),
        field(maxLength=-1),
        root(patternProperties={"(a+)+$": {}}),
        root(**{"$ref": "https://evil.example/schema.json"}),
        root(**{"$defs": {"a": {}}}),
        root(allOf=[{"pattern": "(a+)+$"}]),
        root(required=["prompt", "nothing"]),
        root(properties={f"f{n}": {} for n in range(1000)}),
        root(properties={"a": nested(400)}),
        part("minimal_input", nested(400)),
        part("defaults", {"image_input": ["/home/somebody/picture.png"]}),
        lambda data: data["input"]["properties"].update(logo_url={**PICTURE, "default": "/home/somebody/picture.png"}),
    ],
    ids=range(32),
)
def test_a_model_that_is_not_right_is_told_of_and_the_others_are_used(path, model, warnings, change):
    write(path, [model(change), model(model_id="z-image")], LATER)
    assert list(read(path)) == ["z-image"]
    assert len(warnings()) == 1


@pytest.mark.parametrize("entry", [None, 5, "z-image", [], {}])
def test_what_is_no_model_is_told_of(path, model, warnings, entry):
    write(path, [entry, model()], LATER)
    assert list(read(path)) == ["nano-banana-pro"]
    assert len(warnings()) == 1


def test_the_bundled_rules_may_be_in_it_and_fewer_of_them(path, model):
    kept = model(lambda data: data["input"]["allOf"].pop(), "gpt-image-2-text-to-image")
    write(path, [kept], LATER)
    assert read(path) == {"gpt-image-2-text-to-image": kept}


def test_random_json_in_the_file_is_never_an_error(path, model, random_json):
    names = list(model())
    for number, value in enumerate(random_json(150)):
        odd = model(part(names[number % len(names)], value))
        odder = model(root(properties={"prompt": value}, required=[]))
        write(path, [value, odd, {**odder, "id": "other", "mapping": {}}], LATER)
        assert all(ModelFileCheck().faults(data) == [] for data in read(path).values())


def test_refreshed_models_lie_over_the_bundled_ones(path, model):
    write(path, [model(longer), model(part("id", "brand/new"))], LATER)
    found = Catalogue.load(refreshed=path)
    assert found.find("nano-banana-pro").fields["prompt"]["maxLength"] == 777
    assert found.find("brand/new") is not None
    assert found.find("z-image") is not None
    assert Catalogue.load().find("brand/new") is None


def test_a_broken_file_leaves_the_bundled_models(path):
    path.parent.mkdir()
    path.write_text("{", "utf-8")
    assert len(Catalogue.load(refreshed=path).search()) == len(BUNDLED)


def test_the_age_of_the_bundled_models_is_a_date(path, folder, model):
    write(path, [model()], LATER)
    for content in ('{"as_of": "soon"}', "{}", "[]"):
        (folder / "catalogue.json").write_text(content, "utf-8")
        with pytest.raises(BundleError, match=r"catalogue\.json"):
            read(path, str(folder))
    assert schemas.load("catalogue.json")["as_of"] >= "2026-10-07"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "catalogue.json"),
        ({"sandbox": True}, "catalogue-sandbox.json"),
        ({"base_url": "http://127.0.0.1:1/api/v1"}, "catalogue-sandbox.json"),
    ],
)
def test_an_api_on_this_machine_has_a_file_of_its_own(tmp_path, settings, name):
    assert refreshed_path(Config(state_dir=tmp_path, **settings)) == tmp_path / name
