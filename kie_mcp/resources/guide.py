"""The guide for whoever writes prompts; what it says of models and platforms comes from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.catalogue import USD_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kie_mcp.catalogue import Catalogue, Model
    from kie_mcp.catalogue.platforms import Platform

_USUAL = ("1:1", "4:3", "3:4", "16:9", "9:16")
_CHEAPEST = 4

_PROMPTS = """\
# Asking for pictures

The tools take the same arguments for every model, and give each model what it needs under its own names. What a model
cannot do is refused before it costs anything, with what it can do instead.

## What belongs in a prompt

Write a few plain sentences, the most important thing first: models give the most weight to what comes early. Name what
can be seen; a feeling is better shown than named.

| part | say | for example |
|---|---|---|
| subject | who or what, how many, doing what, which details | an old lighthouse keeper with a white beard mends a net |
| setting | place, season, hour, what is behind | on a stone pier in November, fishing boats far behind |
| light | where it comes from, how hard, which colour | low sun from the left, long shadows |
| composition | distance, angle, place of the subject, what stays empty | waist up, at eye level, in the right third |
| lens | for photographs: focal length, depth of field, film | 85 mm, shallow depth of field, fine grain |
| style | medium, school, age, palette; as the argument `style` | gouache, muted greens and ochre |

- Be exact where it matters and silent where it does not: what is not said, the model fills in well.
- Words of praise (masterpiece, best quality, 8k) show nothing. One light, one angle, one style: no contradictions.
- One prompt is one picture. "Four versions of" gives a sheet with four small ones; make a batch instead.
- Say what is there, not what is missing: "an empty street at dawn", not "a street without cars".
- Most models read English best. Text that is to be read in the picture stays in its own language.

## Text in the picture

Put it in double quotes, letter by letter, and say where it stands and what it looks like: a shop sign above the door
that reads "Open late", in hand-painted white letters. A few words come out well, sentences seldom; longer text is
better set afterwards, on room that the composition leaves for it. Where words matter, look at the result at full size.
Stronger at lettering than most are `nano-banana-pro`, `gpt-image-2-text-to-image` and `ideogram/v3-text-to-image`.

## What to leave to arguments

| argument | does |
|---|---|
| `model` | an id of the table below; without it the usual one, which `describe_imager_interface` names |
| `aspect_ratio` | the shape. Words such as "wide" or "16:9" in a prompt do not set it |
| `platform` | the shape that looks right there, unless `aspect_ratio` is given; and a line "Platform:" in the prompt |
| `resolution` | `1K`, `2K`, `4K`: dearer with some models; draft small |
| `output_format` | `png`, `jpeg` or `webp`, where the model offers it. Files are named by what came |
| `style` | the look, as a line of its own below the prompt, so that a whole set has the same |
| `negative_prompt` | what to keep out |
| `image_input` | pictures to work from |
| `output_path` | a file or a folder; nothing that exists is overwritten |
| `model_params` | what else a model takes, such as `seed`: `list_models` with its exact id as `query` shows it |

Leave out what you have no opinion on: the model then goes by its own defaults.

## What to keep out: `negative_prompt`

A short list of things, not of orders: "text, watermark, extra fingers", not "do not draw text". Models with an input
for it (marked below) get it there; others read it as a line "Avoid:", which is weaker and may even suggest the thing.
Describe the wanted picture first, and use this only for what keeps coming back.

## Editing: `image_input`

It is a list of https URLs, absolute paths, and `task:<task_id>` for the picture of an earlier task. The table says how
many pictures a model takes.

- Say what changes, then what stays: "Make it night, with lit windows. Keep the house, the angle and the framing."
- Several pictures are known by their order: "the man of the first picture wears the coat of the second".
- One change at a time, each from the best result so far: `["task:<task_id>"]`. Copies of copies lose detail.
- Give `aspect_ratio` too: some models make a square where they are not told.
- Upscalers and background removers go by the picture alone; the tools want a `prompt` all the same: it names the file.
- A mask, or a picture for another purpose, goes into `model_params`, under the name that the model has for it.

## Sets that belong together

Make them with one `generate_visual_batch`: the `items` have only what differs, the rest stands once in `default_style`,
`default_model`, `default_aspect_ratio` and so on.

- Describe what comes back, a figure or a room, with exactly the same words in each `prompt`.
- For the same face or product make one picture first, and give it to the others: `default_image_input` is then
  `["task:<task_id>"]`.
- Where the model has a `seed`, the same one in `default_model_params` keeps pictures closer together.
- `dry_run` checks all items and says in `credits_estimated` what they should cost. It sends nothing.

