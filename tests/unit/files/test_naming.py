"""Names of picture files."""

from __future__ import annotations

import time

import pytest

from kie_mcp.files.naming import default_stem, same_format, slug


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
