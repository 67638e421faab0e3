"""The calls that are settled, in a file of SQLite: a table by key, and beside it what is recent.

Keys are digests: each falls somewhere else in the table, so that in a large one a commit of 256
calls would write 256 pages. What was sent is therefore appended, one row a commit. When enough has
come together it is merged into the table, in the order of the keys, so that what belongs on one
page is written together.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.record import schema
from convertro_cli.record.ledger import CallState, Settled, split_keys

MERGE_AT = 65_536
"""So many recent calls are merged. Until then a run has them in memory, in 110 bytes each."""

_KEYS_A_STATEMENT = 512  # SQLite keeps what their pages were until it is through with them all
# Keys go to SQLite end to end, and it cuts them: a row or a parameter of Python's for each costs
# twice as much as what SQLite does with it.
_EACH_KEY = f"""
WITH RECURSIVE place (start) AS (
    SELECT 1 UNION ALL SELECT start + {KEY_BYTES} FROM place LIMIT length(:keys) / {KEY_BYTES}
), each (key) AS (SELECT substr(:keys, start, {KEY_BYTES}) FROM place)
"""  # noqa: S608
_LOOK_UP = f"{_EACH_KEY} SELECT key, state, run FROM each CROSS JOIN calls USING (key)"  # noqa: S608
# Where a row is replaced, a trigger takes it out of the totals (``schema``).
_PUT = f"""
INSERT INTO calls {_EACH_KEY} SELECT key, :state, :run FROM each WHERE true
ON CONFLICT (key) DO UPDATE SET state = excluded.state, run = excluded.run
"""  # noqa: S608
_COUNT = (
    "INSERT INTO totals VALUES (?, ?, ?) "
    "ON CONFLICT (run, state) DO UPDATE SET number = number + excluded.number"
)


_COUNTED = """
SELECT run, state, number FROM totals UNION ALL SELECT run, ?, length(keys) / ? FROM recent
"""


class RecentCalls:
    """The calls that were sent and are not in the table yet: ``runs`` has the run of each.

    While a ledger has the same one of these, nothing in its table has changed.
    """

    __slots__ = ("runs",)

    def __init__(self, runs: dict[bytes, int]) -> None:
        self.runs = runs


class SettledCalls:
    """Settles calls for the run that writes, within the transactions of their owner.

    The owner says when what was written is on disk (``keep``), or that it was taken back
    (``discard``). ``recent`` is what is on disk; other threads may read it at any time.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.recent = RecentCalls(read_recent(database))
        self._appends = True
        self._appended: dict[bytes, int] = {}
        self._after: RecentCalls | None = None

    def expect_settled(self) -> None:
        """Say that from now on calls may come that are settled already.

        They go straight into the table: only there does the one take the other's place, so that
        each call is counted once.
        """
        self._appends = False

    def settle(self, run: int, sent: Sequence[bytes], failed: Sequence[bytes]) -> None:
        """Write which calls were sent, and which failed for good; merge if it is time."""
        recent = self.recent.runs
        runs = dict.fromkeys(sent, run)
        apart = recent.keys().isdisjoint(runs) and recent.keys().isdisjoint(failed)
        if not self._appends or not apart or len(recent) + len(runs) >= MERGE_AT:
            self._put(CallState.SENT, {**recent, **runs})
            self._after = RecentCalls({})
            if recent:
                self._database.execute("DELETE FROM recent")
        elif runs:
            self._appended = runs
            keys = b"".join(runs)
            self._database.execute("INSERT INTO recent (run, keys) VALUES (?, ?)", (run, keys))
        if failed:
            self._put(CallState.FAILED, dict.fromkeys(failed, run))
            self._after = self._after or RecentCalls(recent)

    def keep(self) -> None:
        """Note that what was written is on disk."""
        if self._after is not None:
            self.recent = self._after
        self.recent.runs.update(self._appended)
        self.discard()

    def discard(self) -> None:
        """Note that what was written was taken back."""
        self._appended = {}
        self._after = None

    def _put(self, state: CallState, runs: Mapping[bytes, int]) -> None:
        """Write calls into the table, in order, each with the run that settled it."""
        ordered = sorted(runs)
        for start in range(0, len(ordered), _KEYS_A_STATEMENT):
            by_run = defaultdict(list)
            for key in ordered[start : start + _KEYS_A_STATEMENT]:
                by_run[runs[key]].append(key)
            for run, keys in by_run.items():
                values = {"keys": b"".join(keys), "state": int(state), "run": run}
                self._database.execute(_PUT, values)
        for run, number in Counter(runs.values()).items():
            self._database.execute(_COUNT, (run, int(state), number))


