"""What is found in all batches together, in a bounded amount of memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from convertro_cli.review.inspect.bounded import BoundedSums
from convertro_cli.review.inspect.days import DAY
from convertro_cli.review.inspect.gates import GateNotes
from convertro_cli.review.inspect.notes import PLACES_KEPT, BatchFindings
from convertro_cli.review.inspect.profile import Profile
from convertro_cli.review.inspect.repeats import RepeatedIds

SHORT_SPAN = 3 * DAY
"""Up to this many seconds a span is short, and its hours are kept too."""

_NAMES_KEPT = 10_000
_SOURCES_KEPT = 500
_DAYS_KEPT = 36_525  # a hundred years


class Findings:
    """The sums of all batches. Their size does not grow with the exports."""

    def __init__(self, *, names_kept: int = _NAMES_KEPT) -> None:
        self.messages: Counter[str] = Counter()
        self.types: BoundedSums[str] = BoundedSums(_SOURCES_KEPT)
        self.sources: BoundedSums[tuple[str, str]] = BoundedSums(_SOURCES_KEPT)
        self.profiles: Counter[Profile] = Counter()
        self.events: BoundedSums[str] = BoundedSums(names_kept)
        self.days: BoundedSums[int] = BoundedSums(_DAYS_KEPT)
        self.hours: Counter[int] = Counter()
        self.first: int | None = None
        self.last: int | None = None
        self.ids = RepeatedIds()
        self.calls: Counter[str] = Counter()
        self.values: BoundedSums[tuple[str, str]] = BoundedSums(names_kept)
        self.skipped: Counter[str] = Counter()
        self.invalid: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.gates = GateNotes()
        self.places: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def add(self, batch: BatchFindings, place: Callable[[int], str]) -> None:
        """Take in a batch; ``place`` says where one of its lines is from."""
        self.messages.update(batch.messages)
        self.profiles.update(batch.profiles)
        self.calls.update(batch.calls)
        self.skipped.update(batch.skipped)
        self.invalid.update(batch.invalid)
        self.failed.update(batch.failed)
        self.warnings.update(batch.warnings)
        self.gates.add(batch.gates)
        for message_type, count in batch.types.items():
            self.types.add_count(message_type, count)
        for origin, count in batch.sources.items():
            self.sources.add_count(origin, count)
        for event, total in batch.events.items():
            self.events.add(event, total)
        for kind, total in batch.values.items():
            self.values.add(kind, total)
        self.ids.add(batch.id_hashes)
        self._add_times(batch)
        for what, places in batch.places.items():
            kept = self.places[what]
            for number, detail in places[: PLACES_KEPT - len(kept)]:
                kept.append((place(number), detail))

    @property
    def is_short(self) -> bool:
        """Whether the messages lie so close together that their hours tell more than days."""
        return self.first is not None and (self.last or 0) - self.first <= SHORT_SPAN

    def _add_times(self, batch: BatchFindings) -> None:
        if batch.first is None or batch.last is None:
            return
        self.first = batch.first if self.first is None else min(self.first, batch.first)
        self.last = batch.last if self.last is None else max(self.last, batch.last)
        for hour, count in batch.hours.items():
            self.days.add_count(hour // 24, count)
        if self.is_short:
            self.hours.update(batch.hours)
        else:
            self.hours.clear()
