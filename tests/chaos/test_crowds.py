"""Several processes at once, and one very large picture."""

from __future__ import annotations

from chaos import crowds
from kie_mcp.config import Rate


def test_servers_on_one_state_folder_share_the_window_and_the_polls(tmp_path):
    # A few seconds instead of half a minute: what a poll is late by weighs more here than in the long form.
    found = crowds.share_a_window(
        tmp_path / "window", servers=3, items=8, rate=Rate(8, 2), task_seconds=0.5, tolerance=0.5
    )
    assert not found.problems, found


def test_forty_equal_prompts_of_two_processes_become_forty_files(tmp_path):
    _, _, problems = crowds.equal_prompts(tmp_path / "equal")
    assert not problems


def test_a_picture_of_ninety_megabytes_takes_no_memory(tmp_path):
    _, problems = crowds.big_picture(tmp_path / "big")
    assert not problems
