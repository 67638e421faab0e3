"""Replays that are spread over a cluster: each is a job here, and each of its parts is a run.

Whoever drives a job and its parts say to each other what they have to say in the ledger, since
that is what all of them reach: the parts write their counts, and the driver when to stop.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from msgspec import Struct
from psycopg import Connection

from convertro_cli.record.postgres.session import Session

_BEGIN = "INSERT INTO jobs (host, process) VALUES (%s, %s) RETURNING id"
_STOP = "UPDATE jobs SET stop = %s WHERE id = %s AND stop IS NULL"
_NOTE_COUNTS = "UPDATE runs SET counts = %s WHERE id = %s"
_IS_TO_STOP = "SELECT stop FROM jobs WHERE id = %s"
_PARTS = """
SELECT id, bundle, host || ':' || process, counts,
    ended_at IS NOT NULL OR lost_at IS NOT NULL OR leases.run IS NULL,
    coalesce(until >= clock_timestamp(), false),
    ended_at IS NULL AND (lost_at IS NOT NULL OR leases.run IS NULL)
FROM runs LEFT JOIN leases ON leases.run = runs.id
WHERE job = %(job)s AND id > %(behind)s AND NOT id = ANY (%(known)s::integer[]) ORDER BY id
"""


class JobPart(NamedTuple):
    """A part of a job: a run over one bundle. ``counts`` are its latest, as JSON.

    ``is_over`` says that they are its last: it ended, or another run took over. ``is_live`` says
    that it has its lease, ``is_lost`` that it has not said how it ended.
    """

    run: int
    bundle: int
    process: str
    counts: str | None
    is_over: bool
    is_live: bool
    is_lost: bool


class SharedJob:
    """A job, as its driver has it. Made, it has begun."""

    def __init__(self, session: Session) -> None:
        self._session = session
        row = session.do(
            lambda each: each.execute(_BEGIN, (socket.gethostname(), os.getpid())).fetchone()
        )
        assert row is not None
        self.number: int = row[0]

    def stop(self, exit_code: int) -> None:
        """Have all parts end, those that begin only now too."""
        self._session.do(lambda each: each.execute(_STOP, (exit_code, self.number)))

    def parts(self, known: Collection[int], *, behind: int = 0) -> list[JobPart]:
        """Give the parts so far, but for those that are known, and those up to a number."""
        whose = {"job": self.number, "known": sorted(known), "behind": behind}
        rows = self._session.do(lambda each: each.execute(_PARTS, whose).fetchall())
        return [JobPart(*row) for row in rows]


class JobShare(Struct):
    """What a run has to do with the job that it is part of.

    ``stop`` hears with which exit code the run is to end. ``counts`` are written by the next
    commit, so that what they say of calls is never more than the ledger has.
    """

    job: int
    bundle: int
    stop: Callable[[int], None]
    counts: bytes = b""
    _answer: Any = None

    def write(self, connection: Connection, run: int) -> None:
        """Write the counts, and ask whether to stop, as part of a transaction."""
        if self.counts:
            connection.execute(_NOTE_COUNTS, (self.counts.decode(), run))
        self._answer = connection.execute(_IS_TO_STOP, (self.job,))

    def hear(self) -> None:
        """Take in the answer, once it is there."""
        row = self._answer.fetchone()
        if row is not None and row[0] is not None:
            self.stop(row[0])
