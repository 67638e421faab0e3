"""A connection that outlives the absences of its server: what was asked is asked again.

What is asked must therefore be such that doing it twice does no harm: whether a transaction was
carried out whose answer was lost, nobody knows.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from msgspec import Struct
from psycopg import Connection, errors

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.postgres.address import LedgerUrl

Result = TypeVar("Result")

_CONNECT_WITHIN = 5
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_MOST_DEADLOCKS = 20
_WORDS_THAT_PASS = (
    "starting up",
    "shutting down",
    "recovery",
    "too many",
    "not yet accepting",
    "remaining connection slots",
    "terminating connection",
)
_NO_PASSWORD = "no password supplied"  # noqa: S105 - libpq's own words: it did not even ask
_WAYS_IN = {
    re.compile("password"): "Its password is found as by psql: ~/.pgpass, PGPASSFILE, a service "
    "file, or PGPASSWORD.",
    re.compile("database .* does not exist"): "`createdb` makes a database.",
}
"""What helps where nobody is let in, by what the server or libpq says."""

# What it warns of, such as a connection that broke, is told in sentences.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

# The server ends a transaction whose process was stopped in its midst: others wait for it.
# Every key is found by its index: what the planner takes for a short list of keys can be
# compared with a table of any size. So each plan can be made once and kept, which takes a sixth of
# a commit's work off the server. The disk is waited for, whatever the server's default is.
_SETTINGS = """
SET search_path = convertro;
SET synchronous_commit = on;
SET idle_in_transaction_session_timeout = '10s';
SET client_min_messages = warning;
SET jit = off;
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET plan_cache_mode = force_generic_plan;
"""
# A machine that vanished must show within seconds, not after the two hours that TCP takes.
_NETWORK: dict[str, Any] = {
    "connect_timeout": _CONNECT_WITHIN,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "convertro",
}


class ServerPatience(Struct):
    """How long to wait for a server that is away, in seconds, and what to do meanwhile.

    ``stopped`` says that nobody wants to wait any more; ``notice`` is told of each absence;
    ``meanwhile`` is called with each pause, in place of sleeping, where the main thread waits.
    """

    seconds: float = 60.0
    stopped: Callable[[], bool] = lambda: False
    notice: Callable[[str], object] = lambda _: None
    meanwhile: Callable[[float], object] = time.sleep


class Session:
    """One connection, for one thing at a time, from any thread.

    ``on_connect`` is called with each new connection. Raises ConvertroError: with exit code 75
    where the server stayed away, and 74 for everything else that it says.
    """

    def __init__(
        self,
        address: LedgerUrl,
        patience: ServerPatience,
        on_connect: Callable[[Connection], object] = lambda _: None,
    ) -> None:
        self.reconnected_at = float("-inf")
        self._address = address
        self._patience = patience
        self._on_connect = on_connect
        self._connection: Connection | None = None
        self._was_connected = False
        self._absence: _Absence | None = None
        self._lock = threading.RLock()

    @property
    def away(self) -> float | None:
        """For how many seconds the server has been away; None while it is there."""
        absence = self._absence  # another thread may be the one that waits
        return absence.length if absence is not None else None

    def do(self, work: Callable[[Connection], Result]) -> Result:
        """Carry out some work with the connection; again, if the server went away meanwhile."""
        with self._lock:
            self._absence = absence = _Absence(self._address, self._patience)
            try:
                while True:
                    try:
                        return work(self._connected())
                    except psycopg.Error as error:
                        self._forget_if_broken()
                        absence.wait(error)
            finally:
                self._absence = None

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = connect(self._address)
            try:
                connection.execute(_SETTINGS)
                self._on_connect(connection)
            except BaseException:
                connection.close()
                raise
            if self._was_connected:
                self.reconnected_at = time.monotonic()
            self._connection, self._was_connected = connection, True
        return self._connection

    def _forget_if_broken(self) -> None:
        if self._connection is not None and self._connection.closed:
            self._connection.close()
            self._connection = None


class _Absence:
    """An absence of the server, as long as one piece of work waits for it."""

    def __init__(self, address: LedgerUrl, patience: ServerPatience) -> None:
        self._address = address
        self._patience = patience
        self._since: float | None = None
        self._pause = _FIRST_PAUSE
        self._deadlocks = 0

    @property
    def length(self) -> float | None:
        """For how many seconds it has lasted; None while the server is there."""
        since = self._since
        return time.monotonic() - since if since is not None else None

    def wait(self, error: psycopg.Error) -> None:
        """Wait a little after an error. Raises ConvertroError where that makes no sense."""
        if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
            self._deadlocks += 1
            if self._deadlocks <= _MOST_DEADLOCKS:
                return
        if not _means_away(error):
            raise _refused(self._address, error) from None
        if not _may_pass(error):
            raise _not_let_in(self._address, error) from None
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._patience.notice(
                f"The ledger in {self._address} is away ({what_it_said(error)}): "
                f"waiting for up to {self._patience.seconds:.0f} s."
            )
        gone = now - self._since
        if self._patience.stopped() or gone >= self._patience.seconds:
            raise _away(self._address, error, gone) from None
        self._patience.meanwhile(self._pause)
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)


def connect(address: LedgerUrl) -> Connection:
    """Open a connection as it is, for whoever only looks. Raises psycopg's errors."""
    return psycopg.connect(address.url, autocommit=True, **_NETWORK)