## Money and time

- A picture is paid for once it is asked for. When a call ends before it is done, it goes on: do what `next_step` says,
  as a rule `get_visual_task` with `wait_seconds`, and do not ask again.
- After an error of the category `unknown_outcome` the picture may exist and be billed: look before you ask again.
  Repeat at once only what is `retryable`.
- `list_visual_tasks` has every task of this machine, `get_credits` the balance.
- Draft with a cheap model, finish with a dear one.
"""


def guide(catalogue: Catalogue) -> str:
    """The whole guide, in Markdown."""
    models = catalogue.search()
    parts = (_PROMPTS, _platforms(catalogue.platforms()), _choosing(models), *_tables(catalogue))
    return "\n".join(parts)


def _platforms(platforms: Iterable[Platform]) -> str:
    by_ratios: dict[tuple[str, ...], list[str]] = {}
    for platform in platforms:
        by_ratios.setdefault(platform.aspect_ratios, []).append(f"`{platform.name}`")
    lines = [f"- {', '.join(ratios)}: {', '.join(names)}" for ratios, names in by_ratios.items()]
    intro = "What `platform` knows, with the shapes it sets: the first of them that the model can make."
    return "\n".join(("## Platforms", "", intro, "", *lines, ""))


def _choosing(models: Iterable[Model]) -> str:
    """Which models are the cheapest for what is usually wanted."""
    priced = sorted((model for model in models if model.price.credits), key=lambda model: model.price.credits or 0)
    drawing = [model for model in priced if model.works_on_a_prompt]
    editing = [model for model in priced if model.max_images and model.kind.endswith("image-to-image")]
    return f"""\
## Choosing a model

First what it has to take (pictures, how many; a shape; a size), then the price. One credit is ${USD_PER_CREDIT:g}.

- The cheapest that need only a prompt: {_priced(drawing)}.
- The cheapest that work from pictures: {_priced(editing)}.
- A model that is not in the table is passed on as it is, unchecked: new ones appear weekly.
"""


def _priced(models: list[Model]) -> str:
    return ", ".join(f"`{model.id}` ({_credits(model)})" for model in models[:_CHEAPEST])


def _tables(catalogue: Catalogue) -> Iterator[str]:
    yield f"""\
## All models

By kind. Credits are for one task; a range goes by resolution or quality, "each" is for every picture that is asked for.
"usual" stands for the ratios {", ".join(_USUAL)}; what is needed besides goes into `model_params`.
"""
    for kind in catalogue.kinds():
        rows = (f"| `{model.id}` | {_credits(model)} | {_takes(model)} |" for model in catalogue.search(kind=kind))
        yield "\n".join((f"### {kind}", "", "| id | credits | takes |", "|---|---|---|", *rows, ""))


def _credits(model: Model) -> str:
    """The price for one task, in short."""
    price = model.price
    if not price.credits:
        return "?" if price.credits is None else "free"
    known = sorted((price.by_credits or {"": price.credits}).values())
    shown = f"{known[0]:g}" if known[0] == known[-1] else f"{known[0]:g} to {known[-1]:g}"
    if price.image_credits:
        shown += f" + {price.image_credits:g} for each {'further ' if price.free_images else ''}input picture"
    if price.per:
        return f"{shown} per {price.per}"
    return f"{shown} each" if price.times else shown


def _takes(model: Model) -> str:
    """What a model accepts, in short."""
    formats = model.choices("output_format")
    needs = _needs(model)
    parts = (
        _pictures(model),
        "" if "prompt" in model.mapping else "no prompt",
        _ratios(model),
        " ".join(model.choices("resolution")),
        " ".join(word for word in formats if word != "jpeg" or "jpg" not in formats),
        "negative_prompt" if "negative_prompt" in model.mapping else "",
        f"needs {', '.join(needs)}" if needs else "",
    )
    return "; ".join(filter(None, parts))


def _pictures(model: Model) -> str:
    most, least = model.max_images, int(model.image_required)
    if not most:
        return ""
    return "1 picture" if most == least else f"{least} to {most} pictures"


def _ratios(model: Model) -> str:
    ratios = model.choices("aspect_ratio")
    if not set(_USUAL) <= set(ratios):
        return " ".join(ratios)
    return " ".join(("usual", *(ratio for ratio in ratios if ratio not in _USUAL)))


def _needs(model: Model) -> list[str]:
    """What has to stand in ``model_params``."""
    required = model.input_schema.get("required", ())
    return [name for name in model.other_fields if name in required and name not in model.defaults]
