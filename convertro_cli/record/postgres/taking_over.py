"""Taking over a ledger of SQLite: all that it knows, in steps that are not done twice.

Each step is a transaction that notes how far it came, for the state that the other ledger is in:
once more runs have written to it, their calls lie anywhere among those that were taken, and all
are walked through again. What the shared ledger already knows of a call stays, unless the other
one knows that it was delivered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from msgspec import Struct, field
from psycopg import Connection

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import schema as sqlite_schema
from convertro_cli.record.ledger import CallState
from convertro_cli.record.postgres.files import finish_before
from convertro_cli.record.postgres.statements import without_nul
from convertro_cli.record.postgres.taking_letters import take_letters
from convertro_cli.record.reading import open_for_reading
from convertro_cli.record.settled_calls import read_recent
from convertro_cli.record.sqlite_ledger import told
from convertro_cli.record.state import StateFolder

_ROWS_A_STEP = 10_000

_FIRST_RUN = "SELECT id, started_at, target FROM runs ORDER BY id LIMIT 1"
_REACHED = "SELECT reached, rows FROM imports WHERE source = %s AND part = %s"
_REACH = """
INSERT INTO imports (source, part, reached, rows) VALUES (%s, %s, %s, %s)
ON CONFLICT (source, part) DO UPDATE SET reached = EXCLUDED.reached, rows = EXCLUDED.rows
"""
_RUN = """
INSERT INTO runs (started_at, ended_at, target, account, site_id, host, process, exit_code, summary)
VALUES (%s::timestamptz, %s::timestamptz, %s, %s, %s, '', 0, %s, %s) RETURNING id
"""
_CALLS = """
INSERT INTO calls (key, state, run, claim, doubt)
SELECT key, state, run, NULL, false
FROM unnest(%s::bytea[], %s::smallint[], %s::integer[]) AS one (key, state, run)
ON CONFLICT (key) DO UPDATE SET state = EXCLUDED.state, run = EXCLUDED.run,
    claim = CASE WHEN calls.claim > 0 THEN calls.claim END, doubt = calls.doubt AND calls.claim > 0
