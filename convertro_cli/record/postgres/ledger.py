"""The ledger in PostgreSQL, open for one run of any number."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from psycopg import Connection

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import (
    Failure,
    FinishedFile,
    Ledger,
    Marked,
    Settled,
    split_keys,
)
from convertro_cli.record.postgres import lease as leases
from convertro_cli.record.postgres import statements as sql
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.commit import Commit, find_settled, joined
from convertro_cli.record.postgres.files import HeldFiles, is_finished
from convertro_cli.record.postgres.forgetting import forget_rows
from convertro_cli.record.postgres.jobs import JobShare
from convertro_cli.record.postgres.letters import LetterBox, mark_tried
from convertro_cli.record.postgres.rate import SharedBucket
from convertro_cli.record.postgres.schema import check_version, migrate
from convertro_cli.record.postgres.session import ServerPatience, Session

LEASE_SECONDS = 30.0


class PostgresLedger(Ledger):
    """The ledger of any number of runs at once, as one of them has it.

    Commits, look-ups and files have a connection each, so that none waits for another. Errors are
    those of ``Session``; where another run has taken over, what was to be committed is not.
    """

    def __init__(
        self,
        address: LedgerUrl,
        *,
        lease_seconds: float = LEASE_SECONDS,
        patience: ServerPatience | None = None,
        share: JobShare | None = None,
    ) -> None:
        patience = patience or ServerPatience()
        background = ServerPatience(patience.seconds, patience.stopped)
        self.lease: leases.RunLease = leases.RunLease(lease_seconds)
        self.letters = LetterBox()
        self._share = share
        self._address = address
        self._patience = ServerPatience(patience.seconds, patience.stopped, patience.notice)
        self._bucket: SharedBucket | None = None
        self._run = 0
        self._held: set[bytes] = set()
        self._writer = Session(address, patience, self._show_alive)
        self._reader = Session(address, self._patience)
        self.files: HeldFiles = HeldFiles(Session(address, background))
        try:
            if not self._reader.do(lambda connection: check_version(connection, address)):
                self._reader.do(lambda connection: migrate(connection, address, create_only=True))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PostgresLedger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections: the other runs see at once that this one is gone."""
        self._reader.close()
        self._writer.close()
        self.files.close()
        if self._bucket is not None:
            self._bucket.close()

    @property
    def trouble(self) -> str | None:
        """Say for how long the database has been away; None while it is there."""
        away = [session.away for session in (self._writer, self._reader)]
        if not any(away):
            return None
        return f"the ledger's database has been away for {max(filter(None, away)):.0f} s"

    def begin_run(
        self, target: str, *, account: str = "", site_id: str = ""
    ) -> tuple[int, frozenset[bytes]]:
        """Note that a run begins. No doubt is its own: it meets them when it marks the calls."""
        parameters = {
            "target": target,
            "account": account,
            "site_id": site_id,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "seconds": self.lease.seconds,
            "job": self._share.job if self._share is not None else None,
            "bundle": self._share.bundle if self._share is not None else None,
        }
        since = leases.boot_time()

        def begin(connection: Connection) -> tuple[int, Any]:
            with connection.transaction():
                row = connection.execute(sql.BEGIN_RUN, parameters).fetchone()
                assert row is not None
                connection.execute(sql.FORGET_SETTLED_DOUBTS)
            leases.show_alive(connection, row[0])
            return row[0], row[1]

        self._run, started_at = self._writer.do(begin)
        self.lease.renewed(since)
        self._held = set()
        self.letters.begin(self._run)
        self.files.begin(self._run, started_at)
        leases.bury_lost_runs(self._writer, self._run)
        return self._run, frozenset()

    def orders_in_doubt(self) -> frozenset[bytes]:
        """Give no orders: their doubts, too, are met when they are marked."""
        return frozenset()

    def end_run(self, run: int, summary: bytes, *, exit_code: int | None = None) -> None:
        """Note how a run ended; what it has not settled is in doubt from now on."""
        parameters = {"run": run, "summary": summary.decode(), "exit_code": exit_code}

        def end(connection: Connection) -> None:
            with connection.transaction():
                leases.give_back(connection, run)
                connection.execute(sql.END_RUN, parameters)
                if self._share is not None:
                    self._share.write(connection, run)

        self._writer.do(end)
        self._held = set()

    def share_rate(self, rate: float) -> SharedBucket:
        """Give the bucket from which all runs draw."""
        self._bucket = SharedBucket(self._address, rate)
        return self._bucket

    def note_counts(self, counts: bytes) -> None:
        """Have the next commit write the counts of a run that is part of a job."""
        if self._share is not None:
            self._share.counts = counts

    def while_away(self, meanwhile: Callable[[float], object]) -> None:
        """Say what to do in each pause while a look-up waits for the database."""
        self._patience.meanwhile = meanwhile

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how."""
        if not keys:
            return {}
        content = b"".join(keys)
        return self._reader.do(lambda connection: find_settled(connection, content))

    def commit(
        self,
        run: int,
        *,
        sending: bytes,
        orders: bytes = b"",
        sent: Sequence[bytes] = (),
        failed: Sequence[Failure] = (),
        finished: Sequence[FinishedFile] = (),
        again: Mapping[bytes, int] | None = None,
    ) -> Marked:
        """Write what happened and what comes next, as far as no other run was first."""
        marks = {*split_keys(sending), *split_keys(orders)}
        new = marks - self._held
        settled = {*sent, *(failure.key for failure in failed)}
        again = {key: by for key, by in (again or {}).items() if key in new}
        commit = Commit(
            run,
            self.lease.seconds,
            sending,
            orders,
            sent=joined(sent),
            failed=failed,
            finished=finished,
            released=joined(self._held - marks - settled),
            fresh=joined(new - again.keys()),
            again=again,
            letters=self.letters,
            share=self._share,
        )
        since = leases.boot_time()
        marked = self._writer.do(commit.carry_out)
        self.lease.renewed(since)
        self.letters.written()
        self._held = marks - marked.refused.keys()
        if None in marked.refused.values():
            leases.bury_lost_runs(self._writer, run)
        return marked

    def letters_tried(self, reached: Mapping[int, int]) -> None:
        """Note that dead letters were tried again, each run's up to a number."""
        self._writer.do(lambda connection: mark_tried(connection, self._run, reached))

    def forget(self, suppressed: Container[str]) -> int:
        """Remove the dead letters of these users, of all runs; give how many there were."""
        address = self._address
        return self._writer.do(lambda each: forget_rows(each, address, suppressed)).removed

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        return self._reader.do(lambda connection: is_finished(connection, identity, settings))

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then."""
        return self.files.find_finished(paths, settings)

    def _show_alive(self, connection: Connection) -> None:
        if self._run:
            leases.show_alive(connection, self._run)
