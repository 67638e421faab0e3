"""What a ledger and the dead-letter files hold, read without touching them."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from convertro_cli.record.ledger import CallState, split_keys
from convertro_cli.record.settled_calls import read_recent


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The keys of a ledger's calls, by state."""

    sent: frozenset[bytes] = frozenset()
    failed: frozenset[bytes] = frozenset()
    sending: frozenset[bytes] = frozenset()


def read_ledger(state: Path) -> LedgerView:
    """Read a ledger; an empty one where there is none yet."""
    with _copy_of_ledger(state) as database:
        if database is None:
            return LedgerView()
        calls = database.execute("SELECT key, state FROM calls").fetchall()
        recent = read_recent(database)
        sending = database.execute("SELECT keys FROM sending").fetchall()
    return LedgerView(
        sent=frozenset(key for key, how in calls if how == CallState.SENT).union(recent),
        failed=frozenset(key for key, how in calls if how == CallState.FAILED),
        sending=frozenset(key for (keys,) in sending for key in split_keys(keys)),
    )


def read_failures(state: Path) -> dict[bytes, str]:
    """Read the places of what failed for good, by key."""
    with _copy_of_ledger(state) as database:
        return dict(database.execute("SELECT key, source FROM failures")) if database else {}


@contextmanager
def _copy_of_ledger(state: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a copy: opening the ledger itself would tidy up after a crash."""
    if not (state / "ledger.db").exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ledger.db", "ledger.db-wal"):
            if (state / name).exists():
                shutil.copy(state / name, folder)
        with closing(sqlite3.connect(Path(folder) / "ledger.db")) as database:
            yield database


def dead_letter_files(state: Path) -> list[Path]:
    """The dead-letter files, those that were set aside among them."""
    return sorted(state.glob("dead-letters*.ndjson"))


def read_originals(files: Iterable[Path]) -> list[bytes]:
    """The events of dead-letter files, byte for byte. A torn last line is passed over."""
    return [
        _original(line)
        for file in files
        for line in file.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]


def _original(line: bytes) -> bytes:
    letter = orjson.loads(line)
    assert {"reason", "detail", "source", "at"} < set(letter)
    if "event" in letter:
        return line[line.index(b',"event":') + len(b',"event":') : -len(b"}\n")]
    if "line" in letter:
        text: str = letter["line"]
        return text.encode()
    return b64decode(letter["line_base64"])
