"""What a seed decides: what is asked, when and how it is ended, what goes wrong beside, and who comes after."""

from __future__ import annotations

import random
from dataclasses import dataclass

ENDS = ("sigkill", "sigterm", "cancel", "eof", "gone")
"""SIGKILL; SIGTERM; notifications/cancelled; the input closed; both pipes closed."""

ITEMS = 20
USUAL_SECONDS = 3.0
"""About how long such a batch takes from the call to its answer, the start of the process included."""
USUAL_REQUESTS = 90
"""About how many requests it makes."""
USUAL_NAMES = 2 * ITEMS
"""How many names of files come up in the output folder: for each picture that of its part and its own."""

LONGEST_SECONDS = {"time": USUAL_SECONDS, "requests": 0.15, "names": 0.02}

TWO_PICTURES = "grok-imagine/text-to-image"
TROUBLES = (
    "poll:drop:3",
    "poll:http:502:3",
    "poll:code:429:2",
    "poll:not_visible:3",
    "download:http:502:3",
    "download:drop:3",
    "download:truncate:2",
    "download:dead:2",
    "download:not_picture:1",
    "create:code:429:2",
    "create:http:503:2",
    "create:drop:accepted=true:1",
    "create:http:status=504,accepted=true:1",
)


@dataclass(frozen=True)
class Course:
    """One run.

    The end comes ``seconds`` after the call or, where one is given, after the request or the file name of that number.
    ``successors`` are the seconds after which each collector is killed; the last one, of which nothing is said, is
    left to work. ``by_server``: a server that is asked something takes the place of ``kie-mcp collect``.
    ``together``: two collectors work at the same time.
    """

    end: str
    seed: int
    seconds: float
    requests: int | None
    names: int | None
    two_pictures: bool
    upload: bool
    rate: str
    troubles: tuple[str, ...]
    successors: tuple[float, ...]
    by_server: bool
    together: bool

    @property
    def loses_answers(self):
        """Whether an answer to createTask is lost on purpose."""
        return any("accepted" in trouble for trouble in self.troubles)


def course(end, seed):
    """The same course for the same end and seed."""
    chance = random.Random(f"{end} {seed}")
    moment = chance.choice(("time", "requests", "names"))
    return Course(
        end=end,
        seed=seed,
        seconds=chance.uniform(0, LONGEST_SECONDS[moment]),
        requests=chance.randint(0, USUAL_REQUESTS) if moment == "requests" else None,
        names=chance.randint(1, USUAL_NAMES) if moment == "names" else None,
        two_pictures=chance.random() < 0.25,
        upload=chance.random() < 0.2,
        rate=chance.choice(["1000/1", "1000/1", "1000/1", "8/1"]),
        troubles=tuple(chance.sample(TROUBLES, chance.choice([0, 0, 1, 2]))),
        successors=tuple(chance.uniform(0.3, 3.0) for _ in range(chance.choice([0, 0, 0, 1, 2]))),
        by_server=chance.random() < 0.4,
        together=chance.random() < 0.3,
    )


def items(course, picture):
    """The items of the batch; every prompt is its own."""
    given = {"image_input": [str(picture)]} if course.upload else {}
    return [
        {"prompt": f"picture {number} of {course.end} {course.seed}", "model": TWO_PICTURES}
        if course.two_pictures and number % 4 == 0
        else {"prompt": f"picture {number} of {course.end} {course.seed}", **given}
        for number in range(ITEMS)
    ]
