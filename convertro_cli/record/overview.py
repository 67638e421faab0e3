"""What a ledger holds, for people: runs, files, counts, failures by reason. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.record import schema
from convertro_cli.record.ledger import CallState
from convertro_cli.record.open_letters import (
    NO_TARGET,
    OpenLetters,
    Target,
    count_open_letters,
    read_runs,
)
from convertro_cli.record.reading import open_for_reading
from convertro_cli.record.settled_calls import count_settled
from convertro_cli.record.sqlite_ledger import told
from convertro_cli.record.state import StateFolder, is_under_way


class RunRow(Struct, frozen=True):
    """A run: when, and its summary; None where it did not come to its end.

    ``under_way`` says that it may still do so.
    """

    number: int
    started_at: str
    ended_at: str | None
    target: str
    summary: dict[str, Any] | None
    account: str | None = None
    site_id: str | None = None
    exit_code: int | None = None
    under_way: bool = False

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than well, or did not end at all."""
        return self.exit_code != 0 and not self.under_way


class TargetRow(Struct, frozen=True):
    """What there is of one target: calls settled, open dead letters, doubts, and its last run."""

    url: str
    account: str | None
    site_id: str | None
    sent: int
    failed: int
    in_doubt: int
    dead_letters: OpenLetters
    last_run: RunRow | None

    @property
    def name(self) -> str:
        """The target in words."""
        return str(Target(self.url, self.account, self.site_id))


class FileRow(Struct, frozen=True):
    """A file that was replayed to its end."""

    path: str
    size: int
    run: int
    finished_at: str


class Overview(Struct, frozen=True):
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
    targets: list[TargetRow]

    @property
    def wants_attention(self) -> bool:
        """Whether dead letters are open, or the last run to a target failed."""
        return any(
            target.dead_letters.count or (target.last_run is not None and target.last_run.failed)
            for target in self.targets
        )


def read_overview(state: StateFolder, *, latest: int) -> Overview | None:
    """Read the ledger of a state folder; None where there is none. Raises ConvertroError."""
    with told(state.ledger):
        if not schema.check_header(state.ledger):
            return None
        with open_for_reading(state.ledger) as database:
            calls = count_settled(database)
            doubts = _count_in_doubt(database)
            running = is_under_way(state.lock)
            return Overview(
                sent=sum(states[CallState.SENT] for states in calls.values()),
                failed=sum(states[CallState.FAILED] for states in calls.values()),
                in_doubt=sum(doubts.values()),
                failures=dict(
                    database.execute(
                        "SELECT reason, count(*) FROM failures GROUP BY reason ORDER BY 2 DESC"
                    )
                ),
                runs_total=_count(database, "runs"),
                runs=_latest_runs(database, latest, running),
                files_total=_count(database, "files"),
                files=[FileRow(*row) for row in database.execute(_FILES, (latest,))],
                dead_letters=_count_lines(state.dead_letters),
                targets=_targets(state, database, calls, doubts, running),
            )


_FILES = "SELECT path, size, run, finished_at FROM files ORDER BY run DESC, path LIMIT ?"


def _count(database: sqlite3.Connection, table: str) -> int:
    (number,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(number)


def _count_in_doubt(database: sqlite3.Connection) -> dict[int, int]:
    """Count the calls in doubt by run."""
    rows = database.execute("SELECT run, length(keys) FROM sending")
    return {run: size // KEY_BYTES for run, size in rows}


def _latest_runs(
    database: sqlite3.Connection, latest: int, running: bool, only: int | None = None
) -> list[RunRow]:
    query = (
        "SELECT id, started_at, ended_at, target, summary, account, site_id, exit_code "
        "FROM runs WHERE ? IS NULL OR id = ? ORDER BY id DESC LIMIT ?"
    )
    (newest,) = database.execute("SELECT max(id) FROM runs").fetchone()
    rows = database.execute(query, (only, only, latest))
    return [_run(*row, running=running and row[0] == newest) for row in rows]


def _run(
    number: int,
    started_at: str,
    ended_at: str | None,
    target: str,
    summary: str | None,
    account: str | None,
    site_id: str | None,
    exit_code: int | None,
    *,
    running: bool,
) -> RunRow:
    told = orjson.loads(summary) if summary else None
    if exit_code is None and told is not None:
        exit_code = told.get("exit_code")
    under_way = running and ended_at is None
    return RunRow(
        number,
        started_at,
        ended_at,
        target,
        told,
        account or None,
        site_id or None,
        exit_code,
        under_way,
    )


def _targets(
    state: StateFolder,
    database: sqlite3.Connection,
    calls: Mapping[int, Mapping[int, int]],
    doubts: Mapping[int, int],
    running: bool,
) -> list[TargetRow]:
    """Put together what there is of each target, the one of the latest run first."""
    letters = count_open_letters(state, database)
    runs: defaultdict[Target, list[int]] = defaultdict(list)
    for number, _started_at, target in read_runs(database):
        runs[target].append(number)
    if NO_TARGET in letters:
        runs[NO_TARGET] = []
    rows = []
    for target, numbers in sorted(runs.items(), key=lambda item: -max(item[1], default=0)):
        last = _latest_runs(database, 1, running, numbers[-1]) if numbers else []
        rows.append(
            TargetRow(
                *target,
                sent=sum(calls.get(run, {}).get(CallState.SENT, 0) for run in numbers),
                failed=sum(calls.get(run, {}).get(CallState.FAILED, 0) for run in numbers),
                in_doubt=sum(doubts.get(run, 0) for run in numbers),
                dead_letters=letters.get(target, OpenLetters()),
                last_run=last[0] if last else None,
            )
        )
    return rows


def _count_lines(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
