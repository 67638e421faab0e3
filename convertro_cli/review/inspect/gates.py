"""What messages say for the gates: how the browser delivered them, and what consent they carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convertro_cli.mapping.browser import read_mark
from convertro_cli.mapping.consent import carries_consent
from convertro_cli.mapping.kept_back import KeptBack
from convertro_cli.mapping.modes import is_from_browser
from convertro_cli.review.inspect.days import DAY, month_of
from convertro_cli.review.inspect.profile import cut

NO_MONTH = ""
"""In place of the month of a message whose time cannot be told."""

_MOST_CATEGORIES = 200


def _zeros() -> defaultdict[Any, int]:
    return defaultdict(int)


@dataclass(slots=True)
class GateNotes:
    """Counts of identifies and tracks; they cross processes and are put together.

    ``marks`` counts those from browsers by mark of delivery and month. ``asked`` counts all,
    ``with_consent`` those that carry a consent object, ``categories`` those that give (true) or
    refuse (false) each category; of endless categories only the first are kept. ``kept_back`` is
    what a gate kept back, as the summary of a replay has it.
    """

    asked: int = 0
    with_consent: int = 0
    marks: dict[tuple[str, str], int] = field(default_factory=_zeros)
    categories: dict[tuple[str, bool], int] = field(default_factory=_zeros)
    kept_back: KeptBack = field(default_factory=KeptBack)

    def note(self, message: Mapping[str, Any], time: int | None) -> None:
        """Note one identify or track, and when it happened, in Unix seconds."""
        self.asked += 1
        if is_from_browser(message):
            month = NO_MONTH if time is None else month_of(time // DAY)
            self.marks[read_mark(message), month] += 1
        if carries_consent(message):
            self._note_consent(message["context"]["consent"])

    def add(self, other: GateNotes) -> None:
        """Take in the counts of another batch."""
        self.asked += other.asked
        self.with_consent += other.with_consent
        for mark, count in other.marks.items():
            self.marks[mark] += count
        for (category, is_given), count in other.categories.items():
            self._count_category(category, count, is_given=is_given)
        self.kept_back.update(other.kept_back)

    def _note_consent(self, consent: Mapping[str, Any]) -> None:
        self.with_consent += 1
        preferences = consent.get("categoryPreferences")
        for category, choice in preferences.items() if isinstance(preferences, dict) else ():
            self._count_category(cut(category), 1, is_given=choice is True)

    def _count_category(self, category: str, count: int, *, is_given: bool) -> None:
        key = (category, is_given)
        if key in self.categories or len(self.categories) < _MOST_CATEGORIES:
            self.categories[key] += count