WHERE calls.state = 0 OR (calls.state = 2 AND EXCLUDED.state = 1)
"""
_FAILURES = """
INSERT INTO failures (key, reason, source, run)
SELECT * FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::integer[]) AS one (key)
WHERE EXISTS (SELECT FROM calls WHERE calls.key = one.key AND calls.state = 2)
ON CONFLICT (key) DO NOTHING
"""
_FORGET_FAILURES = """
DELETE FROM failures USING calls WHERE calls.key = failures.key AND calls.state = 1
"""
_DOUBTS = """
INSERT INTO calls (key, state, run, claim, doubt)
SELECT key, 0, %(run)s, -%(run)s, false FROM unnest(%(all)s::bytea[]) AS one (key)
ON CONFLICT (key) DO UPDATE SET claim = EXCLUDED.claim
WHERE calls.claim IS NULL AND calls.state <> 1
"""


class TakenOver(Struct):
    """How many rows of each kind the other ledger has; all of them are in the shared one now."""

    runs: int = 0
    calls: int = 0
    failures: int = 0
    in_doubt: int = 0
    files: int = 0
    dead_letters: int = 0


class TakingOver(Struct):
    """Takes over the ledger of a state folder that no run uses. ``tick`` is told of each step."""

    state: StateFolder
    connection: Connection
    tick: Callable[[TakenOver], object] = lambda _: None
    taken: TakenOver = field(default_factory=TakenOver)
    _runs: dict[int, int] = field(default_factory=dict)
    _first_run: tuple[object, ...] = ()

    def carry_out(self) -> TakenOver | None:
        """Do it all; None where there is no ledger. Raises ConvertroError."""
        with told(self.state.ledger):
            if not sqlite_schema.check_header(self.state.ledger):
                return None
            with open_for_reading(self.state.ledger) as other:
                self._take_runs(other)
                recent = self._take_recent(other)
                self._take_calls(other)
                self.taken.calls += recent
                self._take_failures(other)
                self._take_doubts(other)
                self._take_files(other)
                ours = {0: 0, **self._runs}
                self.taken.dead_letters = take_letters(self.connection, self.state, other, ours)
        return self.taken

    @property
    def _source(self) -> bytes:
        """Name the other ledger: by where it is, and by its first run, for it may be a new one."""
        parts = (str(self.state.ledger.resolve()), *map(str, self._first_run))
        return blake2b("\0".join(parts).encode(errors="surrogateescape"), digest_size=16).digest()

    def _take_runs(self, other: sqlite3.Connection) -> None:
        self._first_run = tuple(other.execute(_FIRST_RUN).fetchone() or ())
        rows = other.execute(
            "SELECT id, started_at, ended_at, target, account, site_id, exit_code, summary "
            "FROM runs ORDER BY id"
        )
        for number, *row in rows:
            part = f"run {number}"
            with self.connection.transaction():
                _, known = self._reached(part)
                if not known:
                    (known,) = self.connection.execute(_RUN, row).fetchone() or (0,)
                    self._reach(part, b"", known)
            self._runs[number] = known
            self.taken.runs += 1
        self.tick(self.taken)

    def _take_calls(self, other: sqlite3.Connection) -> None:
        for rows in self._steps(other, "calls", "key, state, run"):
            found, states, runs = zip(*rows, strict=True)
            self._write_calls(found, states, runs)
            self.taken.calls += len(rows)

    def _take_recent(self, other: sqlite3.Connection) -> int:
        """Take the calls that are not in the table yet, each time anew; give how many.

        Before the table: a run may merge them into what was taken already.
        """
        recent = list(read_recent(other).items())
        for start in range(0, len(recent), _ROWS_A_STEP):
            found, runs = zip(*recent[start : start + _ROWS_A_STEP], strict=True)
            with self.connection.transaction():
                self._write_calls(found, [int(CallState.SENT)] * len(found), runs)
            self.tick(self.taken)
        return len(recent)

    def _write_calls(
        self, found: Sequence[bytes], states: Sequence[int], runs: Sequence[int]
    ) -> None:
        ours = [self._run_of(run) for run in runs]
        self.connection.execute(_CALLS, (list(found), list(states), ours))

    def _take_failures(self, other: sqlite3.Connection) -> None:
        self.connection.execute(_FORGET_FAILURES)
        for rows in self._steps(other, "failures", "key, reason, source, run"):
            found, reasons, sources, runs = zip(*rows, strict=True)
            ours = [self._run_of(run) for run in runs]
            clean = [without_nul(source) for source in sources]
            self.connection.execute(_FAILURES, (list(found), list(reasons), clean, ours))
            self.taken.failures += len(rows)

    def _steps(
        self, other: sqlite3.Connection, table: str, columns: str
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Give the rows of a table by their keys; what is done with some is noted as done.

        Noted for the latest run: after another one there may be rows with lower keys.
        """
        part = f"{table} as of run {max(self._runs, default=0)}"
        reached, done = self._reached(part)
        setattr(self.taken, table, done)
        query = f"SELECT {columns} FROM {table} WHERE key > ? ORDER BY key LIMIT ?"  # noqa: S608
        while rows := other.execute(query, (reached, _ROWS_A_STEP)).fetchall():
            reached = rows[-1][0]
            done += len(rows)
            with self.connection.transaction():
                yield rows
                self._reach(part, reached, done)
            self.tick(self.taken)

    def _take_doubts(self, other: sqlite3.Connection) -> None:
        for run, keys, orders in other.execute("SELECT run, keys, orders FROM sending"):
            content = keys + orders
            several = [content[start : start + 16] for start in range(0, len(content), 16)]
            ours = self._run_of(run)
            with self.connection.transaction():
                self.connection.execute(_DOUBTS, {"run": ours, "all": several})
                self.connection.execute(
                    "INSERT INTO doubts VALUES (%s, %s, %s) ON CONFLICT (run) DO NOTHING",
                    (ours, keys, orders),
                )
            self.taken.in_doubt += len(keys) // 16

    def _take_files(self, other: sqlite3.Connection) -> None:
        rows = other.execute(
            "SELECT path, size, mtime_ns, edges, settings, run, finished_at FROM files"
        )
        with self.connection.transaction():
            for *identity, settings, run, finished_at in rows:
                finished = (FileIdentity(*identity), settings)
                finish_before(self.connection, self._run_of(run), finished, finished_at)
                self.taken.files += 1

    def _run_of(self, number: int) -> int:
        return self._runs.get(number, 0)

    def _reached(self, part: str) -> tuple[bytes, int]:
        row = self.connection.execute(_REACHED, (self._source, part)).fetchone()
        return (bytes(row[0]), int(row[1])) if row else (b"", 0)

    def _reach(self, part: str, reached: bytes, rows: int) -> None:
        self.connection.execute(_REACH, (self._source, part, reached, rows))
