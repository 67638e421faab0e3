"""The ledger in PostgreSQL, open for one run of any number."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record.ledger import (
    CallState,
    Failure,
    Ledger,
    Marked,
    Settled,
    split_keys,
)
from convertro_cli.record.postgres import lease as leases
from convertro_cli.record.postgres import statements as sql
from convertro_cli.record.postgres.address import Address
from convertro_cli.record.postgres.files import HeldFiles, finish_file, is_finished
from convertro_cli.record.postgres.letters import LetterBox, mark_tried
from convertro_cli.record.postgres.rate import SharedBucket
from convertro_cli.record.postgres.schema import check_version, migrate
from convertro_cli.record.postgres.session import Patience, Session

LEASE_SECONDS = 30.0


class PostgresLedger(Ledger):
    """The ledger of any number of runs at once, as one of them has it.

    Commits, look-ups and files have a connection each, so that none waits for another. Errors are
    those of ``Session``; where another run has taken over, what was to be committed is not.
    """

    def __init__(
        self,
        address: Address,
        *,
        lease_seconds: float = LEASE_SECONDS,
        patience: Patience | None = None,
    ) -> None:
        patience = patience or Patience()
        background = Patience(patience.seconds, patience.stopped)
        self.lease: leases.RunLease = leases.RunLease(lease_seconds)
        self.letters = LetterBox()
        self._address = address
        self._patience = Patience(patience.seconds, patience.stopped, patience.notice)
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

        self._writer.do(end)
        self._held = set()

    def share_rate(self, rate: float) -> SharedBucket:
        """Give the bucket from which all runs draw."""
        self._bucket = SharedBucket(self._address, rate)
        return self._bucket

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
        again: Mapping[bytes, int] | None = None,
    ) -> Marked:
        """Write what happened and what comes next, as far as no other run was first."""
        marks = {*split_keys(sending), *split_keys(orders)}
        new = marks - self._held
        settled = {*sent, *(failure.key for failure in failed)}
        again = {key: by for key, by in (again or {}).items() if key in new}
        commit = _Commit(
            run,
            self.lease.seconds,
            sending,
            orders,
            sent=_joined(sent),
            failed=failed,
            released=_joined(self._held - marks - settled),
            fresh=_joined(new - again.keys()),
            again=again,
            letters=self.letters,
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

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        return self._reader.do(lambda connection: is_finished(connection, identity, settings))

    def finish_file(self, run: int, identity: FileIdentity, settings: bytes) -> None:
        """Note that a file was replayed to its end, and let go of it."""
        self._writer.do(lambda connection: finish_file(connection, run, identity, settings))

    def _show_alive(self, connection: Connection) -> None:
        if self._run:
            leases.show_alive(connection, self._run)


class _Commit:
    """One transaction of a run. Carried out twice, it does what it does once."""

    def __init__(
        self,
        run: int,
        seconds: float,
        sending: bytes,
        orders: bytes,
        *,
        sent: bytes,
        failed: Sequence[Failure],
        released: bytes,
        fresh: bytes,
        again: Mapping[bytes, int],
        letters: LetterBox,
    ) -> None:
        self._run = run
        self._renewal = {"run": run, "seconds": seconds, "keys": sending, "orders": orders}
        self._sent = sent
        self._failed = failed
        self._released = released
        self._fresh = fresh
        self._again = again
        self._letters = letters

    def carry_out(self, connection: Connection) -> Marked:
        """Do it. Raises ConvertroError where another run has taken over."""
        marked: list[Any] = []
        with connection.pipeline() as pipeline, connection.transaction():
            renewal = connection.execute(sql.RENEW, self._renewal)
            self._settle(connection)
            marking = self._mark(connection)
            pipeline.sync()
            if renewal.rowcount == 0:
                raise leases.fenced()
            for cursor in marking:
                marked += cursor.fetchall()
        asked = [*split_keys(self._fresh), *self._again]
        refused = set(asked) - {key for key, _ in marked}
        how: dict[bytes, Settled] = {}
        if refused:
            how = find_settled(connection, _joined(refused))
        return Marked(
            {key: how.get(key) for key in refused},
            frozenset(key for key, doubt in marked if doubt),
        )

    def _settle(self, connection: Connection) -> None:
        run = self._run
        if self._sent:
            parameters = {"run": run, "keys": self._sent, "state": int(CallState.SENT)}
            connection.execute(sql.SETTLE, parameters)
            connection.execute(sql.FORGET_FAILURES, {"keys": self._sent})
        if self._failed:
            keys = _joined(failure.key for failure in self._failed)
            connection.execute(
                sql.SETTLE, {"run": run, "keys": keys, "state": int(CallState.FAILED)}
            )
            connection.execute(sql.NOTE_FAILURES, _failure_rows(run, self._failed))
        if self._released:
            connection.execute(sql.RELEASE, {"run": run, "keys": self._released})
        self._letters.write(connection)

    def _mark(self, connection: Connection) -> list[Any]:
        run, marking = self._run, []
        if self._fresh:
            parameters: dict[str, Any] = {"run": run, "keys": self._fresh}
            marking.append(connection.execute(sql.MARK, parameters, binary=True))
        if self._again:
            parameters = {
                "run": run,
                "all": sorted(self._again),
                "by": [self._again[key] for key in sorted(self._again)],
            }
            marking.append(connection.execute(sql.MARK_AGAIN, parameters, binary=True))
        return marking


def _failure_rows(run: int, failed: Sequence[Failure]) -> dict[str, Any]:
    latest = {failure.key: failure for failure in failed}
    rows = [latest[key] for key in sorted(latest)]
    return {
        "run": run,
        "all": [row.key for row in rows],
        "reasons": [row.reason for row in rows],
        "sources": [row.source.replace("\0", "\ufffd") for row in rows],
    }


def find_settled(connection: Connection, keys: bytes) -> dict[bytes, Settled]:
    """Look calls up, their keys end to end."""
    rows = connection.execute(sql.LOOK_UP, {"keys": keys}, binary=True).fetchall()
    return {key: Settled(CallState(state), run) for key, state, run in rows}


def _joined(keys: Any) -> bytes:
    """Put keys end to end, each once, in an order that keeps runs from waiting for each other."""
    return b"".join(sorted(set(keys)))
