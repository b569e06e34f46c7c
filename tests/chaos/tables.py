"""What the long form prints."""

from __future__ import annotations

from collections import Counter

STANDINGS = ("before", "creating", "waiting", "saving", "answered")


def show(title, header, rows):
    """A table with its columns in line."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}")
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def kill_rows(reports):
    """One row for each way of ending; at what standing of the batch the ends came."""
    header = (
        *("end", "runs", "hold", "billed", "ids", "files", "duplicates", "left over", "createTask", "unknown"),
        *("429", "most polls/s", "longest end s", "s per run", *(f"cut: {name}" for name in STANDINGS)),
    )
    ends = dict.fromkeys(report.end for report in reports)
    return header, [_kill_row(end, [report for report in reports if report.end == end]) for end in ends]


def _kill_row(end, reports):
    cuts = Counter(report.cut for report in reports)
    names = ("billed", "received", "files", "duplicates", "leftovers", "creates", "unknown", "rate_limited")
    return (
        end,
        len(reports),
        sum(not report.problems for report in reports),
        *(sum(getattr(report, name) for report in reports) for name in names),
        max(report.most_polls for report in reports),
        f"{max(report.leaving for report in reports):.2f}",
        f"{sum(report.seconds for report in reports) / len(reports):.1f}",
        *(cuts[name] for name in STANDINGS),
    )


def fault_rows(seen):
    """One row for each fault."""
    header = ("fault", "ends", "retryable", "billed", "createTask", "files", "later", "holds")
    rows = [
        (
            *(one.row.name, one.ends, "" if one.retryable is None else str(one.retryable).lower()),
            *(one.billed, one.creates, one.files, one.later, "no" if list(one.problems()) else "yes"),
        )
        for one in seen
    ]
    return header, rows
