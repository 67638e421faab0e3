"""A ledger as the version before wrote it: without recent calls, and without totals."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from convertro_cli.record.ledger import CallState, Settled
from convertro_cli.record.schema import APPLICATION_ID

_TABLES = f"""
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, target TEXT NOT NULL,
    account TEXT NOT NULL, site_id TEXT NOT NULL, exit_code INTEGER, summary TEXT
);
CREATE TABLE calls (key BLOB PRIMARY KEY, state INTEGER NOT NULL, run INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE sending (run INTEGER PRIMARY KEY, keys BLOB NOT NULL, orders BLOB NOT NULL);
CREATE TABLE failures (
    key BLOB PRIMARY KEY, reason TEXT NOT NULL, source TEXT NOT NULL, run INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, edges BLOB NOT NULL,
    settings BLOB NOT NULL, run INTEGER NOT NULL, finished_at TEXT NOT NULL,
    PRIMARY KEY (path, settings)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = 2;
PRAGMA journal_mode = WAL;
"""
CALLS = 3_000
_SENT, _FAILED = CallState.SENT, CallState.FAILED


def key(number: int) -> bytes:
    """A key; those of small numbers lie all over the table."""
    return (number * 7919 % 65536).to_bytes(2, "big") + number.to_bytes(14, "big")


DOUBTS = frozenset({key(70_001), key(70_002)})
ORDERS_IN_DOUBT = frozenset({key(70_003)})
SETTLED = {
    key(number): Settled(_FAILED if number % 100 == 7 else _SENT, 1 + number % 2)
    for number in range(CALLS)
} | {bytes(16): Settled(_SENT, 1), b"\xff" * 16: Settled(_SENT, 1)}
"""What it knows: calls of two runs, the first and the last key that can be among them."""


def write_earlier_ledger(path: Path) -> None:
    """Write one, closed, with ``SETTLED``, the doubts, and a file that was replayed."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(_TABLES)
        for run in (1, 2):
            database.execute(
                "INSERT INTO runs VALUES (?, '2026-01-01T00:00:00+00:00', NULL, 'https://x.test', "
                "'acme', '1', 0, '{}')",
                (run,),
            )
        database.executemany(
            "INSERT INTO calls VALUES (?, ?, ?)",
            [(one, int(state), run) for one, (state, run) in SETTLED.items()],
        )
        database.executemany(
            "INSERT INTO failures VALUES (?, 'http_400', 'a.ndjson:1', ?)",
            [(one, run) for one, (state, run) in SETTLED.items() if state is _FAILED],
        )
        marks = (b"".join(DOUBTS), b"".join(ORDERS_IN_DOUBT))
        database.execute("INSERT INTO sending VALUES (2, ?, ?)", marks)
        database.execute("INSERT INTO files VALUES ('/a', 1, 2, x'03', x'04', 1, '2026-01-01')")
