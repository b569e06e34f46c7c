"""The guide is short, whole, and says what the tools and the catalogue say."""

from __future__ import annotations

import re

import pytest

from kie_mcp.catalogue import Catalogue
from kie_mcp.catalogue.model import CHOICES
from kie_mcp.catalogue.prompts import compose
from kie_mcp.resources.guide import guide


@pytest.fixture(scope="module")
def text(catalogue):
    return guide(catalogue)


def row_of(text, model_id):
    (row,) = [line for line in text.splitlines() if line.startswith(f"| `{model_id}` |")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_the_guide_is_long_enough_to_help_and_short_enough_to_be_read(text):
    assert 5_000 < len(text.encode()) < 15_000


def test_every_model_stands_once_below_its_kind(text, catalogue):
    for model in catalogue.search():
        section = text.split(f"\n### {model.kind}\n")[1].split("\n### ")[0]
        assert section.count(f"\n| `{model.id}` |") == 1
    assert len(re.findall(r"^\| `.*` \| .* \| .*\|$", text.split("## All models")[1], re.MULTILINE)) == len(
        catalogue.search()
    )


@pytest.mark.parametrize(
    ("model_id", "credits_shown", "takes"),
    [
        ("nano-banana-pro", "18 to 24", "0 to 8 pictures; usual 2:3 3:2 4:5 5:4 21:9 auto; 1K 2K 4K; png jpg"),
        ("z-image", "0.8", "usual"),
        ("bytedance/seedream-v4-edit", "5 each", "1 to 10 pictures; usual 2:3 3:2 21:9; 1K 2K 4K"),
        ("recraft/crisp-upscale", "0.5", "1 picture; no prompt"),
        ("grok-imagine-image-2-0/segment-map", "free", "0 to 1 pictures; no prompt"),
        ("ideogram/v3-remix", "?", "1 picture; usual; negative_prompt"),
        ("ideogram/v3-edit", "3.5 to 10", "1 picture; needs mask_url"),
        ("seedream/5-flash-layer-decomposition", "3.24 per layer", "1 picture; auto 1K 1.5K 2K; png jpg"),
        (
            "seedream/5-pro-image-to-image",
            "7 to 14 + 0.5 for each further input picture",
            "1 to 10 pictures; usual 2:3 3:2 21:9; 1K 2K; png jpg",
        ),
    ],
)
def test_a_model_is_told_with_its_price_and_what_it_takes(text, model_id, credits_shown, takes):
    assert row_of(text, model_id) == [credits_shown, takes]


def test_every_choice_of_every_model_is_told(text, catalogue):
    (usual,) = re.findall(r'"usual" stands for the ratios ([^;]+);', text)
    for model in catalogue.search():
        told = row_of(text, model.id)[1].replace("usual", usual.replace(",", ""))
        words = {word for part in told.split(";") for word in part.split()}
        for choice in CHOICES:
            assert set(model.choices(choice)) - {"jpeg"} <= words, (model.id, choice)


def test_every_platform_is_told_with_its_shapes(text, catalogue):
    section = text.split("\n## Platforms\n")[1].split("\n## ")[0]
    told = {}
    for line in re.findall(r"^- (.+): (`.+)$", section, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"`([^`]+)`", line[1]), tuple(line[0].split(", ")))
    assert told == {platform.name: platform.aspect_ratios for platform in catalogue.platforms()}
    assert list(told.keys() - catalogue.platform_names()) == []


def test_what_a_platform_adds_to_the_prompt_is_told(text):
    (row,) = [line for line in text.splitlines() if line.startswith("| `platform` |")]
    added = compose("a fox", None, "linkedin", None).removeprefix("a fox\n\n").removesuffix(" linkedin")
    assert f'a line "{added}" in the prompt' in row


def test_the_cheapest_models_are_named(text):
    (drawing,) = re.findall(r"need only a prompt: (.*)", text)
    assert drawing.startswith("`z-image` (0.8), ")
    (editing,) = re.findall(r"work from pictures: (.*)", text)
    assert "per layer" not in editing


def test_every_name_in_the_guide_is_one_of_the_tools_models_or_platforms(text, catalogue, tool_words):
    known = tool_words | {model.id for model in catalogue.search()} | set(catalogue.platform_names())
    known |= {value for model in catalogue.search() for choice in CHOICES for value in model.choices(choice)}
    known |= {name for model in catalogue.search() for name in model.fields}
    known |= {"task:<task_id>", '["task:<task_id>"]'}
    assert set(re.findall(r"`([^`\n]+)`", text)) - known == set()


def test_a_catalogue_without_models_has_a_guide_too():
    empty = Catalogue([], Catalogue.load()._platforms)
    assert guide(empty).startswith("# ")
