"""A replay with a ledger that has fifty million calls already, against one with an empty ledger."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from convertro_cli.mapping.ledger_key import KEY_BYTES
from tests.bench.bench import Bench, python, replay
from tests.bench.measure import Row, alternate, seconds, warm
from tests.bench.nginx import running_nginx
from tests.exports import ExportFacts, write_export

_TO_SECOND_HALF = KEY_BYTES // 2
_EVENTS = 200_000


def run(bench: Bench) -> list[Row]:
    keys = 1_000_000 if bench.quick else 50_000_000
    large = bench.folder / "large"
    # A run of its own for each, since what is delivered once is not sent to this ledger again.
    exports = [_export(bench, number) for number in range(bench.runs + 1)]
    with running_nginx() as nginx:
        settings = bench.settings(
            "large-ledger", base_url=nginx.base_url, transport="curl", concurrency=64
        )

        def to_large(export: ExportFacts) -> float:
            with nginx.expect(export.calls):
                return seconds([*replay(export, settings), "--state", str(large)])

        def to_empty(export: ExportFacts) -> float:
            with nginx.expect(export.calls):
                return bench.replay_seconds(export, settings)

        to_large(exports.pop())  # makes the ledger
        _fill(large / "ledger.db", keys)
        full, fresh = iter(exports), iter(exports)
        ours, theirs = alternate(
            bench.runs, lambda: to_large(next(full)), lambda: to_empty(next(fresh))
        )
        state = ["--state", str(large), "--config", str(settings)]
        (status,) = alternate(
            bench.runs, lambda: seconds([*python("convertro_cli"), "status", *state])
        )
    note = f"{keys:,} calls"
    return [
        Row(
            name="replay with a large ledger",
            ours=ours,
            theirs=theirs,
            unit="s",
            goal=1.3,
            sense="at most",
            against="an empty ledger",
            runs=bench.runs,
            note=note,
        ),
        Row(
            name="status of it",
            ours=status,
            theirs=1,
            unit="s",
            goal=1,
            sense="at most",
            against="a second",
            runs=bench.runs,
            note=note,
        ),
    ]


def _export(bench: Bench, number: int) -> ExportFacts:
    path = bench.folder / f"large-ledger-{number}.ndjson"
    events = _EVENTS // 10 if bench.quick else _EVENTS
    export = write_export(path, events, seed=bench.seed + number)
    warm(path)
    return export


def _fill(ledger: Path, keys: int) -> None:
    """Put so many calls into a ledger, in the order of their keys, as if its one run had them."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("BEGIN")
        database.executemany("INSERT INTO calls VALUES (?, 1, 1)", _keys(keys))
        database.execute(
            "INSERT INTO totals VALUES (1, 1, :keys) "
            "ON CONFLICT (run, state) DO UPDATE SET number = number + :keys",
            {"keys": keys},
        )
        database.execute("COMMIT")


def _keys(count: int) -> Iterator[tuple[bytes]]:
    step = (1 << 8 * _TO_SECOND_HALF) // count
    for number in range(count):
        first = (number * step).to_bytes(_TO_SECOND_HALF, "big")
        yield (first + os.urandom(KEY_BYTES - _TO_SECOND_HALF),)
