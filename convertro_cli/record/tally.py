"""The counts of a run. They add up: every message and every call is counted once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import IntEnum
from heapq import nsmallest
from typing import Any

from msgspec import Struct, field

from convertro_cli.amounts import Sum, add_up
from convertro_cli.mapping.kept_back import KeptBack
from convertro_cli.reading.unread import Unread
from convertro_cli.record.places import FirstPlaces


class Fate(IntEnum):
    """What became of a call, best first: a message of several calls has the worst of them.

    A call for an order that another message brought is none, so that it decides nothing where
    there are others.
    """

    REPEATED_ORDER = 0
    ALREADY_DELIVERED = 1
    DELIVERED = 2
    IN_DOUBT = 3
    ALREADY_FAILED = 4
    FAILED = 5


IN_DOUBT = "in_doubt"
"""The reason under which messages are skipped whose calls ``--at-most-once`` left alone."""

COUNTERS = ("messages", "calls", "skipped", "invalid", "failed", "warnings", "files", "unread")
"""The counts of a tally that are plain numbers by name."""

_PLACES_KEPT = 5
_SKIPPED = {Fate.IN_DOUBT: IN_DOUBT, Fate.REPEATED_ORDER: "repeated_order"}
_NAMES = {fate: fate.name.lower() for fate in Fate}  # asked for of each message


class Tally(Struct):
    """The counts of one run, as the summary shows them."""

    messages: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    kept_back: KeptBack = field(default_factory=KeptBack)
    carries_consent: bool = False
    """Whether any message that yields calls says anything of consent."""
    places: FirstPlaces[str] = field(default_factory=lambda: FirstPlaces(_PLACES_KEPT))
    """Where messages failed or were invalid, by reason."""
    warning_places: FirstPlaces[str] = field(default_factory=lambda: FirstPlaces(_PLACES_KEPT))
    """Where messages were that are sent, by what is to be said of them."""
    by_event_type: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    files: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    """The skipped files by reason."""
    bytes_read: int = 0

    @property
    def read(self) -> int:
        """The messages that the run has done with."""
        return self.messages["read"]

    def note_batch(
        self,
        skipped: Counter[str],
        warnings: Counter[str],
        place: Callable[[int], str],
        places: Mapping[str, Sequence[int]],
    ) -> None:
        """Count a batch's skipped messages by reason, and its warnings with their places.

        These are numbers of lines of the batch; ``place`` says where one is from.
        """
        self.skipped.update({str(reason): count for reason, count in skipped.items()})
        self.messages["skipped"] += skipped.total()
        self.messages["read"] += skipped.total()
        self.warnings.update(warnings)
        for warning, numbers in places.items():
            for number in numbers:
                self.warning_places.note(warning, place(number))

    def leave_unread(self, unread: Mapping[Unread, int]) -> None:
        """Note how many files were found and are not read, by reason: all so far."""
        self.unread = Counter({reason.value: count for reason, count in unread.items()})
        self.files["skipped"] = self.unread.total()

    def note_gates(self, kept_back: KeptBack, *, carries_consent: bool) -> None:
        """Count what the gates kept back of a batch, and note whether consent was spoken of."""
        self.kept_back.add(kept_back)
        self.carries_consent |= carries_consent

    def reject(self, reason: str, source: str) -> None:
        """Count an invalid line, and keep its place for the summary to name."""
        self.invalid[reason] += 1
        self.messages["invalid"] += 1
        self.messages["read"] += 1
        self.places.note(reason, source)

    def deliver(self, event_type: str, value: str) -> None:
        """Count a call that was delivered, or in a dry run would be."""
        self.calls["delivered"] += 1
        if value:
            total = self.by_event_type[event_type]
            total.count += 1
            total.add_exactly(Decimal(value))

    def settle_call(self, fate: Fate) -> None:
        """Count a call that was not delivered by this run."""
        if fate is not Fate.REPEATED_ORDER:
            self.calls[_NAMES[fate]] += 1

    def settle_message(self, fate: Fate, reason: str | None = None) -> None:
        """Count a message all of whose calls are settled; ``reason`` says why it failed."""
        self.messages["read"] += 1
        if fate in _SKIPPED:
            self.messages["skipped"] += 1
            self.skipped[_SKIPPED[fate]] += 1
            return
        self.messages[_NAMES[fate]] += 1
        if fate is Fate.FAILED and reason:
            self.failed[reason] += 1

    def add(self, other: Tally) -> None:
        """Take in the counts of another part of the same run."""
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.kept_back.add(other.kept_back)
        self.carries_consent |= other.carries_consent
        self.bytes_read += other.bytes_read
        for event_type, total in other.by_event_type.items():
            self.by_event_type[event_type].add(total)
        self.places.add(other.places)
        self.warning_places.add(other.warning_places)

    def most_frequent(self, number: int) -> tuple[dict[str, Sum], Sum]:
        """Give the event types with the most calls, and what all others have together."""
        totals = self.by_event_type
        ranked = nsmallest(number, totals, key=lambda name: (-totals[name].count, name))
        shown = {name: totals[name] for name in ranked}
        return shown, add_up(total for name, total in totals.items() if name not in shown)

    def summary(self) -> dict[str, Any]:
        """Give the counts in the form of the summary, every count there, zero or not."""
        unread = {"unread": _sorted(self.unread)} if self.unread else {}
        return {
            "messages": {name: self.messages[name] for name in _MESSAGES},
            "calls": {name: self.calls[name] for name in _CALLS},
            "skipped": _sorted(self.skipped),
            "invalid": _sorted(self.invalid),
            "failed": _sorted(self.failed),
            "warnings": _sorted(self.warnings),
            "kept_back": self.kept_back.as_json(),
            "by_event_type": {
                event_type: {"calls": total.count, "value": float(total.value)}
                for event_type, total in sorted(self.by_event_type.items())
            },
            "files": {name: self.files[name] for name in ("read", "skipped", "damaged")},
            **unread,
            "bytes_read": self.bytes_read,
        }


_MESSAGES = (
    "read",
    "delivered",
    "already_delivered",
    "already_failed",
    "skipped",
    "invalid",
    "failed",
)
_CALLS = (
    "delivered",
    "already_delivered",
    "already_failed",
    "failed",
    "possibly_repeated",
    "in_doubt",
    "attempts",
)


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in counts.most_common() if count}
