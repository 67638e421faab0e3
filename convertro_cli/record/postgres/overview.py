"""A ledger in PostgreSQL in numbers: runs, files, counts, and by target what is open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
from psycopg import Connection

from convertro_cli.record.ledger import CallState
from convertro_cli.record.open_letters import NO_TARGET, OpenLetters, Target
from convertro_cli.record.overview import FileRow, Overview, RunRow, TargetRow
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.reading import READ_IN_DOUBT, in_text, open_for_reading, told

_RUNS = """
SELECT id, started_at, ended_at, target, summary, account, site_id, exit_code,
    EXISTS (SELECT FROM leases WHERE leases.run = id AND until >= clock_timestamp())
FROM runs
"""
_LATEST_RUNS = f"{_RUNS} ORDER BY id DESC LIMIT %s"
_LAST_RUNS = f"{_RUNS} WHERE id IN (SELECT max(id) FROM runs GROUP BY target, account, site_id)"  # noqa: S608
_TARGETS = "SELECT id, target, account, site_id FROM runs"
_FILES = "SELECT path, size, run, finished_at FROM files ORDER BY run DESC, path LIMIT %s"
_FAILURES = "SELECT reason, count(*) FROM failures GROUP BY reason ORDER BY 2 DESC"
_CALLS = "SELECT run, state, count(*) FROM calls WHERE state > 0 GROUP BY run, state"
# A letter whose place no longer fails for its target is of an event that was delivered since.
_OPEN_LETTERS = """
WITH failing AS (
    SELECT DISTINCT failures.source, runs.target, runs.account, runs.site_id
    FROM failures JOIN runs ON runs.id = failures.run
)
SELECT runs.target, runs.account, runs.site_id, letters.reason, count(*), min(letters.at)
FROM dead_letters AS letters LEFT JOIN runs ON runs.id = letters.run
WHERE letters.tried_by IS NULL
AND (letters.source IS NULL OR runs.id IS NULL OR EXISTS (
    SELECT FROM failing WHERE failing.source = letters.source AND failing.target = runs.target
    AND failing.account = runs.account AND failing.site_id = runs.site_id))
GROUP BY runs.target, runs.account, runs.site_id, letters.reason
"""


def read_overview(address: LedgerUrl, *, latest: int) -> Overview | None:
    """Read the ledger in numbers; None where there is none. Raises ConvertroError."""
    with open_for_reading(address) as connection:
        if connection is None:
            return None
        with told(address), connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return _overview(connection, latest)


def _overview(connection: Connection, latest: int) -> Overview:
    calls: dict[int, Counter[int]] = defaultdict(Counter)
    for run, state, number in connection.execute(_CALLS):
        calls[run][state] = number
    found = connection.execute(READ_IN_DOUBT, {"live_too": True}).fetchall()
    doubts = Counter(run for _, run, is_call in found if is_call)
    return Overview(
        sent=sum(states[CallState.SENT] for states in calls.values()),
        failed=sum(states[CallState.FAILED] for states in calls.values()),
        in_doubt=doubts.total(),
        failures=dict(connection.execute(_FAILURES).fetchall()),
        runs_total=_count(connection, "runs"),
        runs=[_run(*row) for row in connection.execute(_LATEST_RUNS, (latest,))],
        files_total=_count(connection, "files"),
        files=[
            FileRow(path, size, run, in_text(at))
            for path, size, run, at in connection.execute(_FILES, (latest,))
        ],
        dead_letters=_count(connection, "dead_letters WHERE tried_by IS NULL"),
        targets=_targets(connection, calls, doubts),
    )


def _targets(
    connection: Connection, calls: Mapping[int, Counter[int]], doubts: Counter[int]
) -> list[TargetRow]:
    """Put together what there is of each target, the one of the latest run first."""
    runs: defaultdict[Target, list[int]] = defaultdict(list)
    for run, *target in connection.execute(_TARGETS):
        runs[_target(*target)].append(run)
    letters = count_open_letters(connection)
    if NO_TARGET in letters:
        runs[NO_TARGET] = []
    last = {row.number: row for row in (_run(*row) for row in connection.execute(_LAST_RUNS))}
    return [
        TargetRow(
            *target,
            sent=sum(calls[run][CallState.SENT] for run in numbers if run in calls),
            failed=sum(calls[run][CallState.FAILED] for run in numbers if run in calls),
            in_doubt=sum(doubts[run] for run in numbers),
            dead_letters=letters.get(target, OpenLetters()),
            last_run=last.get(max(numbers, default=0)),
        )
        for target, numbers in sorted(runs.items(), key=lambda item: -max(item[1], default=0))
    ]


def read_open_letters(address: LedgerUrl) -> dict[Target, OpenLetters]:
    """Count the open letters of a ledger by target. Raises ConvertroError."""
    with open_for_reading(address) as connection:
        if connection is None:
            return {}
        with told(address):
            return count_open_letters(connection)


def count_open_letters(connection: Connection) -> dict[Target, OpenLetters]:
    """Count the letters by target that nobody has tried again, or delivered the events of."""
    found: defaultdict[Target, OpenLetters] = defaultdict(OpenLetters)
    for target, account, site_id, reason, number, oldest in connection.execute(_OPEN_LETTERS):
        letters = found[_target(target, account, site_id) if target is not None else NO_TARGET]
        letters.add(reason, oldest, number)
    return dict(found)


def _target(url: str, account: str, site_id: str) -> Target:
    return Target(url, account or None, site_id or None)


def _run(
    number: int,
    started_at: Any,
    ended_at: Any,
    target: str,
    summary: str | None,
    account: str,
    site_id: str,
    exit_code: int | None,
    is_live: bool,
) -> RunRow:
    return RunRow(
        number,
        in_text(started_at),
        in_text(ended_at) or None,
        target,
        orjson.loads(summary) if summary else None,
        account or None,
        site_id or None,
        exit_code,
        is_live and ended_at is None,
    )


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])
