"""One transaction of a run that shares its ledger: what happened, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection, errors

from convertro_cli.record.ledger import (
    CallState,
    Failure,
    FinishedFile,
    Marked,
    Settled,
    split_keys,
)
from convertro_cli.record.postgres import lease as leases
from convertro_cli.record.postgres import statements as sql
from convertro_cli.record.postgres.files import finish_files
from convertro_cli.record.postgres.jobs import JobShare
from convertro_cli.record.postgres.letters import LetterBox


class Commit:
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
        finished: Sequence[FinishedFile],
        released: bytes,
        fresh: bytes,
        again: Mapping[bytes, int],
        letters: LetterBox,
        share: JobShare | None = None,
    ) -> None:
        self._run = run
        self._renewal = {"run": run, "seconds": seconds, "keys": sending, "orders": orders}
        self._sent = sent
        self._failed = failed
        self._finished = finished
        self._released = released
        self._fresh = fresh
        self._again = again
        self._letters = letters
        self._share = share

    def carry_out(self, connection: Connection) -> Marked:
        """Do it. Raises ConvertroError where another run has taken over.

        All goes out at once, and what goes out so is one transaction: the server answers once, when
        it is on disk. A network's delay is therefore paid once, too.
        """
        marked: list[Any] = []
        try:
            with connection.pipeline():
                connection.execute(sql.RENEW, self._renewal)
                self._settle(connection)
                marking = self._mark(connection)
                if self._share is not None:
                    self._share.write(connection, self._run)
        except errors.DivisionByZero:  # as RENEW says that there is no lease
            raise leases.fenced() from None
        for cursor in marking:
            marked += cursor.fetchall()
        if self._share is not None:
            self._share.hear()
        asked = [*split_keys(self._fresh), *self._again]
        refused = set(asked) - {key for key, _ in marked}
        how: dict[bytes, Settled] = {}
        if refused:
            how = find_settled(connection, joined(refused))
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
            keys = joined(failure.key for failure in self._failed)
            connection.execute(
                sql.SETTLE, {"run": run, "keys": keys, "state": int(CallState.FAILED)}
            )
            connection.execute(sql.NOTE_FAILURES, _failure_rows(run, self._failed))
        if self._released:
            connection.execute(sql.RELEASE, {"run": run, "keys": self._released})
        self._letters.write(connection)
        if self._finished:
            finish_files(connection, run, self._finished)

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
        "sources": [sql.without_nul(row.source) for row in rows],
    }


def find_settled(connection: Connection, keys: bytes) -> dict[bytes, Settled]:
    """Look calls up, their keys end to end."""
    rows = connection.execute(sql.LOOK_UP, {"keys": keys}, binary=True).fetchall()
    return {key: Settled(CallState(state), run) for key, state, run in rows}


def joined(keys: Iterable[bytes]) -> bytes:
    """Put keys end to end, each once, in an order that keeps runs from waiting for each other."""
    return b"".join(sorted(set(keys)))
