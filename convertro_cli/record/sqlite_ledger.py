"""The ledger in a file of its own, by SQLite: the default, for one run at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import schema
from convertro_cli.record.ledger import (
    ALL_MARKED,
    CallState,
    Failure,
    Ledger,
    Marked,
    Settled,
    split_keys,
)

_KEYS_A_QUERY = 64
_LOOK_UP = f"SELECT key, state, run FROM calls WHERE key IN ({','.join('?' * _KEYS_A_QUERY)})"  # noqa: S608
_CHECKPOINT_PAGES = 16_384  # 64 MiB of log: keys fall all over the table, so each page is
# written many times over, and the more of that happens in the log the better


class SqliteLedger(Ledger):
    """The ledger of one state folder, open for one run.

    Every method raises ConvertroError with exit code 74 where the file cannot be read or
    written; what was committed before stays. Reading has a connection of its own, so that it
    never waits for a commit that another thread is at.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with told(path):
            if not schema.check_header(path):
                schema.create(path)
            schema.check_content(path)
            self._database = _connect(path)
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                # Each commit must outlive a power cut: a mark that did not would hide a repeat.
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                self._has_failures = self._any_failures()
                self._reader = _connect(path)
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> SqliteLedger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()
        self._database.close()

    def begin_run(
        self, target: str, *, account: str = "", site_id: str = ""
    ) -> tuple[int, frozenset[bytes]]:
        """Note that a run begins; give its number, and the calls that earlier runs left in doubt.

        The doubts are the new run's from now on.
        """
        with self._writing():
            (run,) = self._database.execute(
                "INSERT INTO runs (started_at, target, account, site_id) VALUES (?, ?, ?, ?) "
                "RETURNING id",
                (_now(), target, account, site_id),
            ).fetchone()
            rows = self._database.execute("SELECT keys, orders FROM sending").fetchall()
            in_doubt = frozenset(key for keys, _ in rows for key in split_keys(keys))
            orders = frozenset(key for _, orders in rows for key in split_keys(orders))
            self._database.execute("DELETE FROM sending")
            self._mark(run, b"".join(in_doubt), b"".join(orders))
        return int(run), in_doubt

    def orders_in_doubt(self) -> frozenset[bytes]:
        """Give the orders whose calls are under way or in doubt, whichever messages bring them."""
        with told(self._path):
            rows = self._reader.execute("SELECT orders FROM sending").fetchall()
        return frozenset(key for (orders,) in rows for key in split_keys(orders))

    def end_run(self, run: int, summary: bytes, *, exit_code: int | None = None) -> None:
        """Note how a run ended."""
        with self._writing():
            self._database.execute(
                "UPDATE runs SET ended_at = ?, summary = ?, exit_code = ? WHERE id = ?",
                (_now(), summary.decode(), exit_code, run),
            )

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how."""
        with told(self._path):
            return find_settled(self._reader, keys)

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
        """Write what happened and what comes next. No other run can have any of the calls."""
        with self._writing():
            self._mark(run, sending, orders)
            self._settle(run, CallState.SENT, sent)
            self._settle(run, CallState.FAILED, [failure.key for failure in failed])
            if self._has_failures:
                self._database.executemany(
                    "DELETE FROM failures WHERE key = ?", ((key,) for key in sent)
                )
            if failed:
                self._has_failures = True
                self._database.executemany(
                    "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)",
                    ((failure.key, failure.reason, failure.source, run) for failure in failed),
                )
        return ALL_MARKED

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        with told(self._path):
            return is_finished(self._reader, identity, settings)

    def finish_file(self, run: int, identity: FileIdentity, settings: bytes) -> None:
        """Note that a file was replayed to its end."""
        with self._writing():
            self._database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    identity.path,
                    identity.size,
                    identity.mtime_ns,
                    identity.edges,
                    settings,
                    run,
                    _now(),
                ),
            )

    def _mark(self, run: int, keys: bytes, orders: bytes = b"") -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO sending VALUES (?, ?, ?)", (run, keys, orders)
        )

    def _settle(self, run: int, state: CallState, keys: Sequence[bytes]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO calls VALUES (?, ?, ?)",
            [(key, int(state), run) for key in keys],
        )

    def _any_failures(self) -> bool:
        return self._database.execute("SELECT 1 FROM failures LIMIT 1").fetchone() is not None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with told(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise


def _connect(path: Path) -> sqlite3.Connection:
    # One thread at a time uses a connection, but not always the same one.
    return sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)


def find_settled(database: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Settled]:
    """Look calls up in the table of those that are settled."""
    found: dict[bytes, Settled] = {}
    for start in range(0, len(keys), _KEYS_A_QUERY):
        some = keys[start : start + _KEYS_A_QUERY]
        # Always as many parameters, so that SQLite prepares the statement only once.
        padded = [*some, *[None] * (_KEYS_A_QUERY - len(some))]
        for key, state, run in database.execute(_LOOK_UP, padded):
            found[key] = Settled(CallState(state), run)
    return found


def is_finished(database: sqlite3.Connection, identity: FileIdentity, settings: bytes) -> bool:
    """Look a file up in the table of those that were replayed to their end."""
    row = database.execute(
        "SELECT size, mtime_ns, edges FROM files WHERE path = ? AND settings = ?",
        (identity.path, settings),
    ).fetchone()
    return bool(row == (identity.size, identity.mtime_ns, identity.edges))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell SQLite's errors in sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # "malformed" and "not a database" are what SQLite says of damage.
        if "malformed" in str(error) or "not a database" in str(error):
            raise schema.refuse(path, "is damaged") from None
        raise ConvertroError(
            f"The ledger {path} cannot be written: {error}.",
            hint="Nothing is lost. Mend it (free some space?) and run the same command again.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None
    except OSError as error:
        raise ConvertroError(
            f"The ledger {path} cannot be written: {error.strerror}.",
            hint="Nothing is lost. Mend it (free some space?) and run the same command again.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        ) from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
