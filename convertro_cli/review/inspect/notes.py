"""What is noted of each message of a batch, and put together at the batch's end.

A note costs as little as it can, because there is one for every message: names are only cut and
times only ordered once for all that are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from convertro_cli.mapping.calls import SkipReason
from convertro_cli.mapping.jobs import CallKeys
from convertro_cli.review.inspect.days import HOUR, month_of
from convertro_cli.review.inspect.gates import GateNotes
from convertro_cli.review.inspect.profile import Profile, cut, name_of
from convertro_cli.review.inspect.repeats import hash_ids
from convertro_cli.review.inspect.sums import Sum

PLACES_KEPT = 10
"""How many places of each kind of invalid line and of warning are kept."""


def warned(name: str) -> str:
    """Give what the places of a warning are kept under: an invalid line may have the same name."""
    return f"warning {name}"


Key = TypeVar("Key")
Counts = dict[Key, int]


def _zeros() -> defaultdict[Key, int]:
    return defaultdict(int)


@dataclass(slots=True)
class BatchFindings:
    """What is in one batch. It crosses processes, and is as large as the batch at most.

    ``messages`` counts those ``read``, those ``unreadable`` (no message at all), those that the
    filters have ``left_out``, those that would be ``sent``, and those ``without_id`` and
    ``without_time``. ``values`` has the calls and their worth by event type and month;
    ``places`` the line number and what is wrong with it, by kind of invalid line, or of warning
    (``warned``).
    All of it is as if no call came before: ``keys`` is for finding those that did, and ``spans``
    has where in the batch the messages lie that have calls.
    """

    messages: Counts[str]
    types: Counts[str]
    sources: Counts[tuple[str, str]]
    profiles: Counts[Profile]
    events: dict[str, Sum]
    hours: Counts[int]
    first: int | None
    last: int | None
    id_hashes: bytes
    calls: Counts[str]
    values: dict[tuple[str, str], Sum]
    skipped: Counts[str]
    invalid: Counts[str]
    failed: Counts[str]
    warnings: Counts[str]
    places: dict[str, list[tuple[int, str]]]
    keys: CallKeys
    spans: list[tuple[int, int]]
    gates: GateNotes
    exhausted: bool
    """Whether the limit of messages was reached: nothing more is wanted."""


@dataclass(slots=True)
class BatchNotes:
    """Collects the notes of one batch; ``kinds`` counts by type, library and channel, ``values``
    has the calls by event type and day's number.
    """

    messages: Counts[str] = field(default_factory=_zeros)
    kinds: Counts[tuple[str, str | None, str | None]] = field(default_factory=_zeros)
    profiles: Counts[Profile] = field(default_factory=_zeros)
    events: dict[str, Sum] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    calls: Counts[str] = field(default_factory=_zeros)
    values: dict[tuple[str, int], Sum] = field(default_factory=dict)
    skipped: Counts[SkipReason] = field(default_factory=_zeros)
    invalid: Counts[str] = field(default_factory=_zeros)
    failed: Counts[str] = field(default_factory=_zeros)
    warnings: Counts[str] = field(default_factory=_zeros)
    places: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    keys: CallKeys = field(default_factory=CallKeys)
    spans: list[tuple[int, int]] = field(default_factory=list)
    gates: GateNotes = field(default_factory=GateNotes)

    def note_place(self, what: str, number: int, detail: str = "") -> None:
        """Keep a place, if there are not enough of its kind yet."""
        places = self.places.setdefault(what, [])
        if len(places) < PLACES_KEPT and (number, detail) not in places:
            places.append((number, detail))

    def findings(self, *, exhausted: bool) -> BatchFindings:
        """Put the notes together."""
        types: Counter[str] = Counter()
        sources: Counter[tuple[str, str]] = Counter()
        for (message_type, library, channel), count in self.kinds.items():
            types[cut(message_type)] += count
            sources[name_of(library), name_of(channel)] += count
        typed = types.total()
        messages = dict(self.messages)
        messages["without_id"] = typed - len(self.ids)
        messages["without_time"] = typed - len(self.times)
        return BatchFindings(
            messages=messages,
            types=types,
            sources=sources,
            profiles=dict(self.profiles),
            events=_by_name(self.events),
            hours=Counter([time // HOUR for time in self.times]),
            first=min(self.times, default=None),
            last=max(self.times, default=None),
            id_hashes=hash_ids(self.ids),
            calls=dict(self.calls),
            values=_by_type(self.values),
            skipped={reason.value: count for reason, count in self.skipped.items()},
            invalid=dict(self.invalid),
            failed=dict(self.failed),
            warnings=dict(self.warnings),
            places=self.places,
            keys=self.keys,
            spans=self.spans,
            gates=self.gates,
            exhausted=exhausted,
        )


def _by_name(sums: Mapping[str, Sum]) -> dict[str, Sum]:
    named: dict[str, Sum] = {}
    for name, total in sums.items():
        named.setdefault(name_of(name), Sum()).add(total)
    return named


def _by_type(sums: Mapping[tuple[str, int], Sum]) -> dict[tuple[str, str], Sum]:
    named: dict[tuple[str, str], Sum] = {}
    for (event_type, day), total in sums.items():
        named.setdefault((cut(event_type), month_of(day)), Sum()).add(total)
    return named
