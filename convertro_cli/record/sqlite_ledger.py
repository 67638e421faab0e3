"""The ledger in a file of its own, by SQLite: the default, for one run at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import schema
from convertro_cli.record.held import HeldFile
from convertro_cli.record.ledger import (
    ALL_MARKED,
    Failure,
    FinishedFile,
    Ledger,
    Marked,
    Settled,
    split_keys,
)
from convertro_cli.record.patience import Patience, held_too_long, is_held
from convertro_cli.record.settled_calls import CallFinder, SettledCalls

_FILES_A_QUERY = 64
_LOOK_UP_FILES = (
    "SELECT path, size, mtime_ns, edges FROM files WHERE settings = ? "  # noqa: S608
    f"AND path IN ({','.join('?' * _FILES_A_QUERY)})"
)
_CHECKPOINT_PAGES = 16_384  # 64 MiB of log: keys fall all over the table, so each page is
# written many times over, and the more of that happens in the log the better
_SOON_COUNTED = 64 << 20  # bytes of a ledger that is taken up in a moment


class SqliteLedger(Ledger):
    """The ledger of one state folder, open for one run.

    Every method raises ConvertroError with exit code 74 where the file cannot be read or
    written; what was committed before stays. Reading has a connection of its own, so that it
    never waits for a commit that another thread is at.

    Each commit looks whether the file is still the one at its path, and calls ``check``, which
    raises if the run holds nothing any more. ``notice`` is told in a sentence when another
    program keeps the ledger waiting.
    """

    def __init__(
        self,
        path: Path,
        *,
        check: Callable[[], None] = lambda: None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._check = check
        self._notice = notice
        self._patience = Patience(path, notice)
        self._finder: sqlite3.Connection | None = None
        with told(path):
            self._patience(self._open)
            self._held = [HeldFile.at("The ledger", path)]

    def _open(self) -> None:
        path = self._path
        if not schema.check_header(path):
            schema.create(path)
        schema.check_content(path)
        self._database = _connect(path)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            # Each commit must outlive a power cut: a mark that did not would hide a repeat.
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            # What SQLite keeps aside is little, and there may be no folder for temporary files.
            self._database.execute("PRAGMA temp_store = MEMORY")
            self._take_up()
            self._has_failures = self._any_failures()
            self._settled = SettledCalls(self._database)
            self._reader = _connect(path)
            self._calls = CallFinder(self._reader, self._settled)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> SqliteLedger:
        return self

    def __exit__(self, *_: object) -> None:
        if self._finder is not None:
            self._finder.close()
        self._reader.close()
        self._database.close()

    def _take_up(self) -> None:
        if schema.has_recent(self._database):
            return
        if self._path.stat().st_size > _SOON_COUNTED:
            self._notice(
                f"The ledger {self._path} is of the version before. To take it up its calls are "
                "counted; that is done once, and may take a minute."
            )
        schema.take_up(self._database)

    @property
    def waited(self) -> float | None:
        """For how many seconds another program has kept it waiting; None while none does."""
        return self._patience.waited

    @property
    def trouble(self) -> str | None:
        """Say who holds the ledger, and for how long; None while nobody does."""
        if (waited := self.waited) is None:
            return None
        return f"another program has held the ledger for {waited:.0f} s"

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
        log = schema.log_of(self._path)
        if log.exists():  # it holds all that is not carried over into the ledger yet
            with told(self._path):
                self._held.append(HeldFile.at("The ledger's log", log))
        return int(run), in_doubt

    def orders_in_doubt(self) -> frozenset[bytes]:
        """Give the orders whose calls are under way or in doubt, whichever messages bring them."""
        with told(self._path):
            self._calls.let_go()
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
            return self._patience(lambda: self._calls.look_up(keys))

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
        """Write what happened and what comes next. No other run can have any of the calls."""
        if again:
            self._settled.expect_settled()
        with self._writing():
            self._mark(run, sending, orders)
            self._settled.settle(run, sent, [failure.key for failure in failed])
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
            self._finish(run, finished)
        return ALL_MARKED

    def is_finished(self, identity: FileIdentity, settings: bytes) -> bool:
        """Whether this very file was replayed to its end under these settings."""
        with told(self._path):
            self._calls.let_go()
            return self._patience(lambda: is_finished(self._reader, identity, settings))

    def find_finished(self, paths: Sequence[str], settings: bytes) -> dict[str, FileIdentity]:
        """Give those of these files that were replayed to their end so, each as it was then.

        It may be called from a thread of its own, beside all else.
        """
        with told(self._path):
            if self._finder is None:
                self._finder = sqlite3.connect(
                    self._path, isolation_level=None, timeout=10, check_same_thread=False
                )
            return find_finished(self._finder, paths, settings)

    def refinish_file(self, identity: FileIdentity, settings: bytes) -> None:
        """Note that a file which was replayed to its end is to be this one from now on."""
        with self._writing():
            self._database.execute(
                "UPDATE files SET size = ?, mtime_ns = ?, edges = ? "
                "WHERE path = ? AND settings = ?",
                (identity.size, identity.mtime_ns, identity.edges, identity.path, settings),
            )

    def _mark(self, run: int, keys: bytes, orders: bytes = b"") -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO sending VALUES (?, ?, ?)", (run, keys, orders)
        )

    def _finish(self, run: int, files: Sequence[FinishedFile]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (file.path, file.size, file.mtime_ns, file.edges, settings, run, _now())
                for file, settings in files
            ],
        )

    def _any_failures(self) -> bool:
        return self._database.execute("SELECT 1 FROM failures LIMIT 1").fetchone() is not None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with told(self._path):
            self._patience(lambda: self._database.execute("BEGIN IMMEDIATE"))
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                self._settled.discard()
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            self._settled.keep()
        # After the commit: what it says is then known to be where the next run will look for it.
        for file in self._held:
            file.check()
        self._check()


def _connect(path: Path) -> sqlite3.Connection:
    # One thread at a time uses a connection, but not always the same one.
    # It gives up at once where another program is in its way: whoever calls is patient.
    return sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)


def is_finished(database: sqlite3.Connection, identity: FileIdentity, settings: bytes) -> bool:
    """Look a file up in the table of those that were replayed to their end."""
    row = database.execute(
        "SELECT size, mtime_ns, edges FROM files WHERE path = ? AND settings = ?",
        (identity.path, settings),
    ).fetchone()
    return bool(row == (identity.size, identity.mtime_ns, identity.edges))


def find_finished(
    database: sqlite3.Connection, paths: Sequence[str], settings: bytes
) -> dict[str, FileIdentity]:
    """Look files up by their paths in the table of those that were replayed to their end."""
    found: dict[str, FileIdentity] = {}
    for start in range(0, len(paths), _FILES_A_QUERY):
        some = paths[start : start + _FILES_A_QUERY]
        padded = [settings, *some, *[None] * (_FILES_A_QUERY - len(some))]
        for path, size, mtime_ns, edges in database.execute(_LOOK_UP_FILES, padded):
            found[path] = FileIdentity(path, size, mtime_ns, edges)
    return found


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell SQLite's errors in sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # "malformed" and "not a database" are what SQLite says of damage.
        if "malformed" in str(error) or "not a database" in str(error):
            raise schema.refuse(path, "is damaged") from None
        if is_held(error):
            raise held_too_long(path) from None
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
