"""The ledger's tables, and the check that a file is a ledger of this version."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.state import open_private

APPLICATION_ID = 0x43565254  # "CVRT", in the file's header
VERSION = 3
_VERSION_BEFORE = 2  # whose ledgers are read as they are, and taken up by the next run

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_CHECKED_BYTES = 64 << 20

COUNT_CALLS = "SELECT run, state, count(*) FROM calls GROUP BY run, state"
"""Counts the settled calls where there are no totals; at fifty million, this takes a while."""

_TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    target TEXT NOT NULL,
    account TEXT NOT NULL,
    site_id TEXT NOT NULL,
    exit_code INTEGER,
    summary TEXT
);
-- One row a call that is settled: 1 sent, 2 failed for good. `run` is the run that settled it.
-- An order that goes out once, whichever message brings it, has a row besides once it is sent.
CREATE TABLE calls (key BLOB PRIMARY KEY, state INTEGER NOT NULL, run INTEGER NOT NULL)
    WITHOUT ROWID;
-- The keys, end to end, of the calls whose requests may be under way; one row, of the latest
-- run. What a crash leaves here is in doubt. `orders` has the keys of the orders among them.
CREATE TABLE sending (run INTEGER PRIMARY KEY, keys BLOB NOT NULL, orders BLOB NOT NULL);
CREATE TABLE failures (
    key BLOB PRIMARY KEY, reason TEXT NOT NULL, source TEXT NOT NULL, run INTEGER NOT NULL
) WITHOUT ROWID;
-- The exports that were replayed to their end.
CREATE TABLE files (
    path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, edges BLOB NOT NULL,
    settings BLOB NOT NULL, run INTEGER NOT NULL, finished_at TEXT NOT NULL,
    PRIMARY KEY (path, settings)
) WITHOUT ROWID;
"""
_NEW_TABLES = (
    # Calls that were sent and are not in `calls` yet: the keys of one commit, end to end. The
    # numbers grow for good: whoever has read up to one knows by it what is new.
    "CREATE TABLE recent (id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, "
    "keys BLOB NOT NULL)",
    # How many rows `calls` has, by run and state. A row that is replaced goes out of them by
    # itself; whoever puts rows in counts those.
    "CREATE TABLE totals (run INTEGER, state INTEGER, number INTEGER NOT NULL, "
    "PRIMARY KEY (run, state)) WITHOUT ROWID",
    "CREATE TRIGGER replaced AFTER UPDATE ON calls BEGIN "
    "UPDATE totals SET number = number - 1 WHERE run = old.run AND state = old.state; END",
)
"""What a ledger of the version before lacks."""

_COUNT_SOME = """
INSERT INTO totals
SELECT run, state, count(*) FROM calls WHERE key >= ? AND key < ? GROUP BY run, state
ON CONFLICT (run, state) DO UPDATE SET number = number + excluded.number
"""


def refuse(path: Path, what: str) -> ConvertroError:
    """Give the error for a file that is no ledger to write to."""
    return ConvertroError(
        f"The ledger {path} {what}. It was left as it is.",
        hint="Without its ledger a replay would send again what was delivered: restore the file "
        "from a copy, or name another state folder with --state to start anew.",
        exit_code=ExitCode.CANNOT_WRITE_STATE,
    )


def _refuse_version(path: Path, version: int) -> ConvertroError:
    if version > VERSION:
        return refuse(path, f"is of version {version}; this program writes version {VERSION}")
    return ConvertroError(
        f"The ledger {path} is of version {version}; this program writes version {VERSION}, which "
        "knows calls by another kind of key: what was delivered would be sent again. "
        "It was left as it is.",
        hint="Finish with the version that wrote it. Or begin anew: name another folder with "
        "--state, and leave out what was delivered with --since TIME (`convertro status` of the "
        "old version shows when its last run ended).",
        exit_code=ExitCode.CANNOT_WRITE_STATE,
    )


