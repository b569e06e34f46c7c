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

# The two tables of the rate window, which has a file of its own since the third step; servers of an older version that
# still run go on using them.
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

_UPLOADS = """
CREATE TABLE uploads (
    sha256 TEXT NOT NULL,
    host TEXT NOT NULL,
    url TEXT NOT NULL,
    uploaded_at REAL NOT NULL,
    PRIMARY KEY (sha256, host)
)
"""
"""Files that were uploaded, by their content and by the upload host that they went to."""

_RESULT = "ALTER TABLE tasks ADD COLUMN result TEXT"
"""JSON: the structured result of a task that has one."""

_OWNER = "ALTER TABLE tasks ADD COLUMN owner TEXT"
"""The presence of the process that looks after the task."""

_ACCOUNT = "ALTER TABLE tasks ADD COLUMN account TEXT"
"""A mark of the API and the key that the task was made with; none for an adopted task."""

_SAVING = "ALTER TABLE tasks ADD COLUMN saving TEXT"
"""JSON: the file that is being written for the task, so that a successor can finish or remove it."""

_MISSING = "ALTER TABLE tasks ADD COLUMN missing_since REAL"
"""When Kie was first found not to know the task."""

_BATCH_RESULTS = """
CREATE TABLE batch_results (
    batch TEXT NOT NULL,
    item INTEGER NOT NULL,
    entry TEXT NOT NULL,
    stored_at REAL NOT NULL,
    PRIMARY KEY (batch, item)
)
"""
"""What batches answered that is too long for one answer: ``entry`` is JSON, one for each item."""

UNSAVED = """
task_id IS NOT NULL AND request IS NOT NULL
AND (state NOT IN ('success', 'fail', 'not_found') OR (state = 'success' AND
     json_array_length(files) < max(CASE WHEN result IS NULL THEN 1 ELSE 0 END, json_array_length(image_urls))))
"""
"""What has something left to fetch: running, or successful without all its files. As the index has it, so that a query
that says the same finds it there."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _TASKS,
        "CREATE INDEX tasks_by_id ON tasks (task_id)",
        "CREATE INDEX tasks_by_model ON tasks (model, state, number)",
        _SLOTS,
        _PAUSE,
    ),
    (_UPLOADS, _RESULT),
    (
        _OWNER,
        _ACCOUNT,
        _SAVING,
        _MISSING,
        f"CREATE INDEX tasks_unsaved ON tasks (number) WHERE {UNSAVED}",
        "CREATE INDEX tasks_half_saved ON tasks (number) WHERE saving IS NOT NULL",
        "CREATE INDEX tasks_submitting ON tasks (number) WHERE state = 'submitting'",
    ),
    (_BATCH_RESULTS, "CREATE INDEX batch_results_by_age ON batch_results (stored_at)"),
)
