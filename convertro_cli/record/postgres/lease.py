"""The lease of a run: how it shows that it lives, and how the others find out that it does not."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from psycopg import Connection, errors

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.postgres.schema import LOCKS
from convertro_cli.record.postgres.session import Session

SILENCE = 3.0
"""Seconds after which a run without its lock is taken for dead."""

_RENEWED_EVERY = 1.0
# A machine that was suspended must find its lease gone, so this clock does not stop meanwhile.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

# A run is lost when its lease has run out, or sooner when its session is gone, which a lock shows.
# Not just after the server was away, for then nobody has renewed anything or holds a lock.
_FIND_LOST = """
SELECT run, renewed_at FROM leases
WHERE run <> %(run)s
AND clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => %(silence)s)
AND (until < clock_timestamp() OR (
    renewed_at < clock_timestamp() - make_interval(secs => %(silence)s)
    AND NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %(locks)s
        AND objid = leases.run AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))))
"""
# A process that was stopped in the midst of a commit holds its row for as long as it sleeps.
_END_SESSION = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %(locks)s
AND objid = %(run)s AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND EXISTS (SELECT FROM leases WHERE run = %(run)s AND renewed_at = %(seen)s)
"""
# Whoever is at a commit holds the row: then this waits, and finds it renewed.
_TAKE = """
WITH taken AS (
    DELETE FROM leases WHERE run = %(run)s AND renewed_at = %(seen)s RETURNING run, keys, orders
)
INSERT INTO doubts SELECT run, keys, orders FROM taken
ON CONFLICT (run) DO UPDATE SET keys = EXCLUDED.keys, orders = EXCLUDED.orders
RETURNING keys || orders
"""
_LEAVE_IN_DOUBT = """
UPDATE calls SET claim = -%(run)s, doubt = false
FROM (SELECT substring(%(keys)b::bytea FROM 16 * i + 1 FOR 16) AS key
      FROM generate_series(0, octet_length(%(keys)b::bytea) / 16 - 1) AS i) AS left_by_it
WHERE calls.key = left_by_it.key AND calls.claim = %(run)s
"""


class RunLease:
    """What a run knows of its own lease, without asking the database: whether it surely has it.

    ``seconds`` is how long it lasts from each renewal on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = float("-inf")
        self._due = float("-inf")

    def is_held(self) -> bool:
        """Whether nobody else can have taken over what this run was doing."""
        return boot_time() < self._until

    def is_due(self) -> bool:
        """Whether a commit should be made for the sake of the lease alone."""
        return boot_time() >= self._due

    def renewed(self, since: float) -> None:
        """Note that it was renewed, by what began at ``since``."""
        self._until = since + self.seconds
        self._due = since + min(_RENEWED_EVERY, self.seconds / 4)


def boot_time() -> float:
    """Give the seconds since the machine was started, those included in which it slept."""
    return time.clock_gettime(_CLOCK)


def show_alive(connection: Connection, run: int) -> None:
    """Hold a lock for as long as the connection lives.

    That of a connection that broke may be there still; then the row alone tells, for a while.
    """
    connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCKS, run))


def bury_lost_runs(session: Session, run: int) -> int:
    """Take from runs that are lost what they held; give how many there were.

    Their files are free then, and the calls that they were sending are in doubt.
    """
    if time.monotonic() - session.reconnected_at < SILENCE:
        return 0  # the others may be about to come back, too
    return session.do(
        lambda connection: sum(_bury(connection, *row) for row in _lost(connection, run))
    )


def _lost(connection: Connection, run: int) -> list[tuple[Any, ...]]:
    parameters = {"run": run, "silence": SILENCE, "locks": LOCKS}
    return connection.execute(_FIND_LOST, parameters).fetchall()


def _bury(connection: Connection, run: int, seen: object) -> bool:
    whose = {"run": run, "seen": seen, "locks": LOCKS}
    connection.execute(_END_SESSION, whose)
    with suppress(errors.LockNotAvailable), connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '2s'")
        found = connection.execute(_TAKE, whose, binary=True).fetchone()
        if found is None:
            return False
        connection.execute(_LEAVE_IN_DOUBT, {"run": run, "keys": found[0]})
        connection.execute("DELETE FROM held_files WHERE run = %s", (run,))
        connection.execute("UPDATE runs SET lost_at = clock_timestamp() WHERE id = %s", (run,))
        return True
    return False


def give_back(connection: Connection, run: int) -> None:
    """End a run's lease: what it has not settled is in doubt, its files are free."""
    seen = connection.execute("SELECT renewed_at FROM leases WHERE run = %s", (run,)).fetchone()
    if seen is None:
        return
    found = connection.execute(_TAKE, {"run": run, "seen": seen[0]}, binary=True).fetchone()
    if found is not None:
        connection.execute(_LEAVE_IN_DOUBT, {"run": run, "keys": found[0]})
    connection.execute("DELETE FROM held_files WHERE run = %s", (run,))


def fenced() -> ConvertroError:
    """Give the error for a run whose lease another one has taken."""
    return ConvertroError(
        "This run was silent for so long that another one took over what it was doing; it has "
        "stopped, and sends nothing more.",
        hint="Nothing is lost: run the same command again. Was this machine asleep, or cut off "
        "from the database?",
        exit_code=ExitCode.TRY_LATER,
    )
