"""The chaos suite at length, with printed tables; fails where a row does not hold.

python tests/chaos/run.py --runs 200 --jobs 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chaos import crowds, fault_table, kills
from chaos.courses import ENDS, course
from chaos.tables import fault_rows, kill_rows, show
from kie_mcp.config import Rate

PARTS = ("kills", "faults", "window", "equal", "big")


def main():
    """Run what was asked for; the exit code."""
    options = _options()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    problems = [problem for part in options.part for problem in PLAYS[part](options, folder)]
    print(f"\n{time.monotonic() - began:.0f} s, {len(problems)} problems; what does not hold is kept in {folder}")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


def _options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="runs for each way of ending")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs side by side")
    parser.add_argument("--end", choices=[*ENDS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0, help="of the first run; the others follow")
    parser.add_argument("--part", choices=PARTS, action="append", help="only these; default: all")
    options = parser.parse_args()
    options.part = options.part or list(PARTS)
    return options


def _kills(options, folder):
    ends = ENDS if options.end == "all" else [options.end]
    courses = [course(end, seed) for seed in range(options.seed, options.seed + options.runs) for end in ends]
    reports = []
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for report in pool.map(kills.run, courses, [folder] * len(courses)):
            reports.append(report)
            for problem in report.problems:
                print(f"{report.end} {report.seed} ({report.cut}): {problem}", flush=True)
            if len(reports) % 50 == 0:
                print(f"{len(reports)} of {len(courses)} runs", file=sys.stderr, flush=True)
    show("Batches of 20 that were ended at a random moment, then collected", *kill_rows(reports))
    return [f"{one.end} {one.seed}: {problem} ({one.kept})" for one in reports for problem in one.problems]


def _faults(_, folder):
    seen, problems = fault_table.play(folder / "faults")
    show("Faults", *fault_rows(seen))
    return problems


def _window(_, folder):
    header = ("task s", "servers", "items", "files", "ideal s", "actual s", "ratio", "429", "most polls/s")
    rows, problems = [], []
    for seconds in (2.0, 10.0):
        place = folder / f"window-{seconds:g}"
        found = crowds.share_a_window(
            place, servers=3, items=20, rate=Rate(20, 10), task_seconds=seconds, tolerance=0.1
        )
        times = (f"{found.ideal:.1f}", f"{found.actual:.1f}", f"{found.ratio:.3f}")
        rows.append((f"{seconds:g}", 3, found.items, found.files, *times, found.rate_limited, found.most_polls))
        problems += found.problems
    show("Three servers, one window of 20/10", header, rows)
    return problems


def _equal(_, folder):
    files, seconds, problems = crowds.equal_prompts(folder / "equal")
    show("Equal prompts, two processes", ("prompts", "made within s", "files"), [(40, f"{seconds:.2f}", files)])
    return problems


def _big(_, folder):
    growth, problems = crowds.big_picture(folder / "big")
    show("A large picture", ("MB", "memory grew by MB"), [(crowds.BIG / 1e6, f"{growth / 1e6:.1f}")])
    return problems


PLAYS = {"kills": _kills, "faults": _faults, "window": _window, "equal": _equal, "big": _big}

if __name__ == "__main__":
    sys.exit(main())
