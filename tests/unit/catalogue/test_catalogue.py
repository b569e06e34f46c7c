"""Finding models: by id, by likeness, by words, in a folder."""

import json
import subprocess
import sys

import pytest

from kie_mcp.catalogue import Catalogue, Wish, did_you_mean
from kie_mcp.catalogue.suggest import nearest_ids
from kie_mcp.errors import BundleError


def test_a_model_is_found_by_its_exact_id(catalogue):
    assert catalogue.find("z-image").title == "Z-Image"
    assert catalogue.find("z-image/z-image") is None


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("seedream-4.5", "seedream/4.5-text-to-image"),
        ("nano-banana", "google/nano-banana"),
        ("z-image/z-image", "z-image"),
        ("google/nano-banana-pro", "nano-banana-pro"),
        ("nano-bananna-pro", "nano-banana-pro"),
        ("NANO_BANANA_2", "nano-banana-2"),
        ("gpt-image-2", "gpt-image-2-text-to-image"),
        ("gpt-image-1.5", "gpt-image/1.5-text-to-image"),
        ("google/nano-banana-2-lite", "nano-banana-2-lite"),
        ("imagen-4", "google/imagen4"),
        ("seedream-5", "seedream/5-pro-text-to-image"),
        ("flux-2-pro", "flux-2/pro-text-to-image"),
        ("wan-2.7", "wan/2-7-image"),
        ("qwen-image-edit", "qwen/image-edit"),
    ],
)
def test_the_nearest_id_is_the_one_that_was_meant(catalogue, asked, meant):
    assert catalogue.nearest(asked)[0] == meant


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("seedream-4.5", "seedream/4.5-edit"),
        ("gpt-image-2", "gpt-image-2-image-to-image"),
        ("flux-2-pro", "flux-2/pro-image-to-image"),
    ],
)
def test_with_pictures_a_model_that_takes_them_is_the_nearest(catalogue, asked, meant):
    assert catalogue.nearest(asked, with_pictures=True)[0] == meant


def test_no_more_ids_are_named_than_asked_for_and_none_without_likeness(catalogue):
    assert len(catalogue.nearest("nano-banana", 2)) == 2
    assert catalogue.nearest("xyz") == []
    assert catalogue.nearest("/") == []


def test_what_is_very_long_is_near_to_nothing():
    long = "nano-banana-" * 20
    assert nearest_ids(long[:200], [long[:199]], 1) == [long[:199]]
    assert nearest_ids(long, [long], 1) == []
    assert did_you_mean("x" * 200, ["x" * 199]) != ""
    assert did_you_mean("x" * 201, ["x" * 200]) == ""


def test_a_search_looks_for_every_word_in_any_case(catalogue):
    assert [m.id for m in catalogue.search("GOOGLE banana EDIT")] == ["google/nano-banana-edit"]
    assert catalogue.search("banana zebra") == []


def test_a_search_by_kind_is_sorted_by_id(catalogue):
    found = [m.id for m in catalogue.search(None, "text-or-image-to-image")]
    assert {"nano-banana-2", "nano-banana-pro", "wan/2-7-image"} <= set(found)
    ids = [m.id for m in catalogue.search(None, None)]
    assert ids == sorted(ids)


def test_the_kinds_are_listed_once_each(catalogue):
    assert catalogue.kinds() == [
        "background-removal",
        "detection",
        "image-to-image",
        "layer-decomposition",
        "segmentation",
        "text-or-image-to-image",
        "text-to-image",
        "upscale",
    ]


def test_the_platforms_of_the_contract_are_known(catalogue):
    named = "linkedin x instagram instagram-story facebook threads telegram reddit pinterest youtube tiktok"
    assert set(named.split()) <= set(catalogue.platform_names())
    assert catalogue.platform_names() == sorted(catalogue.platform_names())
    assert [platform.name for platform in catalogue.platforms()] == catalogue.platform_names()


def test_a_new_file_in_the_folder_is_a_new_model(folder, add):
    assert Catalogue.load(str(folder)).search() == []
    fields = {"text": {"type": "string"}, "shape": {"type": "string", "enum": ["1:1", "2:1"]}}
    add("new/model", fields, {"prompt": "text", "aspect_ratio": "shape"}, required=["text"])
    loaded = Catalogue.load(str(folder))
    assert [m.id for m in loaded.search()] == ["new/model"]
    planned = loaded.plan(Wish("a cat", "new/model", aspect_ratio="2:1"))
    assert planned.input == {"text": "a cat", "shape": "2:1"}
    assert planned.estimated_credits is None


def test_a_file_that_describes_no_model_is_named(folder):
    (folder / "models" / "bad.json").write_text('{"id": "bad"}', "utf-8")
    with pytest.raises(BundleError, match=r"models/bad\.json"):
        Catalogue.load(str(folder))


def test_a_mapping_to_an_input_that_is_not_there_is_named(folder, add):
    add("bad", {}, {"prompt": "text"})
    with pytest.raises(BundleError, match="'text'"):
        Catalogue.load(str(folder))


def test_a_file_of_platforms_of_another_form_is_an_error(folder):
    (folder / "platforms.json").write_text(json.dumps({"x": []}), "utf-8")
    with pytest.raises(BundleError, match=r"platforms\.json"):
        Catalogue.load(str(folder))


def test_a_folder_without_platforms_is_an_error(folder):
    (folder / "platforms.json").unlink()
    with pytest.raises(BundleError, match=r"platforms\.json"):
        Catalogue.load(str(folder))


def test_loading_the_catalogue_does_not_import_jsonschema():
    code = (
        "import sys, pathlib; from kie_mcp.catalogue import Catalogue;"
        "c = Catalogue.load(refreshed=pathlib.Path('nowhere')); c.search('a');"
        "c.find('z-image').accepts(); sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
