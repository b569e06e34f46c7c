"""The lines of a composed prompt."""

import pytest

from kie_mcp.catalogue.prompts import compose


def test_a_prompt_alone_stays_as_it_is():
    assert compose("  a cat\n", None, None, None) == "  a cat\n"


def test_every_part_is_a_line_of_its_own():
    assert compose("a cat", "ink", "linkedin", "dogs") == "a cat\n\nStyle: ink\nPlatform: linkedin\nAvoid: dogs"


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_part_that_was_not_given_has_no_line(nothing):
    assert compose("a cat", nothing, nothing, "dogs") == "a cat\n\nAvoid: dogs"


def test_parts_without_a_prompt_stand_alone():
    assert compose("", "ink", None, None) == "Style: ink"
