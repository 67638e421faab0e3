"""What is found in a batch, or in all of them together: the counts that a report is made of.

A worker process fills one for its batch, and all are added up. Their size is bounded, however
many names an export has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, field

from convertro_cli.amounts import Counted, Rows, Sum, cut_name
from convertro_cli.mapping.browser import Mark
from convertro_cli.mapping.calls import Call
from convertro_cli.mapping.consent import carries_consent
from convertro_cli.mapping.jobs import TOO_LONG, CallKeys
from convertro_cli.mapping.kept_back import KeptBack
from convertro_cli.record.places import FirstPlaces
from convertro_cli.record.tally import Fate
from convertro_cli.review.inspect.ids import RepeatedIds
from convertro_cli.review.inspect.profile import Profile
from convertro_cli.segment.days import DAY, HOUR, month_of

SHORT_SPAN = 3 * DAY
"""Up to this many seconds a span is short, and its hours are kept too."""

PLACES_SHOWN = 10
"""How many places of each kind of invalid line and of warning are kept."""

NO_MONTH = ""
"""In place of the month of a message whose time cannot be told."""

_NAMES_KEPT = 10_000
_SOURCES_KEPT = 500
_DAYS_KEPT = 36_525  # a hundred years
_MOST_CATEGORIES = 200


def count_of(row: Sum) -> int:
    """The weight of a row: the most frequent names are kept."""
    return row.count


_DELIVERED = Fate.DELIVERED

_NAMES = partial(Rows, _NAMES_KEPT, Sum, count_of)
_SOURCES = partial(Rows, _SOURCES_KEPT, Sum, count_of)
_DAYS = partial(Rows, _DAYS_KEPT, Sum, count_of)

FoundPlaces = FirstPlaces[tuple[str, str]]
"""Places of what is wrong, each with what more is known of it."""

_PLACES = partial(FirstPlaces, PLACES_SHOWN)


class ChoiceCounts(Counted):
    """Messages that give a category of consent, and those that refuse it."""

    given: int = 0
    refused: int = 0


class GateCounts(Counted):
    """What identifies and tracks say for the gates.

    ``marks`` counts those from browsers by mark of delivery and month. ``asked`` counts all,
    ``with_consent`` those that carry a consent object, ``categories`` the choices in it; of
    endless categories only the first are kept. ``kept_back`` is what a gate kept back, as the
    summary of a replay has it.
    """

    asked: int = 0
    with_consent: int = 0
    marks: Counter[tuple[str, str]] = field(default_factory=Counter)
    categories: Rows[str, ChoiceCounts] = field(
        default_factory=partial(Rows, _MOST_CATEGORIES, ChoiceCounts)
    )
    kept_back: KeptBack = field(default_factory=KeptBack)

    def note(self, message: Mapping[str, Any]) -> None:
        """Note what one identify or track says of consent."""
        self.asked += 1
        context = message.get("context")
        if isinstance(context, dict) and "consent" in context and carries_consent(message):
            self.with_consent += 1
            preferences = context["consent"].get("categoryPreferences")
            for category, choice in preferences.items() if isinstance(preferences, dict) else ():
                choices = self.categories.at(cut_name(category))
                if choice is True:
                    choices.given += 1
                else:
                    choices.refused += 1

    def note_marks(self, marks: Iterable[tuple[Mark, int | None]]) -> None:
        """Note identifies and tracks from browsers: the mark and the day of each, if it has one."""
        for (mark, day), count in Counter(marks).items():
            self.marks[mark, NO_MONTH if day is None else month_of(day)] += count


class Outcomes(Counted):
    """What becomes of messages, counted as a replay counts them, and of their calls.

    ``messages`` counts those ``sent``, ``already_delivered`` and ``already_failed``, ``calls``
    the calls by kind. ``values`` has calls and their worth by event type and month, ``events``
    the tracks that are sent by name, with what their calls are worth.
    """

    messages: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    values: Rows[tuple[str, str], Sum] = field(default_factory=_NAMES)
    events: Rows[str, Sum] = field(default_factory=_NAMES)

    def note(self, fate: Fate, event: str | None) -> Sum | None:
        """Count a message that has calls by what becomes of it.

        ``event`` names a track; its row is given, for what its calls are worth.
        """
        is_sent = fate is _DELIVERED
        if is_sent:
            self.messages["sent"] += 1
        elif fate is Fate.FAILED:
            self.failed[TOO_LONG] += 1
        elif fate is Fate.REPEATED_ORDER:
            self.skipped[fate.name.lower()] += 1
        else:
            self.messages[fate.name.lower()] += 1
        if event is None:
            return None
        row = self.events.at(event)
        row.count += is_sent
        return row

    def note_calls(self, calls: Iterable[Call], of_event: Sum | None, *, with_types: bool) -> None:
        """Count calls that can be sent, and what they are worth.

        ``of_event`` is the row of the track that they are of, if all of them are sent;
        ``with_types`` says that settings gave them their types.
        """
        for call in calls:
            if with_types:
                self.calls[call.kind] += 1
            if call.kind == "event":
                value = call.event_value
                if with_types:
                    kind = (cut_name(call.event_type or ""), month_of(call.timestamp // DAY))
                    self.values.at(kind).add_one(value)
                if of_event is not None:
                    of_event.add_value(value)

    def note_sent(
        self, messages: Sequence[tuple[str | None, Sequence[Call]]], *, with_types: bool
    ) -> None:
        """Count messages all of whose calls are sent, each by its track's name, if it is a track.

        They count as by ``note`` and ``note_calls``, for less: a row is only looked for once.
        """
        by_name: defaultdict[str, list[float]] = defaultdict(list)
        by_type: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        for name, calls in messages:
            for call in calls:
                if call.kind == "event":
                    by_type[call.event_type or "", call.timestamp // DAY].append(call.event_value)
                    if name is not None:
                        by_name[name].append(call.event_value)
        self.messages["sent"] += len(messages)
        for name, count in Counter([name for name, _ in messages if name is not None]).items():
            row = self.events.at(cut_name(name))
            row.count += count
            row.add_values(by_name[name])
        if with_types:
            self.calls.update([call.kind for _, calls in messages for call in calls])
            for (event_type, day), values in by_type.items():
                row = self.values.at((cut_name(event_type), month_of(day)))
                row.count += len(values)
                row.add_values(values)


class TimeCounts(Struct):
    """When messages happened: first and last in Unix seconds, days and hours counted from 1970."""

    days: Rows[int, Sum] = field(default_factory=_DAYS)
    hours: Counter[int] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None

    def note(self, times: Sequence[int]) -> None:
        """Note when the messages of a batch happened."""
        self.hours = Counter([time // HOUR for time in times])
        for hour, count in self.hours.items():
            self.days.at(hour // 24).count += count
        self.first, self.last = min(times, default=None), max(times, default=None)

    def add(self, more: TimeCounts) -> None:
        """Take in the times of another batch; of a span that is not short, no hours are kept."""
        if more.first is None or more.last is None:
            return
        self.days.add(more.days)
        self.first = more.first if self.first is None else min(self.first, more.first)
        self.last = more.last if self.last is None else max(self.last, more.last)
        if self.last - self.first <= SHORT_SPAN:
            self.hours.update(more.hours)
        else:
            self.hours.clear()


class Findings(Counted):
    """All that is found.

    ``messages`` counts those ``read``, those ``unreadable`` (no message at all), those that the
    filters have ``left_out``, and those ``without_id`` and ``without_time``. ``events`` counts
    tracks by name (empty for none), ``amounts`` those with a readable amount, and their sum.
    ``places`` says of each kind of invalid line where it was met first, and more of it;
    ``warned`` of each kind of warning, which may have the same name.
    """

    messages: Counter[str] = field(default_factory=Counter)
    types: Rows[str, Sum] = field(default_factory=_SOURCES)
    sources: Rows[tuple[str, str], Sum] = field(default_factory=_SOURCES)
    profiles: Counter[Profile] = field(default_factory=Counter)
    events: Rows[str, Sum] = field(default_factory=_NAMES)
    amounts: Rows[str, Sum] = field(default_factory=_NAMES)
    times: TimeCounts = field(default_factory=TimeCounts)
    ids: RepeatedIds = field(default_factory=RepeatedIds)
    outcomes: Outcomes = field(default_factory=Outcomes)
    warnings: Counter[str] = field(default_factory=Counter)
    gates: GateCounts = field(default_factory=GateCounts)
    places: FoundPlaces = field(default_factory=_PLACES)
    warned: FoundPlaces = field(default_factory=_PLACES)

    def warn(self, what: str, place: str) -> None:
        """Count a warning, and keep its place."""
        self.warnings[what] += 1
        self.warned.note(what, (place, ""))


class CameBefore(Struct):
    """Calls of ``copies`` of messages, messages that share an id, and calls for known orders.

    A copy's calls are not sent again. ``shared_ids`` counts messages whose id a different one had
    before, ``repeated_orders`` the events of orders that another message brought before under
    the same type: they are sent or not as ``[mapping] repeated_orders`` says.
    """

    copies: Sum = field(default_factory=Sum)
    shared_ids: Sum = field(default_factory=Sum)
    repeated_orders: Sum = field(default_factory=Sum)


class BatchFindings(Struct):
    """What is found in one batch, as if no call came before.

    ``keys`` is for finding the calls that did, ``spans`` has where in the batch the messages lie
    that have calls. ``exhausted`` says that the limit of messages was reached.
    """

    found: Findings = field(default_factory=Findings)
    keys: CallKeys = field(default_factory=CallKeys)
    spans: list[tuple[int, int]] = field(default_factory=list)
    exhausted: bool = False