def what_it_said(error: psycopg.Error) -> str:
    """Give an error in one line."""
    text = error.diag.message_primary or str(error)
    return " ".join(text.split()) or type(error).__name__


def _means_away(error: psycopg.Error) -> bool:
    """Whether an error may pass by itself: the server is down, starting, or out of something."""
    if isinstance(error, errors.IdleInTransactionSessionTimeout):
        return True
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (
        state is None or state.startswith(("08", "53", "57"))
    )


def _may_pass(error: psycopg.Error) -> bool:
    """Whether it makes sense to wait: not where the server answers that it will have nobody.

    An error of a connection that was not made has no code, only the server's words, "FATAL".
    """
    text = str(error)
    return (
        error.sqlstate is not None
        or ("FATAL" not in text and _NO_PASSWORD not in text)
        or any(words in text for words in _WORDS_THAT_PASS)
    )


def _away(address: LedgerUrl, error: psycopg.Error, seconds: float) -> ConvertroError:
    how_long = f" for {seconds:.0f} s" if seconds >= 1 else ""
    return ConvertroError(
        f"The ledger in {address} cannot be reached{how_long}: {what_it_said(error)}.",
        hint="Nothing is lost: run the same command again later. If it recurs, try "
        f"`psql '{address.url}'`.",
        exit_code=ExitCode.TRY_LATER,
    )


def _not_let_in(address: LedgerUrl, error: psycopg.Error) -> ConvertroError:
    said = what_it_said(error)
    ways = (way for words, way in _WAYS_IN.items() if words.search(said.rpartition("FATAL")[2]))
    return _cannot_be_used(address, said, next(ways, f"Try `psql '{address.url}'`."))


def _refused(address: LedgerUrl, error: psycopg.Error) -> ConvertroError:
    way = "Mend it."
    if isinstance(error, errors.InsufficientPrivilege):
        way = (
            "The role needs USAGE on the schema convertro, and SELECT, INSERT, UPDATE and DELETE "
            "on its tables."
        )
    return _cannot_be_used(address, what_it_said(error), way)


def _cannot_be_used(address: LedgerUrl, said: str, way: str) -> ConvertroError:
    return ConvertroError(
        f"The ledger in {address} cannot be used: {said}.",
        hint=f"Nothing is lost. {way} Then run the same command again.",
        exit_code=ExitCode.CANNOT_WRITE_STATE,
    )
