"""The tables, as the steps that lead to them. A step that was ever released is never changed."""

from __future__ import annotations

_TASKS = """
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id TEXT,
    model TEXT,
    prompt TEXT,
    platform TEXT,
    state TEXT NOT NULL,
    request TEXT,
    output_path TEXT,
    output_format TEXT,
    files TEXT NOT NULL DEFAULT '[]',
    image_urls TEXT NOT NULL DEFAULT '[]',
    estimated_credits REAL,
    credits_consumed REAL,
    error TEXT,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    completed_at REAL,
    seconds REAL,
    claimed_by TEXT,
    claimed_until REAL
)
"""
"""``request``, ``files``, ``image_urls`` and ``error`` hold JSON; times are seconds since the epoch."""

_SLOTS = """
CREATE TABLE slots (
    ticket INTEGER PRIMARY KEY AUTOINCREMENT,
    waiting_until REAL,
    reserved_at REAL,
    settled_at REAL
)
"""
"""One row per new task: waiting for its turn, then reserved, then settled."""

_PAUSE = """
CREATE TABLE pause (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    set_at REAL NOT NULL,
    until REAL NOT NULL
)
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _TASKS,
        "CREATE INDEX tasks_by_id ON tasks (task_id)",
        "CREATE INDEX tasks_by_model ON tasks (model, state, number)",
        _SLOTS,
        _PAUSE,
    ),
)