class CallFinder:
    """Looks calls up for a run, on a connection of its own, while another thread settles them.

    It stays within one transaction while the table does not change: otherwise SQLite would read
    all pages again after each commit, though a commit appends and leaves the table as it is.
    Now and then it does without, for only while nobody looks at what was can the log begin anew.
    """

    _ROUND = 64
    _WITHOUT = 4

    def __init__(self, database: sqlite3.Connection, settled: SettledCalls) -> None:
        self._database = database
        self._settled = settled
        self._seen: RecentCalls | None = None
        self._turn = 0

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, Settled]:
        """Tell which of these calls are settled, and how."""
        recent = self._settled.recent  # first: what is merged from now on is in it all the same
        self._turn = (self._turn + 1) % self._ROUND
        if self._turn < self._WITHOUT:
            self.let_go()
        elif recent is not self._seen:
            self.let_go()
            self._database.execute("BEGIN")
            self._seen = recent
        return find_settled(self._database, keys, recent.runs)

    def let_go(self) -> None:
        """Leave the transaction: whatever is read next is the newest."""
        self._seen = None
        if self._database.in_transaction:
            self._database.execute("END")


def find_settled(
    database: sqlite3.Connection, keys: Sequence[bytes], recent: Mapping[bytes, int]
) -> dict[bytes, Settled]:
    """Look calls up among the recent ones, and in the table of those that are settled."""
    found: dict[bytes, Settled] = {}
    if recent:
        found = {key: Settled(CallState.SENT, recent[key]) for key in keys if key in recent}
        if found:
            keys = [key for key in keys if key not in found]
    for key, state, run in database.execute(_LOOK_UP, {"keys": b"".join(keys)}):
        found[key] = Settled(CallState(state), run)
    return found


def read_recent(database: sqlite3.Connection) -> dict[bytes, int]:
    """Give the calls that are not in the table yet, each with its run."""
    recent = RecentReader(database)
    recent.read_on()
    return recent.runs


class RecentReader:
    """Reads the recent calls that another process may be writing: ``runs`` has the run of each."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._first: int | None = None
        self._last = 0
        self.runs: dict[bytes, int] = {}

    def read_on(self) -> None:
        """Read what has come, and forget what was merged."""
        if not schema.has_recent(self._database):
            return
        first, last = self._database.execute("SELECT min(id), max(id) FROM recent").fetchone()
        if first != self._first:
            self._first, self._last = first, 0
            self.runs = {}
        if last is not None and last > self._last:
            rows = self._database.execute(
                "SELECT run, keys FROM recent WHERE id > ? ORDER BY id", (self._last,)
            )
            self.runs.update((key, run) for run, keys in rows for key in split_keys(keys))
            self._last = last


def count_settled(database: sqlite3.Connection) -> dict[int, defaultdict[int, int]]:
    """Count the settled calls by run and state."""
    counts: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    if not schema.has_recent(database):
        rows = database.execute(schema.COUNT_CALLS).fetchall()
    else:
        rows = database.execute(_COUNTED, (int(CallState.SENT), KEY_BYTES)).fetchall()
    for run, state, number in rows:
        counts[run][state] += number
    return counts
