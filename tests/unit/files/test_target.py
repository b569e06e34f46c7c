"""Where pictures go."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import pytest

from kie_mcp.config import Config
from kie_mcp.errors import OutputError
from kie_mcp.files import Outputs, Target


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def outputs(tmp_path):
    """A function that makes ``Outputs`` from settings."""

    def make(**settings):
        config = Config(state_dir=tmp_path / "state", **settings)
        return Outputs(config, lambda: tmp_path / "Pictures")

    return make


def everything(folder):
    return sorted(folder.rglob("*"))


def test_without_a_home_folder_the_configured_one_is_what_counts(tmp_path, monkeypatch):
    (tmp_path / "file").touch()

    def no_home(*_):
        raise RuntimeError("no home")

    monkeypatch.setattr("platformdirs.user_pictures_path", no_home)
    outputs = Outputs(Config(state_dir=tmp_path, output_dir=tmp_path / "file" / "output"))
    folder, remark = outputs.default_folder()
    assert folder == tmp_path / "file" / "output"
    assert str(tmp_path / "file") in remark
    with pytest.raises(OutputError, match="file"):
        outputs.target(None)


def test_a_path_with_a_picture_extension_is_a_file(here, outputs):
    assert outputs().target("art/Fox.v2.JPEG") == Target(here / "art", "Fox.v2", "JPEG")
    assert everything(here) == [here / "art"]


def test_any_other_path_is_a_folder(here, outputs):
    assert outputs().target("art/v1.2") == Target(here / "art" / "v1.2")
    assert everything(here) == [here / "art", here / "art" / "v1.2"]


def test_a_folder_that_is_named_like_a_picture_is_a_folder(here, outputs):
    (here / "fox.png").mkdir()
    assert outputs().target("fox.png") == Target(here / "fox.png")
    assert outputs().target("new.png/") == Target(here / "new.png")


def test_home_and_file_urls_are_understood(tmp_path, outputs, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert outputs().target("~/a.png") == Target(tmp_path, "a", "png")
    assert outputs().target((tmp_path / "b c.webp").as_uri()) == Target(tmp_path, "b c", "webp")


def test_dots_are_taken_out_of_the_path(here, outputs):
    assert outputs().target("../here/./a.png") == Target(here, "a", "png")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "it is empty"),
        ("a\0b.png", "NUL"),
        ("x" * 300, "longer than 255 bytes"),
        ("x" * 250 + ".png", "file name is longer than"),
        ("/".join(["x" * 200] * 30), "too long"),
        ("/".join(["x" * 200] * 30) + "/a.png", "too long"),
        ("CON.png", "device name"),
        ("com1.tar.png", "device name"),
        ("COM\u00b9.png", "device name"),
        ("nul .png", "device name"),
        ("a\ud800.png", "lone surrogate"),
        ("art/\ud800/a.png", "lone surrogate"),
        (".png", "no name before its extension"),
        ("file://elsewhere/a.png", "another machine"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_with_the_reason(here, outputs, path, reason):
    with pytest.raises(OutputError, match=reason) as caught:
        outputs().target(path)
    assert "output_path" in caught.value.next_step
    assert everything(here) == []


def test_a_path_below_a_file_is_refused(here, outputs):
    (here / "file").touch()
    for path in ("file", "file/a.png", "file/sub/folder"):
        with pytest.raises(OutputError, match="cannot be written to the folder"):
            outputs().target(path)


def test_links_that_lead_in_a_circle_are_refused(here, outputs):
    (here / "a").symlink_to(here / "b")
    (here / "b").symlink_to(here / "a")
    with pytest.raises(OutputError):
        outputs().target("a/sub")


def test_a_place_inside_a_root_is_taken(here, outputs):
    assert outputs(output_roots=(here / "art",)).target("art/deep/a.png").folder == here / "art" / "deep"
    assert outputs(output_roots=(Path("/nowhere"), here / "art")).target("art").folder == here / "art"


@pytest.mark.parametrize("path", ["../elsewhere/a.png", "art-2", "art/../../x", "way-out/a.png"])
def test_a_place_outside_the_roots_is_refused_and_not_created(here, outputs, path):
    (here / "art").mkdir()
    (here / "way-out").symlink_to(here.parent / "beyond")
    before = everything(here.parent)
    with pytest.raises(OutputError, match="KIE_AI_OUTPUT_ROOTS") as caught:
        outputs(output_roots=(here / "art",)).target(path)
    assert str(here / "art") in caught.value.message
    assert everything(here.parent) == before


def test_without_a_path_the_configured_folder_is_used(here, outputs):
    assert outputs().target(None) == Target(here / "output")
    assert outputs().default_folder() == (here / "output", None)


def test_the_pictures_folder_stands_in_for_one_that_cannot_be_written(here, tmp_path, outputs, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("kie_mcp"), "propagate", True)
    (here / "file").touch()
    chosen = outputs(output_dir=here / "file" / "output")
    fallback = tmp_path / "Pictures" / "kie-mcp"
    assert chosen.default_folder()[0] == fallback
    assert not fallback.exists()
    target = chosen.target(None)
    assert target.folder == fallback
    assert chosen.target(None) == target
    assert chosen.default_folder() == (fallback, target.warnings[0])
    assert "KIE_AI_OUTPUT_DIR" in target.warnings[0]
    assert [record.message for record in caplog.records] == [target.warnings[0]]


def test_the_pictures_folder_must_be_inside_the_roots_too(here, outputs):
    chosen = outputs(output_roots=(here / "art",))
    with pytest.raises(OutputError, match="KIE_AI_OUTPUT_ROOTS"):
        chosen.target(None)
    folder, remark = chosen.default_folder()
    assert folder == here / "output"
    assert "KIE_AI_OUTPUT_ROOTS" in remark


def test_telling_the_folder_leaves_nothing_behind(here, outputs):
    (here / "there").mkdir()
    for name in ("there", "new/deep"):
        assert outputs(output_dir=Path(name)).default_folder() == (here / name, None)
    assert everything(here) == [here / "there"]


def test_a_working_directory_that_is_gone_leads_to_the_pictures_folder(here, tmp_path, outputs):
    here.rmdir()
    assert outputs().target(None).folder == tmp_path / "Pictures" / "kie-mcp"
    with pytest.raises(OutputError, match="no such file"):
        outputs().target("a.png")


def test_the_users_own_pictures_folder_is_the_default(here, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (here / "file").touch()
    folder, _ = Outputs(Config(state_dir=tmp_path, output_dir=here / "file")).default_folder()
    assert folder == tmp_path / "Pictures" / "kie-mcp"


# what may have changed between the choice and the writing


def test_a_place_that_has_not_changed_is_still_right(here, outputs):
    chosen = outputs(output_roots=(here,))
    chosen.recheck(chosen.target("art/a.png"))
    chosen.recheck(chosen.target(None))


def test_a_folder_that_has_become_a_link_to_elsewhere_is_refused(here, outputs):
    chosen = outputs(output_roots=(here,))
    target = chosen.target("art/deep/a.png")
    (here / "art" / "deep").rmdir()
    (here / "art").rmdir()
    elsewhere = here.parent / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (here / "art").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="KIE_AI_OUTPUT_ROOTS"):
        chosen.recheck(target)


def test_a_folder_that_is_gone_or_none_any_more_is_refused(here, outputs):
    chosen = outputs()
    target = chosen.target("art")
    (here / "art").rmdir()
    with pytest.raises(OutputError, match="no folder any more"):
        chosen.recheck(target)
    (here / "art").symlink_to(here / "art")
    with pytest.raises(OutputError, match="cannot be written"):
        chosen.recheck(target)


# the program's own files


@pytest.mark.parametrize(
    "name", ["ledger.sqlite3", "window.sqlite3-wal", "catalogue.json", "ledger.sqlite3/deep", "x.SQLITE3"]
)
def test_no_folder_takes_the_name_of_a_file_of_the_state(here, tmp_path, outputs, name):
    with pytest.raises(OutputError, match="the task ledger needs"):
        outputs().target(str(tmp_path / "state" / name))
    assert not (tmp_path / "state").exists()


def test_no_folder_takes_the_name_of_the_log(here, outputs):
    with pytest.raises(OutputError, match="the task ledger needs"):
        outputs(log_file=here / "log").target("log/a.png")


def test_the_state_folder_may_hold_pictures_all_the_same(here, tmp_path, outputs):
    assert outputs().target(str(tmp_path / "state")).folder == tmp_path / "state"
    assert outputs().target(str(tmp_path / "state" / "art" / "a.png")).folder == tmp_path / "state" / "art"


def test_without_a_home_folder_there_is_no_state_to_protect(here, monkeypatch):
    def no_home(*_, **__):
        raise RuntimeError("no home")

    monkeypatch.setattr("platformdirs.user_state_path", no_home)
    assert Outputs(Config()).target("art").folder == here / "art"


# the proof that a folder can be written


def test_a_process_that_is_killed_in_the_middle_of_the_proof_leaves_no_file(here, outputs, monkeypatch):
    seen = []
    real = tempfile.TemporaryFile

    def watched(**given):
        file = real(**given)
        seen.append(everything(here / "art"))  # what would be left now
        return file

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    outputs().target("art")
    assert seen == [[]]


def test_a_folder_that_refuses_files_is_told_with_the_reason(here, outputs, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="no space left on device"):
        outputs().target("art")


def test_the_name_of_a_picture_holds_no_key(outputs, tmp_path):
    made = outputs(api_key="AB12-CD34-EF56-GH78")
    target = Target(tmp_path)
    assert made.stem(target, "ab12 cd34 ef56 gh78", 0, None).endswith("-picture")
    assert made.stem(target, "a red fox", 0, 2).endswith("-a-red-fox-2")
    assert made.stem(Target(tmp_path, "fox", "png"), "a red fox", 0, None) == "fox"
