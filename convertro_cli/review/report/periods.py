"""Days put together into as many weeks, months or years as a picture can show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

_MOST = 100
"""How many columns a picture has at most, while a longer unit is left."""


@dataclass(frozen=True, slots=True)
class Period:
    """Columns that follow each other without a gap, each with its label.

    ``unit`` is ``day``, ``week``, ``month``, ``year`` or several years.
    """

    unit: str
    labels: list[str]
    first: int
    number_of: Callable[[date], int]

    def add_up(self, by_day: Mapping[date, int]) -> list[int]:
        """Give the sum for each column."""
        sums = [0] * len(self.labels)
        for day, number in by_day.items():
            sums[self.number_of(day) - self.first] += number
        return sums


@dataclass(frozen=True, slots=True)
class _Unit:
    name: str
    number_of: Callable[[date], int]
    label: Callable[[int], str]


def _years(length: int) -> _Unit:
    if length == 1:
        return _Unit("year", lambda day: day.year, lambda number: f"{number:04}")
    return _Unit(
        f"{length:,} years",
        lambda day: day.year // length,
        lambda number: f"{number * length:04}–{number * length + length - 1:04}",
    )


_UNITS = (
    _Unit("day", date.toordinal, lambda number: date.fromordinal(number).isoformat()),
    _Unit(
        "week",
        lambda day: (day.toordinal() - 1) // 7,
        lambda number: f"week of {date.fromordinal(number * 7 + 1).isoformat()}",
    ),
    _Unit(
        "month",
        lambda day: day.year * 12 + day.month - 1,
        lambda number: f"{number // 12:04}-{number % 12 + 1:02}",
    ),
    *map(_years, (1, 10, 100, 1000)),
)


def periods(days: Collection[date]) -> Period:
    """Choose the shortest unit with which these days fit into one picture."""
    if not days:
        return Period("day", [], 0, date.toordinal)
    first, last = min(days), max(days)
    for unit in _UNITS:
        start, end = unit.number_of(first), unit.number_of(last)
        if end - start < _MOST:
            break
    return Period(
        unit.name,
        [unit.label(number) for number in range(start, end + 1)],
        start,
        unit.number_of,
    )
