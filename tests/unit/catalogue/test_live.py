"""Which models of Kie's list are asked for."""

from __future__ import annotations

import pytest

from kie_mcp.catalogue.live import MOST_MODELS, Entry, UnusableError, entries, is_model_id

KNOWN = ("z-image", "ideogram/v3-text-to-image")
KNOWN_HERE = {"model": "z-image"}


def listed(*models):
    return {"total": len(models), "models": list(models)}


def image(model_id, **changes):
    return {"model": model_id, "title": "A", "taskType": ["Text to Image"], "pricingDesc": "4 credits", **changes}


def ids(data):
    return [entry.id for entry in entries(data, KNOWN)]


def test_known_models_are_asked_for_whatever_is_said_of_them():
    data = listed({"model": "ideogram/v3-text-to-image", "taskType": ["Text to Video"]}, {"model": "z-image"})
    assert ids(data) == ["ideogram/v3-text-to-image", "z-image"]


@pytest.mark.parametrize(
    ("task", "asked"),
    [
        ("Text to Image", True),
        ("image-to-image", True),
        ("Image Editing", True),
        ("Image Upscale", True),
        ("Background Removal", True),
        ("Text to Video", False),
        ("Image to Video", False),
        ("Video Upscale", False),
        ("Chat", False),
        ("Text to Speech", False),
        ("", False),
    ],
)
def test_new_models_are_asked_for_where_they_make_images(task, asked):
    for given in (task, [task]):
        assert ids(listed(KNOWN_HERE, image("new", taskType=given))) == ["z-image", *(["new"] if asked else [])]


def test_one_of_several_tasks_is_enough():
    assert "new" in ids(listed(KNOWN_HERE, image("new", taskType=["Image to Video", "Image to Image"])))


def test_texts_are_made_safe_to_show_and_cut():
    item = image("z-image", title="A\x1b]0;b\x07", pricingDesc="4\n\x00credits " + "x" * 10**6)
    (entry,) = entries(listed(item), KNOWN)
    assert entry.title == "A ]0;b"
    assert entry.price.startswith("4 credits xxx")
    assert len(entry.price) == 300


def test_what_is_missing_is_left_out():
    assert entries(listed({"model": "z-image"}), KNOWN) == [Entry("z-image", "z-image", (), None)]


@pytest.mark.parametrize(
    "model_id",
    [
        "../../x",
        "a/../b",
        "a/b/c",
        "/a",
        "a/",
        ".hidden",
        "__proto__",
        "a b",
        "a\n",
        "\x1b[31m",
        "a?b=c",
        "a#b",
        "a%2e",
        "x" * 101,
        "x" * 10_000,
        "é",
        "",
        None,
        5,
        ["a"],
        {"a": 1},
    ],
)
def test_what_is_no_id_never_becomes_part_of_a_url(model_id):
    assert not is_model_id(model_id)
    assert ids(listed(image(model_id), image("z-image"))) == ["z-image"]


@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"models": None}, {"models": {}}, {"models": "x"}])
def test_what_is_no_list_is_not_used(data):
    with pytest.raises(UnusableError, match="no list of models"):
        entries(data, KNOWN)


@pytest.mark.parametrize("total", [0, 2, 218, -1, 1.5])
def test_a_list_that_is_not_whole_is_not_used(total):
    with pytest.raises(UnusableError, match="cut off after 1"):
        entries({"total": total, "models": [KNOWN_HERE]}, KNOWN)


@pytest.mark.parametrize("total", [1, 1.0, None, "many", [], {}])
def test_only_a_number_says_how_long_the_list_is(total):
    assert ids({"total": total, "models": [KNOWN_HERE]}) == ["z-image"]


@pytest.mark.parametrize("models", [[], [None, 5, [], "a", {}], [image("z-image")], [image("../../z-image")] * 9])
def test_a_list_with_too_few_of_the_known_models_is_not_used(models):
    with pytest.raises(UnusableError, match="of the 3 models that are known here"):
        entries(listed(*models), (*KNOWN, "third"))


def test_entries_of_other_types_do_no_harm(random_json):
    for value in random_json(2000):
        odd = {"model": "new", "taskType": value, "title": value, "pricingDesc": value}
        found = entries(listed(KNOWN_HERE, value, odd), KNOWN)
        assert all(is_model_id(entry.id) and entry.title.isprintable() for entry in found)


def test_of_a_great_many_entries_the_known_ones_come_first_and_most_are_never_asked_for():
    data = listed(*(image(f"m{n}") for n in range(150_000)), *(image("m1") for _ in range(50_000)), image("z-image"))
    found = ids(data)
    assert found[:3] == ["z-image", "m0", "m1"]
    assert len(found) == len(set(found)) == MOST_MODELS


def test_an_id_that_differs_from_another_in_case_only_is_passed_over():
    assert ids(listed(KNOWN_HERE, image("Z-Image"), image("New"), image("new"))) == ["z-image", "New"]


@pytest.mark.parametrize("model_id", [None, 5, "", "../x", "a\n"])
def test_an_entry_has_an_id(model_id):
    with pytest.raises(UnusableError, match="no usable id"):
        Entry.of(model_id, "A", [], None)
