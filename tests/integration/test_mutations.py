"""Damaged lines over real pipes, with whole ones in between (``tests/mutations.py`` sends more of them)."""

from __future__ import annotations

from mutations import mutate


def test_a_thousand_damaged_lines_are_answered_and_so_are_the_whole_ones_between_them(tmp_path):
    heard = mutate(tmp_path, 1000, seed=0)
    assert heard["result"] > 500
    assert {f"error {code}" for code in (-32700, -32600, -32601, -32602, -32002, -32022)} <= heard.keys()
