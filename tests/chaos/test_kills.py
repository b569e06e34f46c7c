"""Nothing that was paid for is lost, and nothing is paid twice, whenever and however a process ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chaos.courses import ENDS, course
from chaos.kills import run

SEEDS = 3


@pytest.mark.parametrize("end", ENDS)
def test_a_batch_that_is_ended_at_any_moment_is_collected_whole_and_once(end, tmp_path):
    with ThreadPoolExecutor(SEEDS) as pool:
        reports = list(pool.map(lambda seed: run(course(end, seed), tmp_path), range(SEEDS)))
    assert not [report for report in reports if report.problems]


def test_a_course_is_the_same_for_the_same_seed():
    assert course("sigkill", 7) == course("sigkill", 7)
    assert len({course(end, seed) for end in ENDS for seed in range(20)}) == len(ENDS) * 20
