"""Tracks by name: how many, what they are worth, and what becomes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal, NamedTuple

from msgspec import Struct

from convertro_cli.amounts import add_up, is_cut
from convertro_cli.mapping.rules import EventMap, EventName
from convertro_cli.review.inspect.findings import Findings
from convertro_cli.segment.names import normalise

NameKind = Literal["order", "install", "mapped", "unmapped", "unnamed"]
"""What a track is by its name."""


class NamedEvents(Struct, frozen=True):
    """The tracks of one name in all its spellings; ``name`` is the most frequent, None for none.

    ``targets`` are the event types that ``[events]`` gives for the name. ``value_found`` is the
    sum of the readable amounts, which so many messages have ``with_amount``, sent or not;
    ``value_sent`` that of what the calls carry of those that ``would_be_sent``.
    """

    name: str | None
    spellings: tuple[str, ...]
    kind: NameKind
    targets: tuple[str, ...]
    messages: int
    would_be_sent: int
    with_amount: int
    value_found: Decimal
    value_sent: Decimal


class OtherNames(NamedTuple):
    """What is not listed: messages of so many names, or of more (unless ``names_are_all``)."""

    names: int
    names_are_all: bool
    messages: int


class Events(Struct, frozen=True):
    """The most frequent names, the others together, and ``every`` name that was kept."""

    names: int
    names_are_all: bool
    top: tuple[NamedEvents, ...]
    others: OtherNames
    every: tuple[NamedEvents, ...]

    ASIDE: ClassVar = {"every"}

    @classmethod
    def of(cls, found: Findings, table: EventMap, top: int) -> Events:
        """Put spellings that normalise alike together, most frequent names first."""
        every = tuple(sorted(_named(found, table), key=lambda one: (-one.messages, one.spellings)))
        hidden, are_all = every[top:], found.events.is_exact
        messages = sum(one.messages for one in hidden) + found.events.rest.count
        others = OtherNames(len(hidden), are_all, messages)
        return cls(len(every), are_all, every[:top], others, every)


def _named(found: Findings, table: EventMap) -> Iterator[NamedEvents]:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name, _ in found.events:
        # What a cut name would be normalised to, nobody knows.
        alike[name if is_cut(name) else normalise(name)].append(name)
    for names in alike.values():
        names.sort(key=lambda name: (-found.events[name].count, name))
        known = table.look_up(names[0])
        messages, amounts, sent = (
            add_up(rows[name] for name in names if name in rows)
            for rows in (found.events, found.amounts, found.outcomes.events)
        )
        yield NamedEvents(
            names[0] or None,
            tuple(names),
            _kind(names[0], known),
            known.targets,
            messages.count,
            sent.count,
            amounts.count,
            amounts.value,
            sent.value,
        )


def _kind(name: str, known: EventName) -> NameKind:
    if not name:
        return "unnamed"
    if known.is_order:
        return "order"
    if known.is_install:
        return "install"
    return "mapped" if known.targets else "unmapped"
