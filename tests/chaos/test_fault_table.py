"""What a caller sees of every way in which Kie can fail: what is billed, what is sent, what is on disk."""

from __future__ import annotations

from chaos.fault_rows import ROWS
from chaos.fault_table import play
from kie_mcp.sandbox.faults import TARGETS, kinds_of


def test_the_table_has_every_fault_of_the_stand_in():
    known = {(on, kind) for on in TARGETS for kind in kinds_of(on)}
    assert {(row.on, row.kind) for row in ROWS} == known


def test_every_row_of_the_fault_table_holds(tmp_path):
    seen, problems = play(tmp_path)
    assert len(seen) == len(ROWS)
    assert not problems, "\n".join(problems)
