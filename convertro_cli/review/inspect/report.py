"""What ``inspect`` reports: plain values, the same for every format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from convertro_cli.amounts import Sum
from convertro_cli.errors import ExitCode
from convertro_cli.review.report.document import Place

NameKind = Literal["order", "install", "mapped", "unmapped", "unnamed"]
"""What a track is by its name."""


@dataclass(frozen=True, slots=True)
class NamedEvents:
    """The tracks of one name in all its spellings; ``name`` is the most frequent of them.

    ``value`` is the sum of the readable amounts, which ``valued`` of the messages have, sent or
    not; ``sent_value`` that of what the calls of those that are ``sent`` carry. ``targets`` are
    the event types that ``[events]`` gives for the name.
    """

    name: str
    spellings: tuple[str, ...]
    kind: NameKind
    targets: tuple[str, ...]
    messages: int
    sent: int
    valued: int
    value: Decimal
    sent_value: Decimal


@dataclass(frozen=True, slots=True)
class Rest:
    """What is not listed: how many messages, of how many names (at least, if not ``is_exact``)."""

    names: int = 0
    messages: int = 0
    is_exact: bool = True


class Gap(NamedTuple):
    """Whole days in a row without a message, between the first message and the last."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it is long."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Times:
    """When the messages happened, in UTC. ``by_hour`` is there for a short span only.

    Without ``is_exact`` there were more different days than can be kept, and so no gaps are
    told.
    """

    first: datetime
    last: datetime
    by_day: Mapping[date, int]
    by_hour: Mapping[datetime, int]
    gaps: tuple[Gap, ...]
    is_exact: bool = True

    @property
    def days(self) -> int:
        """The number of days from the first message to the last, both counted."""
        return (self.last.date() - self.first.date()).days + 1

    @property
    def days_without(self) -> int:
        """The number of days in all gaps."""
        return sum(gap.days for gap in self.gaps)


class Lack(NamedTuple):
    """So many ``of`` the messages ``among`` which it is looked for lack something."""

    what: str
    among: str
    lacking: int
    of: int


class Repeats(NamedTuple):
    """Messages with an id that came before; estimated from one id in ``one_in`` where above 1."""

    messages: int
    one_in: int

    @property
    def is_exact(self) -> bool:
        """Whether every id was looked at."""
        return self.one_in == 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with lines, and where first: places, each with what more is known."""

    reason: str
    count: int
    places: tuple[Place, ...]


class TypeTotal(NamedTuple):
    """The calls of one Convertro event type that would be sent, in all and by month."""

    event_type: str
    calls: int
    value: Decimal
    by_month: Mapping[str, Sum]


@dataclass(frozen=True, slots=True)
class Becomes:
    """What becomes of the messages, counted as a replay counts them, and the calls by kind.

    Without settings it is what would be sent under settings that send all they can.
    """

    sent: int
    already_delivered: int
    already_failed: int
    skipped: Mapping[str, int]
    invalid: Mapping[str, int]
    failed: Mapping[str, int]
    calls: Mapping[str, int]


@dataclass(slots=True)
class CameBefore:
    """Calls of ``copies`` of messages, messages that share an id, and calls for known orders.

    A copy's calls are not sent again. ``shared_ids`` counts messages whose id a different one had
    before, ``repeated_orders`` the events of orders that another message brought before under
    the same type: they are sent or not as ``[mapping] repeated_orders`` says.
    """

    copies: Sum = field(default_factory=Sum)
    shared_ids: Sum = field(default_factory=Sum)
    repeated_orders: Sum = field(default_factory=Sum)


class Kept(NamedTuple):
    """Messages that somebody's choice keeps back: why, by which filter, and their worth."""

    reason: str
    title: str
    messages: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Gates:
    """What the gates see: web messages ``by_month`` and mark of delivery, consent, what is kept.

    The month is empty for messages whose time cannot be told. So many ``of`` the identifies and
    tracks are ``carrying`` consent; with each of the ``categories`` stands how many messages give
    it and how many refuse it. ``hint`` is what to think of where nobody asks for what is carried.
    """

    by_month: Mapping[str, Mapping[str, int]]
    carrying: int
    of: int
    categories: Mapping[str, tuple[int, int]]
    hint: str
    kept_back: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class ReadingFacts:
    """How the reading went. ``files`` counts those read, skipped and damaged.

    ``unread`` counts the skipped ones by reason.
    """

    settings: str | None
    filtered: bool
    files: Mapping[str, int]
    bytes_read: int
    elapsed_s: float
    interrupted: bool
    exit_code: ExitCode
    unread: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InspectReport:
    """All that was found. ``read`` messages are those ``described``, ``unreadable``, ``left_out``.

    ``events`` are all names that were kept, most frequent first; ``top`` of them are shown.
    """

    run: ReadingFacts
    read: int
    unreadable: int
    left_out: int
    described: int
    types: Mapping[str, int]
    other_types: int
    modes: Mapping[str, int]
    sources: tuple[tuple[str, str, int], ...]
    other_sources: int
    events: tuple[NamedEvents, ...]
    dropped_events: Rest
    times: Times | None
    lacks: tuple[Lack, ...]
    repeats: Repeats
    faults: tuple[Trouble, ...]
    warnings: tuple[Trouble, ...]
    outcome: Becomes
    came_before: CameBefore
    gates: Gates
    by_type: tuple[TypeTotal, ...]
    dropped_types: Sum
    top: int

    @property
    def top_events(self) -> tuple[NamedEvents, ...]:
        """The names to show."""
        return self.events[: self.top]

    @property
    def other_events(self) -> Rest:
        """The names that are not shown."""
        hidden = self.events[self.top :]
        messages = sum(event.messages for event in hidden) + self.dropped_events.messages
        return Rest(len(hidden), messages, self.dropped_events.is_exact)
