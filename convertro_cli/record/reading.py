"""Opening a ledger that is there, to look things up in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger without changing anything in it."""
    # Not read-only: after a crash, SQLite must first take in what the last run left in its log.
    database = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        database.execute("PRAGMA query_only = ON")
        yield database
    finally:
        database.close()
