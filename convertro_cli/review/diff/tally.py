"""The counts of a comparison. Parts of an export are counted apart and added up, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec import field
from msgspec.structs import asdict

from convertro_cli.amounts import EXACTLY, Counted, Rows, Sum, cut_name
from convertro_cli.review.diff.calls import Fields, ShownCall, WhatChanged
from convertro_cli.review.diff.samples import Groups

NOT_IN_SAVED_RUN = "not_in_saved_run"
NOT_IN_THIS_RUN = "not_in_this_run"
"""Why a message is not sent on a side that says nothing of it."""

VERDICTS: tuple[WhatChanged, ...] = ("added", "removed", "changed", "unchanged")
"""What can become of a call, in the order in which it is told."""

MOST_NAMES = 10_000
"""How many names a table keeps apart; the calls of all further ones are summed up as the rest."""


class OneSide(NamedTuple):
    """What a message becomes on one side: its calls, or a reason why there are none.

    ``line`` is what a dry run with ``--include-skipped`` says of a message without calls; None
    where that is not known. ``filter`` is the title of the destination filter that dropped it.
    """

    calls: Sequence[ShownCall] = ()
    reason: str | None = None
    line: Fields | None = None
    filter: str | None = None


class SideCounts(Counted):
    """Messages on one side: how many are sent, and why the others are not.

    ``by_filter`` are those that a filter dropped, by reason and its title.
    """

    sent: int = 0
    not_sent: Counter[str] = field(default_factory=Counter)
    by_filter: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, side: OneSide) -> None:
        """Count a message by what becomes of it."""
        if side.reason is None:
            self.sent += 1
            return
        self.not_sent[side.reason] += 1
        if side.filter is not None:
            self.by_filter[side.reason, side.filter] += 1

    def as_json(self) -> dict[str, Any]:
        """Give the counts; nothing of filters where they dropped nothing."""
        by_filter = {"by_filter": self.by_filter} if self.by_filter else {}
        return {"sent": self.sent, "not_sent": self.not_sent, **by_filter}


class MessageCounts(Counted):
    """Messages that were read, as they are counted on each side, and what changes of them.

    ``newly_sent`` has the reasons before, ``newly_skipped`` those after, ``skipped_otherwise``
    both, of messages that are not sent on either side, but for another reason.
    """

    read: int = 0
    before: SideCounts = field(default_factory=SideCounts)
    after: SideCounts = field(default_factory=SideCounts)
    newly_sent: Counter[str] = field(default_factory=Counter)
    newly_skipped: Counter[str] = field(default_factory=Counter)
    skipped_otherwise: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, old: OneSide, new: OneSide) -> None:
        """Count a message by what becomes of it on each side."""
        self.before.count(old)
        self.after.count(new)
        before, after = old.reason, new.reason
        if before == after:
            return
        if after is None:
            self.newly_sent[before or ""] += 1
        elif before is None:
            self.newly_skipped[after] += 1
        elif before != NOT_IN_SAVED_RUN and after != NOT_IN_THIS_RUN:
            self.skipped_otherwise[before, after] += 1

    def as_json(self) -> dict[str, Any]:
        """Give the counts, all of them."""
        return asdict(self)


class BeforeAfter(Counted):
    """Calls and their values on the two sides."""

    before: Sum = field(default_factory=Sum)
    after: Sum = field(default_factory=Sum)

    @property
    def value_difference(self) -> Decimal:
        """How much more the calls are worth after than before."""
        return EXACTLY.subtract(self.after.value, self.before.value)

    @property
    def calls_difference(self) -> int:
        """How many more calls there are after than before."""
        return self.after.count - self.before.count

    @property
    def differs(self) -> bool:
        """Whether the two sides have different totals."""
        return self.before != self.after

    def as_json(self) -> dict[str, Any]:
        """Give the calls and their value on each side."""
        sides = {"before": self.before, "after": self.after}
        return {name: {"calls": one.count, "value": one.value} for name, one in sides.items()}


class Totals(Rows[str, BeforeAfter]):
    """Totals by name; of endless names the first are kept."""

    def __init__(self) -> None:
        super().__init__(MOST_NAMES, BeforeAfter)

    def of(self, name: str | None) -> BeforeAfter:
        """Give the totals for a name; those of the rest where there is no room, or no name."""
        return self.rest if name is None else self.at(cut_name(name))

    def by_weight(self) -> Iterator[tuple[str, BeforeAfter]]:
        """Give the rows by how much they differ in value, then in calls, then by their size."""
        return iter(sorted(self, key=_weight))


def _weight(item: tuple[str, BeforeAfter]) -> tuple[Decimal, int, int, str]:
    name, row = item
    value = row.value_difference.copy_abs().copy_negate()
    return value, -abs(row.calls_difference), -row.after.count, name


class DiffTally(Counted):
    """All that is counted: calls by verdict, totals by name, messages, and samples.

    ``by_call`` is by kind of call, ``by_day`` by ISO date (UTC), ``by_event`` by the name of
    the track. ``matched`` counts the messages that a saved run has lines of.
    """

    groups: Groups
    messages: MessageCounts = field(default_factory=MessageCounts)
    calls: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    by_call: Totals = field(default_factory=Totals)
    by_event_type: Totals = field(default_factory=Totals)
    by_event: Totals = field(default_factory=Totals)
    by_day: Totals = field(default_factory=Totals)
    matched: int = 0

    @property
    def differs(self) -> bool:
        """Whether any call was added, removed or changed."""
        return any(self.calls[verdict] for verdict in VERDICTS[:-1])

    def as_json(self) -> dict[str, Any]:
        """Give the counts and the tables; a table's rest where there is any."""
        tables: dict[str, Totals] = {
            name: getattr(self, name) for name in ("by_event_type", "by_event", "by_call", "by_day")
        }
        rests = {f"{name}_rest": table.rest for name, table in tables.items()}
        return {
            "calls": {verdict: self.calls[verdict] for verdict in VERDICTS},
            **{name: dict(sorted(table)) for name, table in tables.items()},
            "changed_fields": self.fields,
            "messages": self.messages,
            **{name: rest for name, rest in rests.items() if rest != BeforeAfter()},
        }
