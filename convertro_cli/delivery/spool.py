"""Calls that wait on disk for their next try, so that any number of them may wait.

It is no record: the ledger has none of these calls as settled, and their files are not finished,
so a later run finds them in the export again. The file has no name, and goes with the process.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from convertro_cli.delivery.pending import PendingCall, PendingFile, PendingMessage
from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.record.tally import Fate

_CALL = [
    name for name in PendingCall.__struct_fields__ if name not in {"message", "followers", "heirs"}
]
_MESSAGE = [name for name in PendingMessage.__struct_fields__ if name not in {"file", "spooled"}]
_CALL_COLUMNS, _MESSAGE_COLUMNS = ", ".join(_CALL), ", ".join(_MESSAGE)
_SCHEMA = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -4096;
    CREATE TABLE calls ({_CALL_COLUMNS}, due REAL, message INTEGER, PRIMARY KEY (key));
    CREATE INDEX by_due ON calls (due);
    CREATE TABLE messages (id INTEGER PRIMARY KEY, file INTEGER, {_MESSAGE_COLUMNS});
    CREATE TABLE followers (key BLOB, message INTEGER);
    CREATE INDEX by_key ON followers (key);
    BEGIN;
"""
_KEYS_A_QUERY = 64


class Spool:
    """Keeps calls, their messages, and the messages that share their fate.

    A message may have calls here and others in memory: it is one object as long as anything in
    memory holds it, and what becomes of it is noted here as well. The file lies in ``folder``,
    where other runs may have theirs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: sqlite3.Connection | None = None
        self._count = 0
        self._next_due: float | None = None
        self._files: list[PendingFile] = []
        self._messages: WeakValueDictionary[int, PendingMessage] = WeakValueDictionary()

    def __len__(self) -> int:
        return self._count

    @property
    def next_due(self) -> float | None:
        """When the first of the calls is due, on the delivery's clock."""
        return self._next_due

    def put(self, call: PendingCall, due: float) -> None:
        """Keep a call until it is due."""
        with self._told() as database:
            row = (*(getattr(call, name) for name in _CALL), due, self._keep(call.message))
            database.execute(f"INSERT INTO calls VALUES ({_marks(row)})", row)  # noqa: S608
            for follower in call.followers:
                self._follow(call.key, follower)
        self._count += 1
        self._next_due = due if self._next_due is None else min(due, self._next_due)

    def take(self, until: float, most: int) -> list[PendingCall]:
        """Take out calls that are due by then, the earliest first."""
        if self._next_due is None or self._next_due > until or most <= 0:
            return []
        with self._told() as database:
            rows = database.execute(
                f"DELETE FROM calls WHERE key IN (SELECT key FROM calls WHERE due <= ? "  # noqa: S608
                f"ORDER BY due LIMIT ?) RETURNING {_CALL_COLUMNS}, due, message",
                (until, most),
            ).fetchall()
            rows.sort(key=lambda row: float(row[-2]))
            calls = [self._call(row) for row in rows]
            self._count -= len(calls)
            (self._next_due,) = database.execute("SELECT min(due) FROM calls").fetchone()
        return calls

    def find(self, keys: Sequence[bytes]) -> set[bytes]:
        """Tell which of these calls wait here."""
        found: set[bytes] = set()
        if not self._count:
            return found
        with self._told() as database:
            for start in range(0, len(keys), _KEYS_A_QUERY):
                some = keys[start : start + _KEYS_A_QUERY]
                query = f"SELECT key FROM calls WHERE key IN ({_marks(some)})"  # noqa: S608
                found.update(key for (key,) in database.execute(query, some))
        return found

    def follow(self, key: bytes, message: PendingMessage) -> None:
        """Let a message share the fate of a call that waits here."""
        with self._told():
            self._follow(key, message)

    def note(self, message: PendingMessage) -> None:
        """Note what became of a message that has, or had, calls here."""
        with self._told() as database:
            if message.open_calls == 0:
                database.execute("DELETE FROM messages WHERE id = ?", (message.spooled,))
                return
            database.execute(
                "UPDATE messages SET open_calls = ?, fate = ?, reason = ? WHERE id = ?",
                (message.open_calls, int(message.fate), message.reason, message.spooled),
            )

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()

    def _keep(self, message: PendingMessage) -> int:
        """Write a message down, once; give its number."""
        if not message.spooled:
            if not self._files or self._files[-1] is not message.file:
                self._files.append(message.file)
            row = (len(self._files) - 1, *(getattr(message, name) for name in _MESSAGE))
            assert self._database is not None
            (message.spooled,) = self._database.execute(
                f"INSERT INTO messages VALUES (NULL, {_marks(row)}) RETURNING id",  # noqa: S608
                row,
            ).fetchone()
            self._messages[message.spooled] = message
        return message.spooled

    def _follow(self, key: bytes, message: PendingMessage) -> None:
        assert self._database is not None
        row = (key, self._keep(message))
        self._database.execute("INSERT INTO followers VALUES (?, ?)", row)

    def _call(self, row: Sequence[Any]) -> PendingCall:
        assert self._database is not None
        call = PendingCall(
            **dict(zip(_CALL, row[:-2], strict=True)), message=self._message(row[-1])
        )
        followers = self._database.execute(
            "DELETE FROM followers WHERE key = ? RETURNING message", (call.key,)
        ).fetchall()
        call.followers = [self._message(number) for (number,) in followers]
        return call

    def _message(self, number: int) -> PendingMessage:
        message = self._messages.get(number)
        if message is None:
            assert self._database is not None
            file, *values = self._database.execute(
                f"SELECT file, {_MESSAGE_COLUMNS} FROM messages WHERE id = ?",  # noqa: S608
                (number,),
            ).fetchone()
            named = dict(zip(_MESSAGE, values, strict=True))
            named["fate"] = Fate(named["fate"])
            message = PendingMessage(**named, file=self._files[file], spooled=number)
            self._messages[number] = message
        return message

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            descriptor, name = tempfile.mkstemp(prefix="waiting.db.", dir=self._folder)
            os.close(descriptor)
            try:
                self._database = sqlite3.connect(name, isolation_level=None)
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._database.executescript(_SCHEMA)
            finally:
                Path(name).unlink()
        return self._database

    @contextmanager
    def _told(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._open()
        except (sqlite3.Error, OSError) as error:
            raise ConvertroError(
                f"What waits for another try cannot be kept in {self._folder}: {error}.",
                hint="Nothing is lost. Mend it (free some space?) and run the same command again.",
                exit_code=ExitCode.CANNOT_WRITE_STATE,
            ) from None


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
