"""Which models take pictures, and how many."""

import pytest

from kie_mcp.catalogue import Catalogue, Wish
from kie_mcp.errors import InputError


def test_a_model_without_pictures_names_its_sibling_that_takes_them(refusal):
    assert refusal("google/nano-banana", image_input=("/a.png",)) == (
        "google/nano-banana takes no pictures (image_input). Its sibling 'google/nano-banana-edit' does."
    )


def test_a_model_without_such_a_sibling_names_others(refusal):
    assert refusal("z-image", image_input=("/a.png",)).endswith(
        "These do: google/nano-banana-edit, nano-banana-2, nano-banana-pro."
    )


def test_the_sibling_is_the_likest_of_its_family(folder, add):
    text, picture = {"type": "string"}, {"type": "array"}
    add("gpt-image-2-text-to-image", {"prompt": text}, {"prompt": "prompt"})
    for name in ("gpt-image-2-5-flare-image-to-image", "gpt-image-2-image-to-image", "gpt-other"):
        add(name, {"prompt": text, "urls": picture}, {"prompt": "prompt", "image_input": "urls"})
    with pytest.raises(InputError, match="'gpt-image-2-image-to-image' does"):
        Catalogue.load(str(folder)).plan(Wish("x", "gpt-image-2-text-to-image", image_input=("a",)))


def test_a_catalogue_without_any_such_model_says_so(folder, add):
    add("alone", {"prompt": {"type": "string"}}, {"prompt": "prompt"})
    with pytest.raises(InputError, match="No known model does"):
        Catalogue.load(str(folder)).plan(Wish("x", "alone", image_input=("a",)))


def test_too_many_pictures_are_refused(refusal):
    assert refusal("nano-banana-pro", image_input=("a",) * 9) == (
        "image_input has 9 pictures; nano-banana-pro accepts at most 8."
    )


def test_a_model_that_works_on_pictures_needs_one(refusal):
    assert refusal("google/nano-banana-edit") == (
        "google/nano-banana-edit works on pictures: give 1 to 10 of them as image_input."
    )
