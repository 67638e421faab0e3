"""What a ledger holds, for people: runs, files, counts, failures by reason. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.record import schema
from convertro_cli.record.ledger import CallState
from convertro_cli.record.sqlite_ledger import told
from convertro_cli.record.state import StateFolder


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run: when, and its summary; None where it did not come to its end."""

    number: int
    started_at: str
    ended_at: str | None
    target: str
    summary: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that was replayed to its end."""

    path: str
    size: int
    run: int
    finished_at: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole of a ledger in numbers, with its latest runs and files."""

    sent: int
    failed: int
    in_doubt: int
    failures: dict[str, int]
    runs_total: int
    runs: list[RunRow]
    files_total: int
    files: list[FileRow]
    dead_letters: int


def read_overview(state: StateFolder, *, latest: int) -> Overview | None:
    """Read the ledger of a state folder; None where there is none. Raises ConvertroError."""
    with told(state.ledger):
        if not schema.check_header(state.ledger):
            return None
        with open_for_reading(state.ledger) as database:
            calls = dict(database.execute("SELECT state, count(*) FROM calls GROUP BY state"))
            return Overview(
                sent=calls.get(CallState.SENT, 0),
                failed=calls.get(CallState.FAILED, 0),
                in_doubt=_count_in_doubt(database),
                failures=dict(
                    database.execute(
                        "SELECT reason, count(*) FROM failures GROUP BY reason ORDER BY 2 DESC"
                    )
                ),
                runs_total=_count(database, "runs"),
                runs=[_run(row) for row in database.execute(_RUNS, (latest,))],
                files_total=_count(database, "files"),
                files=[FileRow(*row) for row in database.execute(_FILES, (latest,))],
                dead_letters=_count_lines(state.dead_letters),
            )


_RUNS = "SELECT id, started_at, ended_at, target, summary FROM runs ORDER BY id DESC LIMIT ?"
_FILES = "SELECT path, size, run, finished_at FROM files ORDER BY run DESC, path LIMIT ?"


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a ledger that is there, to look things up in it."""
    # Not read-only: after a crash, SQLite must first take in what the last run left in its log.
    database = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        database.execute("PRAGMA query_only = ON")
        yield database
    finally:
        database.close()


def _count(database: sqlite3.Connection, table: str) -> int:
    (number,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(number)


def _count_in_doubt(database: sqlite3.Connection) -> int:
    (size,) = database.execute("SELECT total(length(keys)) FROM sending").fetchone()
    return int(size) // KEY_BYTES


def _run(row: tuple[int, str, str | None, str, str | None]) -> RunRow:
    number, started_at, ended_at, target, summary = row
    return RunRow(number, started_at, ended_at, target, orjson.loads(summary) if summary else None)


def _count_lines(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
