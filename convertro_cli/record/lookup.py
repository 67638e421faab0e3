"""What a ledger has of single calls, looked up without a run of its own. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal, NamedTuple

from convertro_cli.record import schema
from convertro_cli.record.ledger import CallState, Settled, split_keys
from convertro_cli.record.reading import open_for_reading
from convertro_cli.record.settled_calls import find_settled, read_recent
from convertro_cli.record.sqlite_ledger import told
from convertro_cli.record.state import StateFolder


class CallRecord(NamedTuple):
    """What became of a call: by which run, when that began, and why if it failed."""

    state: Literal["delivered", "failed", "in_doubt"]
    run: int
    run_started_at: str
    reason: str | None = None


def look_up_calls(state: StateFolder, keys: Sequence[bytes]) -> dict[bytes, CallRecord] | None:
    """Look calls up by their keys; None where there is no ledger. Raises ConvertroError."""
    with told(state.ledger):
        if not schema.check_header(state.ledger):
            return None
        with open_for_reading(state.ledger) as database:
            settled = find_settled(database, keys, read_recent(database))
            records = {key: _look_up(database, key, settled.get(key)) for key in keys}
    return {key: record for key, record in records.items() if record is not None}


_SETTLED = """
SELECT runs.started_at, failures.reason
FROM (SELECT 1) LEFT JOIN runs ON runs.id = ? LEFT JOIN failures ON failures.key = ?
"""
_UNDER_WAY = """
SELECT sending.run, runs.started_at, sending.keys
FROM sending LEFT JOIN runs ON runs.id = sending.run
"""


def _look_up(
    database: sqlite3.Connection, key: bytes, settled: Settled | None
) -> CallRecord | None:
    if settled is not None:
        state, run = settled
        started_at, reason = database.execute(_SETTLED, (run, key)).fetchone()
        if state is CallState.SENT:
            return CallRecord("delivered", run, started_at or "")
        return CallRecord("failed", run, started_at or "", reason)
    for run, started_at, keys in database.execute(_UNDER_WAY):
        if key in split_keys(keys):
            return CallRecord("in_doubt", run, started_at or "")
    return None
