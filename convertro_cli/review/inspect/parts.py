"""The parts of what ``inspect`` reports, and how each is made of what was counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct

from convertro_cli.amounts import Rows, Sum, add_up
from convertro_cli.mapping.kept_back import KeptBack
from convertro_cli.review.inspect.findings import FoundPlaces, GateCounts, Outcomes, TimeCounts
from convertro_cli.review.report.document import Place
from convertro_cli.segment.days import day_of, hour_of, moment_of

_NOBODY_ASKS = (
    "It is not looked at: categories in [consent] names the consent that Convertro needs."
)


class MessagesSeen(NamedTuple):
    """Messages that were ``read``: those ``described``, ``unreadable`` ones, and the rest.

    ``unreadable`` are no messages at all, ``left_out`` are those that the filters leave out.
    """

    read: int
    described: int
    unreadable: int
    left_out: int


class Source(NamedTuple):
    """How many messages a library sent on a channel; None where they do not say."""

    library: str | None
    channel: str | None
    messages: int


class Gap(NamedTuple):
    """So many whole ``days`` in a row without a message, between the first and the last."""

    first: date
    last: date
    days: int


class Times(Struct, frozen=True):
    """When the messages happened, in UTC. ``by_hour`` is there for a short span only.

    Without ``is_exact`` there were more different days than can be kept, and so no gaps are
    told.
    """

    first: datetime
    last: datetime
    by_day: Mapping[date, int]
    by_hour: Mapping[datetime, int]
    gaps: tuple[Gap, ...]
    is_exact: bool

    ASIDE: ClassVar = {"is_exact"}

    @classmethod
    def of(cls, found: TimeCounts) -> Times | None:
        """Give the times; None where no message has any."""
        if found.first is None or found.last is None:
            return None
        days = sorted(day for day, _ in found.days)
        gaps = tuple(
            Gap(day_of(before + 1), day_of(after - 1), after - before - 1)
            for before, after in pairwise(days if found.days.is_exact else ())
            if after - before > 1
        )
        return cls(
            moment_of(found.first),
            moment_of(found.last),
            {day_of(day): found.days[day].count for day in days},
            {hour_of(hour): count for hour, count in sorted(found.hours.items())},
            gaps,
            found.days.is_exact,
        )

    @property
    def days(self) -> int:
        """The number of days from the first message to the last, both counted."""
        return (self.last.date() - self.first.date()).days + 1

    @property
    def days_without(self) -> int:
        """The number of days in all gaps."""
        return sum(gap.days for gap in self.gaps)


class RepeatedMessages(NamedTuple):
    """Messages whose id came before; ``approximate`` if judged by one id in ``one_in``."""

    messages: int
    approximate: bool
    one_in: int


class Becomes(Struct, frozen=True):
    """What becomes of the messages, counted as a replay counts them, and the calls by kind.

    Without settings it is what would be sent under settings that send all they can.
    """

    messages: int
    already_delivered: int
    already_failed: int
    skipped: Mapping[str, int]
    invalid: Mapping[str, int]
    failed: Mapping[str, int]
    calls: Mapping[str, int]

    @classmethod
    def of(cls, found: Outcomes) -> Becomes:
        """Give the counts, the greatest first."""
        return cls(
            found.messages["sent"],
            found.messages["already_delivered"],
            found.messages["already_failed"],
            *map(_ranked, (found.skipped, found.invalid, found.failed, found.calls)),
        )


class CallsWorth(NamedTuple):
    """A number of calls, and what they are worth."""

    calls: int
    value: Decimal


class MessagesWorth(NamedTuple):
    """A number of messages, and what their calls are worth."""

    messages: int
    value: Decimal


class TypeTotal(NamedTuple):
    """The calls of one Convertro event type that would be sent, in all and by month."""

    calls: int
    value: Decimal
    by_month: Mapping[str, CallsWorth]


def by_event_type(values: Rows[tuple[str, str], Sum]) -> dict[str, TypeTotal]:
    """Give the total of each event type, those of the greatest value first."""
    months: defaultdict[str, dict[str, Sum]] = defaultdict(dict)
    for (event_type, month), total in sorted(values, key=lambda item: item[0]):
        months[event_type][month] = total
    totals = {
        name: TypeTotal(
            *worth(add_up(found.values())),
            {month: CallsWorth(*worth(total)) for month, total in found.items()},
        )
        for name, found in months.items()
    }
    return dict(sorted(totals.items(), key=lambda item: (-item[1].value, item[0])))


class Choices(NamedTuple):
    """How many messages give a category of consent, and how many refuse it."""

    given: int
    refused: int


class ConsentCarried(NamedTuple):
    """So many ``of`` the identifies and tracks are ``carrying`` consent, for these categories.

    ``hint`` is what to think of where nobody asks for what is carried.
    """

    carrying: int
    of: int
    categories: Mapping[str, Choices]
    hint: str = ""


def consent_of(found: GateCounts, *, is_asked_for: bool) -> ConsentCarried:
    """Give the consent that messages carry, the most frequent categories first."""
    choices = {name: Choices(row.given, row.refused) for name, row in found.categories}
    ranked = dict(sorted(choices.items(), key=lambda item: (-sum(item[1]), item[0])))
    hint = _NOBODY_ASKS if found.with_consent and not is_asked_for else ""
    return ConsentCarried(found.with_consent, found.asked, ranked, hint)


def marks_by_month(found: GateCounts) -> Iterator[Mapping[str, Any]]:
    """Give web messages by mark of delivery for each month; None where no time can be told."""
    months: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (mark, month), count in sorted(found.marks.items(), key=lambda item: item[0][1]):
        months[month][mark] = count
    for month, marks in months.items():
        yield {"month": month or None, **marks}


class Kept(Struct, frozen=True, kw_only=True):
    """Messages that somebody's choice keeps back: why, by which filter, and their worth."""

    reason: str
    title: str = ""
    messages: int
    value: Decimal


def kept_of(found: KeptBack) -> Iterator[Kept]:
    """Give what was kept back, the greatest number first."""
    for (reason, title), kept in sorted(
        found.totals.items(), key=lambda item: (-item[1].count, item[0])
    ):
        yield Kept(reason=reason, title=title, messages=kept.count, value=kept.value)


class Trouble(Struct, frozen=True):
    """Something wrong with so many lines, and the places of the first of them."""

    count: int
    places: tuple[Place, ...]


def troubles(counts: Mapping[str, int], places: FoundPlaces) -> dict[str, Trouble]:
    """Give what is wrong by its reason, the most frequent first."""
    return {
        reason: Trouble(count, tuple(Place(*place) for place in places.get(reason, ())))
        for reason, count in _ranked(counts).items()
    }


def worth(found: Sum) -> tuple[int, Decimal]:
    """Give a sum as its number and its value."""
    return found.count, found.value


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in ranked if count}
