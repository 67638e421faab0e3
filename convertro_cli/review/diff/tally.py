"""The counts of a comparison. Parts of an export are counted apart and added up, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from convertro_cli.review.diff.calls import Fields, ShownCall
from convertro_cli.review.diff.pairing import Pair
from convertro_cli.review.diff.samples import Groups
from convertro_cli.review.diff.totals import BeforeAfter, Table, exact

NOT_IN_SAVED_RUN = "not_in_saved_run"
NOT_IN_THIS_RUN = "not_in_this_run"
"""Why a message is not sent on a side that says nothing of it."""

_DAY = 86_400


class Outcome(NamedTuple):
    """What a message becomes on one side: its calls, or a reason why there are none.

    ``line`` is what a dry run with ``--include-skipped`` says of a message without calls; None
    where that is not known. ``filter`` is the title of the destination filter that dropped it.
    """

    calls: Sequence[ShownCall] = ()
    reason: str | None = None
    line: Fields | None = None
    filter: str | None = None


@dataclass(slots=True)
class MessageCounts:
    """Messages: how many are sent on each side, and why the others are not.

    ``newly_sent`` has the reasons before, ``newly_skipped`` those after, ``otherwise`` both, of
    messages that are not sent on either side, but for another reason. ``filtered_before`` and
    ``filtered_after`` are by reason and title of the filter that dropped a message.
    """

    read: int = 0
    sent_before: int = 0
    sent_after: int = 0
    unsent_before: Counter[str] = field(default_factory=Counter)
    unsent_after: Counter[str] = field(default_factory=Counter)
    newly_sent: Counter[str] = field(default_factory=Counter)
    newly_skipped: Counter[str] = field(default_factory=Counter)
    otherwise: Counter[tuple[str, str]] = field(default_factory=Counter)
    filtered_before: Counter[tuple[str, str]] = field(default_factory=Counter)
    filtered_after: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, old: Outcome, new: Outcome) -> None:
        """Count a message by what becomes of it on each side."""
        before, after = old.reason, new.reason
        if before is not None and old.filter is not None:
            self.filtered_before[before, old.filter] += 1
        if after is not None and new.filter is not None:
            self.filtered_after[after, new.filter] += 1
        if before is None:
            self.sent_before += 1
        else:
            self.unsent_before[before] += 1
        if after is None:
            self.sent_after += 1
        else:
            self.unsent_after[after] += 1
        if before == after:
            return
        if after is None:
            self.newly_sent[before or ""] += 1
        elif before is None:
            self.newly_skipped[after] += 1
        elif before != NOT_IN_SAVED_RUN and after != NOT_IN_THIS_RUN:
            self.otherwise[before, after] += 1

    def add(self, other: MessageCounts) -> None:
        """Add the counts of another part of the export."""
        self.read += other.read
        self.sent_before += other.sent_before
        self.sent_after += other.sent_after
        self.unsent_before.update(other.unsent_before)
        self.unsent_after.update(other.unsent_after)
        self.newly_sent.update(other.newly_sent)
        self.newly_skipped.update(other.newly_skipped)
        self.otherwise.update(other.otherwise)
        self.filtered_before.update(other.filtered_before)
        self.filtered_after.update(other.filtered_after)

    def take_out(self, other: MessageCounts) -> None:
        """Take out the counts of some of the messages that were counted."""
        self.read -= other.read
        self.sent_before -= other.sent_before
        self.sent_after -= other.sent_after
        self.unsent_before -= other.unsent_before
        self.unsent_after -= other.unsent_after
        self.newly_sent -= other.newly_sent
        self.newly_skipped -= other.newly_skipped
        self.otherwise -= other.otherwise
        self.filtered_before -= other.filtered_before
        self.filtered_after -= other.filtered_after


@dataclass(slots=True)
class DiffTally:
    """All that is counted: calls by verdict, totals by name, messages, and samples.

    ``by_call`` is by kind of call, ``by_day`` by ISO date (UTC), ``by_event`` by the name of
    the track. ``matched`` counts the messages that a saved run has lines of.
    """

    groups: Groups
    messages: MessageCounts = field(default_factory=MessageCounts)
    calls: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    by_call: Table = field(default_factory=Table)
    by_event_type: Table = field(default_factory=Table)
    by_event: Table = field(default_factory=Table)
    by_day: Table = field(default_factory=Table)
    matched: int = 0
    _counted: dict[tuple[str, str | None, str | None, int], BeforeAfter] = field(
        default_factory=dict
    )

    @property
    def differs(self) -> bool:
        """Whether any call was added, removed or changed."""
        return any(self.calls[verdict] for verdict in ("added", "removed", "changed"))

    def count_pair(self, pair: Pair, event: str | None) -> None:
        """Count a call before and after. ``event`` is the name of the track that it is of."""
        self.calls[pair.verdict] += 1
        if pair.fields:
            self.fields.update(pair.fields)
        if pair.before is not None and pair.before.is_sendable:
            self._row(pair.before, event).before.add(1, exact(pair.before.event_value))
        if pair.after is not None and pair.after.is_sendable:
            self._row(pair.after, event).after.add(1, exact(pair.after.event_value))

    def count_unchanged(self, call: ShownCall, event: str | None) -> None:
        """Count a call that is the same on both sides."""
        self.calls["unchanged"] += 1
        if call.is_sendable:
            row, value = self._row(call, event), exact(call.event_value)
            row.before.add(1, value)
            row.after.add(1, value)

    def sum_up(self) -> None:
        """Enter the calls counted so far into the tables."""
        for (kind, event_type, event, day), row in self._counted.items():
            self.by_call.at(kind).add(row)
            self.by_day.at(_iso(day)).add(row)
            if kind != "user":
                self.by_event.at(event).add(row)
            if kind == "event":
                self.by_event_type.at(event_type).add(row)
        self._counted.clear()

    def add(self, other: DiffTally) -> None:
        """Add what was counted in a later part of the export."""
        self.groups.add(other.groups)
        self.messages.add(other.messages)
        self.calls.update(other.calls)
        self.fields.update(other.fields)
        self.by_call.add(other.by_call)
        self.by_event_type.add(other.by_event_type)
        self.by_event.add(other.by_event)
        self.by_day.add(other.by_day)
        self.matched += other.matched

    def take_out(self, other: DiffTally) -> None:
        """Take out what was counted of some of the messages that were counted."""
        self.groups.take_out(other.groups)
        self.messages.take_out(other.messages)
        self.calls -= other.calls
        self.fields -= other.fields
        self.by_call.take_out(other.by_call)
        self.by_event_type.take_out(other.by_event_type)
        self.by_event.take_out(other.by_event)
        self.by_day.take_out(other.by_day)
        self.matched -= other.matched

    def _row(self, call: ShownCall, event: str | None) -> BeforeAfter:
        """Give the totals of all calls that are counted in the same rows of all tables."""
        key = (call.kind, call.event_type, event, call.timestamp // _DAY)
        row = self._counted.get(key)
        if row is None:
            row = self._counted[key] = BeforeAfter()
        return row


@lru_cache(maxsize=1024)
def _iso(day: int) -> str:
    """Write a day since 1970; a message's offset can put it just beyond the last of all years."""
    ordinal = date(1970, 1, 1).toordinal() + day
    return date.fromordinal(min(ordinal, date.max.toordinal())).isoformat()
