"""Dead letters that are open: nobody has replayed them since, or delivered their events."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from msgspec import Struct, field

from convertro_cli.reading.identity import identify
from convertro_cli.record import schema
from convertro_cli.record.dead_letters import aside_files
from convertro_cli.record.reading import open_for_reading
from convertro_cli.record.sqlite_ledger import told
from convertro_cli.record.state import StateFolder

UNREADABLE = "unreadable"
"""The reason of what is no letter: a line that somebody changed, or that a crash cut off."""


class Target(NamedTuple):
    """Where calls go. A ledger that does not know account and site has None for them."""

    url: str
    account: str | None = None
    site_id: str | None = None

    def __str__(self) -> str:
        parts = [self.url]
        if self.account is not None:
            parts.append(f"account {self.account}")
        if self.site_id is not None:
            parts.append(f"site {self.site_id}")
        return ", ".join(parts)


NO_TARGET = Target("a target that this ledger does not know")


class OpenLetters(Struct):
    """So many letters, by reason; ``oldest`` is an ISO 8601 time, None where there are none."""

    count: int = 0
    oldest: str | None = None
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, at: str | None, number: int = 1) -> None:
        """Count so many letters, the oldest of them from that time."""
        self.count += number
        self.reasons[reason] = self.reasons.get(reason, 0) + number
        if at is not None and (self.oldest is None or at < self.oldest):
            self.oldest = at


def read_open_letters(state: StateFolder) -> dict[Target, OpenLetters]:
    """Count the open letters of a state folder by target. Raises ConvertroError."""
    with told(state.ledger):
        if not schema.check_header(state.ledger):
            return {}
        with open_for_reading(state.ledger) as database:
            return count_open_letters(state, database)


def count_open_letters(
    state: StateFolder, database: sqlite3.Connection
) -> dict[Target, OpenLetters]:
    """Count the open letters by target, with an open ledger."""
    runs = LetterRuns(database)
    found: defaultdict[Target, OpenLetters] = defaultdict(OpenLetters)
    for path in (state.dead_letters, *aside_files(state.dead_letters)):
        if path != state.dead_letters and _was_replayed(database, path):
            continue
        for reason, source, at in _read(path):
            target = runs.find_target(source, at)
            if target is not None:
                found[target].add(reason, at)
    return dict(found)


class LetterRuns:
    """Tells which run wrote a letter, and so of which target it is.

    A letter has the place and the time of its failure, and the ledger the places that have
    failed, by run. Runs never overlap, so where a place failed for several targets the time
    tells them apart.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        rows = list(read_runs(database))
        self._targets = {run.number: run.target for run in rows}
        self._numbers = [run.number for run in rows]
        self._starts = [run.started_at for run in rows]
        self._runs: defaultdict[str, list[int]] = defaultdict(list)
        for source, run in database.execute("SELECT source, run FROM failures ORDER BY run"):
            self._runs[source].append(run)

    def find(self, source: str | None, at: str | None) -> int:
        """Give the number of the run that wrote a letter; 0 if it is from before this ledger."""
        before = bisect_right(self._starts, at) if at is not None else len(self._starts)
        latest = self._numbers[before - 1] if before else 0
        runs = self._runs.get(source) if latest and source is not None else None
        if not runs:
            return latest
        return next((run for run in reversed(runs) if run <= latest), runs[0])

    def find_target(self, source: str | None, at: str | None) -> Target | None:
        """Give the target of a letter; None where its event has been delivered since."""
        run = self.find(source, at)
        if run and source is not None and source not in self._runs:
            return None
        return self._targets.get(run, NO_TARGET)


class LedgerRun(NamedTuple):
    """A run of a ledger: its number, when it began (ISO 8601), and where its calls went."""

    number: int
    started_at: str
    target: Target


def read_runs(database: sqlite3.Connection) -> Iterator[LedgerRun]:
    """Give the runs of a ledger in order."""
    rows = database.execute("SELECT id, started_at, target, account, site_id FROM runs ORDER BY id")
    for number, started_at, url, account, site_id in rows:
        yield LedgerRun(number, started_at, Target(url, account or None, site_id or None))


class LetterFacts(NamedTuple):
    """A letter's reason, the place that it is from, and when it was written, if it says so."""

    reason: str
    source: str | None = None
    at: str | None = None


def _read(path: Path) -> Iterator[LetterFacts]:
    try:
        with path.open("rb") as stream:
            for line in stream:
                yield facts_of(line)
    except FileNotFoundError:
        return


def facts_of(line: bytes) -> LetterFacts:
    """Give what a letter says of itself."""
    try:
        letter: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        letter = None
    if not isinstance(letter, dict):
        return LetterFacts(UNREADABLE)
    reason, source, at = (letter.get(name) for name in ("reason", "source", "at"))
    return LetterFacts(
        reason if isinstance(reason, str) else UNREADABLE,
        source if isinstance(source, str) else None,
        at if isinstance(at, str) else None,
    )


def _was_replayed(database: sqlite3.Connection, path: Path) -> bool:
    identity = identify(path)
    row = database.execute(
        "SELECT size, mtime_ns, edges FROM files WHERE path = ? AND settings = x''",
        (identity.path,),
    ).fetchone()
    return bool(row == (identity.size, identity.mtime_ns, identity.edges))
