"""Models found by words."""

import pytest


@pytest.fixture
def ids(catalogue):
    return lambda query, kind=None: {model.id for model in catalogue.search(query, kind)}


def test_what_models_accept_is_found_as_a_whole(catalogue, ids):
    assert ids("4k") == {model.id for model in catalogue.search() if "4K" in model.choices("resolution")}
    assert "wan/2-7-image" not in ids("4K")
    assert ids("21:9") == {model.id for model in catalogue.search() if "21:9" in model.choices("aspect_ratio")}
    assert {"gpt-image-2-text-to-image", "qwen2-1/text-to-image"} <= ids("transparent")


def test_a_word_that_is_an_input_of_some_model_is_not_part_of_a_name(catalogue, ids):
    assert ids("seed") == {model.id for model in catalogue.search() if "seed" in model.fields}


def test_any_other_word_may_be_part_of_a_name(ids):
    assert "recraft/remove-background" in ids("remove backgr")
    assert ids("nano 4k") >= {"nano-banana-pro", "nano-banana-2", "nano-banana-2-1"}
    assert "google/nano-banana" not in ids("nano 4k")


def test_the_notes_are_searched_where_nothing_else_is_found(ids):
    assert ids("cheapest") == {"z-image"}


def test_the_common_arguments_are_found_whatever_the_models_call_them(catalogue, ids):
    for argument in ("image_input", "aspect_ratio", "resolution"):
        assert ids(argument) == {model.id for model in catalogue.search() if argument in model.mapping}
    assert "seedream/4.5-text-to-image" in ids("resolution 4k")


def test_words_are_found_without_their_endings_in_the_end(ids):
    assert ids("upscaler") >= {"recraft/crisp-upscale", "topaz/image-upscale"}
    assert "seedream/4.5-edit" in ids("image editing")
    assert ids("zebra") == set()
