"""Opening a ledger that is there, to look things up in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convertro_cli.record import schema


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger without changing anything in it. Raises ConvertroError and sqlite3's errors."""
    # Not read-only if that can be: after a crash, SQLite must first take in what the last run left
    # in its log.
    is_writable = schema.may_write_beside(path)
    name = str(path) if is_writable else schema.uri_to_read(path)
    database = sqlite3.connect(name, uri=not is_writable, isolation_level=None, timeout=10)
    try:
        database.execute("PRAGMA query_only = ON")
        yield database
    finally:
        database.close()
