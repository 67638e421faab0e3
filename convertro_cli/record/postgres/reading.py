"""What a ledger in PostgreSQL holds, for whoever only looks. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import orjson
import psycopg
from psycopg import Connection

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.earlier_runs import LATEST, EarlierRuns, put_together
from convertro_cli.record.ledger import CallState, Settled
from convertro_cli.record.lookup import CallRecord
from convertro_cli.record.open_letters import Target
from convertro_cli.record.postgres import files
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.commit import find_settled
from convertro_cli.record.postgres.schema import check_version
from convertro_cli.record.postgres.session import connect, what_it_said

_LOOK_UP = """
SELECT calls.state, calls.claim, calls.run, settler.started_at, sender.started_at, failures.reason
FROM calls
LEFT JOIN runs AS settler ON settler.id = calls.run
LEFT JOIN runs AS sender ON sender.id = abs(calls.claim)
LEFT JOIN failures ON failures.key = calls.key
WHERE calls.key = %s AND (calls.state > 0 OR calls.claim IS NOT NULL)
"""
# Counted from what the runs left, not over all calls: these are few.
READ_IN_DOUBT = """
SELECT DISTINCT calls.key, left_over.run, NOT left_over.is_order
FROM (
    SELECT run, keys, false AS is_order FROM leases UNION ALL SELECT run, keys, false FROM doubts
    UNION ALL SELECT run, orders, true FROM leases UNION ALL SELECT run, orders, true FROM doubts
) AS left_over
CROSS JOIN generate_series(0, octet_length(left_over.keys) / 16 - 1) AS i
JOIN calls ON calls.key = substring(left_over.keys FROM 16 * i + 1 FOR 16)
WHERE calls.claim = -left_over.run
    OR (%(live_too)s AND calls.claim = left_over.run)
    OR (calls.claim = left_over.run AND EXISTS (
        SELECT FROM leases WHERE leases.run = left_over.run AND until < clock_timestamp()))
"""


_EARLIER_RUNS = """
SELECT summary FROM runs
WHERE target = %s AND account IN (%s, '') AND site_id IN (%s, '') ORDER BY id DESC LIMIT %s
"""


class SharedCalls:
    """The calls of a shared ledger, as ``KnownCalls`` has those of an embedded one."""

    def __init__(self, connection: Connection, address: LedgerUrl) -> None:
        self._connection = connection
        self._address = address
        with told(address):
            rows = connection.execute(READ_IN_DOUBT, {"live_too": False}, binary=True).fetchall()
        self._in_doubt = frozenset(key for key, *_ in rows)

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how. Raises ConvertroError."""
        if not keys:
            return {}
        with told(self._address):
            return find_settled(self._connection, b"".join(keys))

    @property
    def has_doubts(self) -> bool:
        """Whether any call may have arrived."""
        return bool(self._in_doubt)

    def is_in_doubt(self, key: bytes, order_key: bytes = b"") -> bool:
        """Whether a call may have arrived, or one for the same order."""
        return key in self._in_doubt or order_key in self._in_doubt

    def earlier_runs(self, target: Target) -> EarlierRuns:
        """Give what is known of earlier runs to a target."""
        with told(self._address):
            return find_earlier_runs(self._connection, target)

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        with told(self._address):
            return files.is_finished(self._connection, identity, settings)

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then."""
        with told(self._address):
            return files.find_finished(self._connection, paths, settings)


@contextmanager
def open_known_calls(address: LedgerUrl) -> Iterator[SharedCalls | None]:
    """Open a ledger to look into it; None where there is none. Raises ConvertroError."""
    with open_for_reading(address) as connection:
        yield SharedCalls(connection, address) if connection is not None else None


@contextmanager
def open_for_reading(address: LedgerUrl) -> Iterator[Connection | None]:
    """Connect to a ledger so that nothing can be changed; None where there is none."""
    with told(address):
        connection = connect(address)
    with connection:
        with told(address):
            connection.execute(
                "SET default_transaction_read_only = on; SET search_path = convertro"
            )
            connection.execute("SET jit = off")
            is_there = check_version(connection, address)
        yield connection if is_there else None


def find_earlier_runs(connection: Connection, target: Target) -> EarlierRuns:
    """Read what is known of earlier runs to a target."""
    parameters = (target.url, target.account or "", target.site_id or "", LATEST)
    rows = connection.execute(_EARLIER_RUNS, parameters)
    return put_together(orjson.loads(summary) if summary else None for (summary,) in rows)


def read_earlier_runs(address: LedgerUrl, target: Target) -> EarlierRuns:
    """Read likewise from a ledger that is not open. Raises ConvertroError."""
    with open_for_reading(address) as connection:
        if connection is None:
            return EarlierRuns()
        with told(address):
            return find_earlier_runs(connection, target)


def look_up_calls(address: LedgerUrl, keys: Sequence[bytes]) -> dict[bytes, CallRecord] | None:
    """Look calls up by their keys; None where there is no ledger. Raises ConvertroError."""
    with open_for_reading(address) as connection:
        if connection is None:
            return None
        with told(address):
            found = {key: connection.execute(_LOOK_UP, (key,)).fetchone() for key in keys}
    return {key: _record(row) for key, row in found.items() if row is not None}


def _record(row: tuple[Any, ...]) -> CallRecord:
    state, claim, run, settled_at, sending_at, reason = row
    if state == CallState.SENT:
        return CallRecord("delivered", run, in_text(settled_at))
    if state == CallState.FAILED:
        return CallRecord("failed", run, in_text(settled_at), reason)
    return CallRecord("in_doubt", abs(claim), in_text(sending_at))


def in_text(at: Any) -> str:
    """Give a moment of the database as a ledger of SQLite has it."""
    return at.astimezone(UTC).isoformat(timespec="seconds") if at is not None else ""


@contextmanager
def told(address: LedgerUrl) -> Iterator[None]:
    """Tell PostgreSQL's errors in sentences."""
    try:
        yield
    except psycopg.Error as error:
        raise ConvertroError(
            f"The ledger in {address} cannot be read: {what_it_said(error)}.",
            hint="Is the address right, and the database up? A dry run can leave it aside: "
            "--no-ledger.",
            exit_code=ExitCode.TRY_LATER,
        ) from None
