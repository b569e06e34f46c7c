"""Names of picture files."""

from __future__ import annotations

import time

import pytest

from kie_mcp.files.naming import default_stem, picture_stem, same_format, slug


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A red fox", "a-red-fox"),
        ("  Café -- Crème!  ", "cafe-creme"),
        ("лиса в снегу", "лиса-в-снегу"),
        ("赤い狐", "赤い狐"),
        ("हिन्दी में", "हिन्दी-में"),
        ("../../etc/passwd", "etc-passwd"),
        ("snake_case\nand\ttabs", "snake-case-and-tabs"),
        ("½ a ﬁsh", "12-a-fish"),
        ("!!!", "picture"),
        ("", "picture"),
    ],
)
def test_a_prompt_becomes_words_with_hyphens(prompt, expected):
    assert slug(prompt) == expected


def test_a_long_prompt_is_cut_at_a_word():
    assert (
        slug("one two three four five six seven eight nine ten eleven")
        == "one-two-three-four-five-six-seven-eight-nine-ten"
    )


def test_a_single_long_word_is_cut():
    assert slug("a" * 100) == "a" * 48


def test_a_prompt_of_any_length_gives_a_short_name():
    assert len(slug("fox " * 100_000)) <= 48


def test_the_stem_begins_with_the_local_time():
    assert default_stem("Fox", time.mktime((2026, 3, 5, 9, 30, 7, 0, 0, -1))) == "20260305-093007-fox"


def test_two_names_of_one_format_are_the_same():
    assert same_format("JPEG", "jpg")
    assert same_format("tif", "tiff")
    assert not same_format("png", "jpg")
    assert not same_format(None, "png")


@pytest.mark.parametrize(
    ("secret", "prompt"),
    [
        ("0f3a9b0c77aa41d2", "0F3A9B0C77AA41D2"),
        ("0f3a9b0c77aa41d2", "a fox 0F3A 9B0C 77AA 41D2"),
        ("0f3a9b0c77aa41d2", "".join(chr(ord(char) + 0xFEE0) for char in "0f3a9b0c77aa41d2")),
        ("8e2f1c1a-0b7c-4f5e-9a3d-1c2b3a4d5e6f", "8e2f1c1a 0b7c 4f5e 9a3d 1c2b3a4d5e6f"),
        ("ab" * 32, "AB" * 32),
        ("Abcdefgh_1", "!" * 495 + "abcdefgh1"),
    ],
    ids=["capitals", "groups", "wide letters", "without hyphens", "longer than a name", "where reading ends"],
)
def test_a_secret_comes_out_in_no_name_however_it_is_written(secret, prompt):
    assert slug(prompt, (secret,)) == "picture"
    assert picture_stem(None, prompt, 0, 2, (secret,)).endswith("-picture-2")
    assert slug("a red fox", (secret, "", "fox", "--------")) == "a-red-fox"