def check_header(path: Path) -> bool:
    """Read the file's own header: whether there is a ledger already. Changes nothing.

    Raises ConvertroError where the file is something else, or of another version.
    """
    try:
        with path.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
    except FileNotFoundError:
        header = b""
    except OSError as error:
        raise refuse(path, f"cannot be read ({error.strerror})") from None
    if not header:
        if _has_log(path):  # SQLite would take it for a new ledger's
            raise refuse(path, "is gone, but not the log beside it")
        return False
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise refuse(path, "is damaged, or no ledger")
    (version,) = struct.unpack_from(">I", header, 60)
    (application,) = struct.unpack_from(">I", header, 68)
    if application != APPLICATION_ID:
        raise refuse(path, "is another program's database")
    if version not in (VERSION, _VERSION_BEFORE):
        raise _refuse_version(path, version)
    return True


def has_recent(database: sqlite3.Connection) -> bool:
    """Whether a ledger has recent calls and totals: not if no run of this version used it yet."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return bool(version >= VERSION)


def log_of(path: Path) -> Path:
    """Give the file where SQLite writes first what belongs into this one."""
    return path.with_name(f"{path.name}-wal")


def _has_log(path: Path) -> bool:
    log = log_of(path)
    return log.exists() and log.stat().st_size > 0


def may_write_beside(path: Path) -> bool:
    """Whether files can be made in the ledger's folder."""
    by_effect = os.access in os.supports_effective_ids
    return os.access(path.parent, os.W_OK, effective_ids=by_effect)


def uri_to_read(path: Path) -> str:
    """Give the name under which SQLite opens a ledger only to read it.

    Beside the ledger it makes a file for those who read and write at once. Where nothing can be
    written, as on a disk that is mounted read-only, it can do without if nobody writes: there is
    no log then. Raises ConvertroError where there is one, and nothing that leads through it.
    """
    uri = path.absolute().as_uri()
    if may_write_beside(path) or path.with_name(f"{path.name}-shm").exists():
        return f"{uri}?mode=ro"
    if _has_log(path):
        raise ConvertroError(
            f"The ledger {path} cannot be read: its last run did not end well, and what it left "
            "beside the ledger can only be taken in where something can be written.",
            hint="Copy the state folder to where you can write, and name the copy with --state.",
            exit_code=ExitCode.CANNOT_WRITE_STATE,
        )
    return f"{uri}?immutable=1"


def create(path: Path) -> None:
    """Make an empty ledger, whole or not at all: it appears under its name when it is ready."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    os.close(open_private(unfinished, os.O_CREAT | os.O_WRONLY))
    database = sqlite3.connect(unfinished, isolation_level=None)
    try:
        database.executescript(f"{_TABLES}PRAGMA application_id = {APPLICATION_ID}")
        take_up(database)
    finally:
        database.close()
    unfinished.rename(path)


def take_up(database: sqlite3.Connection) -> None:
    """Bring a ledger of the version before to this one, in one transaction."""
    database.execute("BEGIN IMMEDIATE")
    try:
        for table in _NEW_TABLES:
            database.execute(table)
        for first in range(256):  # a part at a time: SQLite sorts what it groups
            after = bytes([first + 1]) if first < 255 else b"\xff" * 17
            database.execute(_COUNT_SOME, (bytes([first]), after))
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    # The header of the file must tell it, too: what is in the log alone, an earlier program
    # would overlook.
    database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def check_content(path: Path) -> None:
    """Have SQLite look for damage, in a ledger small enough for it to be quick.

    It must not write: a connection that may would, when it closes, carry what a crash left in
    the log over to a file that is to be left as it is.
    """
    if path.stat().st_size > _CHECKED_BYTES:
        return
    with closing(sqlite3.connect(uri_to_read(path), uri=True, timeout=0)) as database:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise refuse(path, "is damaged")
