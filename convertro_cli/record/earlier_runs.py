"""What a ledger knows of earlier runs to one target: whether they sent anything, and as what."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from convertro_cli.record import schema
from convertro_cli.record.open_letters import Target
from convertro_cli.record.reading import open_for_reading
from convertro_cli.record.sqlite_ledger import told
from convertro_cli.record.state import StateFolder

MOST_TYPES = 12
"""So many event types are remembered, the most frequent: each is looked for with every event."""

LATEST = 1_000  # runs: a replay each hour has as many in six weeks

SETTINGS = "settings"
"""The key, in the summary that a ledger keeps of a run, of the digest of its settings."""


class EarlierRuns(NamedTuple):
    """The latest runs to a target that sent something.

    ``event_types`` are the most frequent of the events that they delivered. ``settings`` has the
    digests of the settings that they ran under, "" where that is not known: of a run that did
    not come to its end, and of one by an earlier version of this program.
    """

    event_types: tuple[str, ...] = ()
    settings: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.settings)

    def had_other_settings(self, digest: bytes) -> bool:
        """Whether any of them ran, or may have run, under settings other than these."""
        return bool(self.settings - {digest.hex()})

    def surely_had_other_settings(self, digest: bytes) -> bool:
        """Whether any of them is known to have run under other settings."""
        return bool(self.settings - {digest.hex(), ""})


def read_earlier_runs(state: StateFolder, target: Target) -> EarlierRuns:
    """Read them from the ledger of a state folder, if there is one. Raises ConvertroError."""
    with told(state.ledger):
        if not schema.check_header(state.ledger):
            return EarlierRuns()
        schema.check_content(state.ledger)  # a damaged one is left as it is
        with open_for_reading(state.ledger) as database:
            return find_earlier_runs(database, target)


def find_earlier_runs(database: sqlite3.Connection, target: Target) -> EarlierRuns:
    """Read them from a ledger that is open."""
    return put_together(_summaries(database, target))


def _summaries(database: sqlite3.Connection, target: Target) -> Iterator[dict[str, Any] | None]:
    rows = database.execute(
        "SELECT summary FROM runs WHERE target = ? AND account IN (?, '') AND site_id IN (?, '') "
        "ORDER BY id DESC LIMIT ?",
        (target.url, target.account or "", target.site_id or "", LATEST),
    )
    for (summary,) in rows:
        yield orjson.loads(summary) if summary else None


def put_together(summaries: Iterable[dict[str, Any] | None]) -> EarlierRuns:
    """Put together what the summaries of runs say; None is one that did not come to its end."""
    types: Counter[str] = Counter()
    settings = set()
    for summary in summaries:
        if summary is None:  # it did not come to its end, and may have sent anything
            settings.add("")
        elif summary["calls"]["attempts"]:
            settings.add(summary.get(SETTINGS, ""))
            for event_type, total in summary["by_event_type"].items():
                types[event_type] += total["calls"]
    most = tuple(event_type for event_type, _ in types.most_common(MOST_TYPES))
    return EarlierRuns(most, frozenset(settings))
