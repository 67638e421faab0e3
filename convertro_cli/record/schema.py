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
VERSION = 2

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_CHECKED_BYTES = 64 << 20

_TABLES = f"""
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
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
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
    if version != VERSION:
        raise _refuse_version(path, version)
    return True


def log_of(path: Path) -> Path:
    """Give the file where SQLite writes first what belongs into this one."""
    return path.with_name(f"{path.name}-wal")


def _has_log(path: Path) -> bool:
    log = log_of(path)
    return log.exists() and log.stat().st_size > 0


def create(path: Path) -> None:
    """Make an empty ledger, whole or not at all: it appears under its name when it is ready."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    os.close(open_private(unfinished, os.O_CREAT | os.O_WRONLY))
    database = sqlite3.connect(unfinished, isolation_level=None)
    try:
        database.executescript(_TABLES)
    finally:
        database.close()
    unfinished.rename(path)


def check_content(path: Path) -> None:
    """Have SQLite look for damage, in a ledger small enough for it to be quick.

    It must not write: a connection that may would, when it closes, carry what a crash left in
    the log over to a file that is to be left as it is.
    """
    if path.stat().st_size > _CHECKED_BYTES:
        return
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=0)) as database:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise refuse(path, "is damaged")
