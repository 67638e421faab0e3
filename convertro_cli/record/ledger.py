"""The ledger: what became of every call, so that none is lost and none knowingly sent twice.

A key is marked *sending* before its request starts and settled (*sent* or *failed*) after its
answer, many in one transaction. Each transaction is on the disk before the next step is taken:
after a crash, only calls still marked *sending* are in doubt.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import schema

_KEYS_A_QUERY = 64
_LOOK_UP = f"SELECT key, state, run FROM calls WHERE key IN ({','.join('?' * _KEYS_A_QUERY)})"  # noqa: S608
_CHECKPOINT_PAGES = 16_384  # 64 MiB of log: keys fall all over the table, so each page is
# written many times over, and the more of that happens in the log the better


class CallState(IntEnum):
    """How a call was settled."""

    SENT = 1
    FAILED = 2


class Settled(NamedTuple):
    """A settled call: how, and by which run."""

    state: CallState
    run: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A call or a line that failed for good: its key, why, and its place in an export."""

    key: bytes
    reason: str
    source: str


class Ledger:
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

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()
        self._database.close()

    def begin_run(self, target: str) -> tuple[int, frozenset[bytes]]:
        """Note that a run begins; give its number, and the calls that earlier runs left in doubt.

        The doubts are the new run's from now on.
        """
        with self._writing():
            (run,) = self._database.execute(
                "INSERT INTO runs (started_at, target) VALUES (?, ?) RETURNING id", (_now(), target)
            ).fetchone()
            rows = self._database.execute("SELECT keys FROM sending").fetchall()
            in_doubt = frozenset(key for (keys,) in rows for key in split_keys(keys))
            self._database.execute("DELETE FROM sending")
            self._mark(run, b"".join(in_doubt))
        return int(run), in_doubt

    def end_run(self, run: int, summary: bytes) -> None:
        """Note how a run ended."""
        with self._writing():
            self._database.execute(
                "UPDATE runs SET ended_at = ?, summary = ? WHERE id = ?",
                (_now(), summary.decode(), run),
            )

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how."""
        found: dict[bytes, Settled] = {}
        with told(self._path):
            for start in range(0, len(keys), _KEYS_A_QUERY):
                some = keys[start : start + _KEYS_A_QUERY]
                # Always as many parameters, so that SQLite prepares the statement only once.
                padded = [*some, *[None] * (_KEYS_A_QUERY - len(some))]
                for key, state, run in self._reader.execute(_LOOK_UP, padded):
                    found[key] = Settled(CallState(state), run)
        return found

    def commit(
        self,
        run: int,
        *,
        sending: bytes,
        sent: Sequence[bytes] = (),
        failed: Sequence[Failure] = (),
    ) -> None:
        """Write what happened and what comes next, in one transaction that is on disk after.

        ``sending`` has, end to end, all the keys that are marked from now on, in place of those
        that were before.
        """
        with self._writing():
            self._mark(run, sending)
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

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        with told(self._path):
            row = self._reader.execute(
                "SELECT size, mtime_ns, edges FROM files WHERE path = ? AND settings = ?",
                (identity.path, settings),
            ).fetchone()
        return bool(row == (identity.size, identity.mtime_ns, identity.edges))

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

    def refinish_file(self, identity: FileIdentity, settings: bytes) -> None:
        """Note that a file which was replayed to its end is to be this one from now on."""
        with self._writing():
            self._database.execute(
                "UPDATE files SET size = ?, mtime_ns = ?, edges = ? "
                "WHERE path = ? AND settings = ?",
                (identity.size, identity.mtime_ns, identity.edges, identity.path, settings),
            )

    def _mark(self, run: int, keys: bytes) -> None:
        self._database.execute("INSERT OR REPLACE INTO sending VALUES (?, ?)", (run, keys))

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


def split_keys(keys: bytes) -> list[bytes]:
    """Take apart keys that were stored end to end."""
    return [keys[start : start + KEY_BYTES] for start in range(0, len(keys), KEY_BYTES)]


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
