"""Messages by day or hour as lines of characters: bars where they are few, else one cell each.

A cell is one of eight heights. One without a message between the first and the last shows as a
dot, because a hole in a backfill is what one looks for.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby

HOLE = "·"

_MOST_BARS = 31
_MOST_ROWS = 84  # seven years
_HEIGHTS = "▁▂▃▄▅▆▇█"
_PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


@dataclass(frozen=True, slots=True)
class DayLine:
    """One line: its label, its bar or cells, and the number of its messages."""

    label: str
    cells: str
    messages: int


@dataclass(frozen=True, slots=True)
class DayLines:
    """The lines. ``ruler`` stands over the cells, ``note`` says what they are."""

    note: str
    ruler: str
    rows: tuple[DayLine, ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Numbered cells, ``width`` of them to a line, from ``first`` to ``last``."""

    unit: str
    row: str
    width: int
    ruler: str
    counts: Mapping[int, int]
    first: int
    last: int

    def label(self, row: int) -> str:
        if self.row == "day":
            return date.fromordinal(row).isoformat()
        if self.row == "month":
            return f"{row // 12:04}-{row % 12 + 1:02}"
        return f"{row:04}"

    def holds(self, row: int, cell: int) -> bool:
        """Whether a cell is one that the calendar has, between the first message and the last."""
        inside = self.first <= row * self.width + cell <= self.last
        return inside and (self.row != "month" or cell < _days_in(row))


def draw(by_day: Mapping[date, int], by_hour: Mapping[datetime, int], bar_width: int) -> DayLines:
    """Draw bars of up to ``bar_width`` characters, or lines of cells where there are too many."""
    if by_hour:
        hours = Counter({hour.toordinal() * 24 + hour.hour: n for hour, n in by_hour.items()})
        first, last = min(hours), max(hours)
        if last - first < _MOST_BARS:
            return _bars("hour", hours, bar_width)
        ruler = "0     6     12    18"
        return _raster(_Grid("hour", "day", 24, ruler, hours, first, last))
    days = {day.toordinal(): n for day, n in by_day.items()}
    if max(days) - min(days) < _MOST_BARS:
        return _bars("day", days, bar_width)
    by_month = _raster(_by_month(by_day))
    if len(by_month.rows) <= _MOST_ROWS:
        return by_month
    by_year = _raster(_by_year(by_day))
    rows, hidden = by_year.rows[:_MOST_ROWS], by_year.rows[_MOST_ROWS:]
    if hidden:
        later = DayLine("later", "", sum(row.messages for row in hidden))
        return replace(by_year, rows=(*rows, later))
    return by_year


def _bars(unit: str, counts: Mapping[int, int], width: int) -> DayLines:
    most = max(counts.values())
    rows = []
    for number in range(min(counts), max(counts) + 1):
        count = counts.get(number, 0)
        eighths = max(1, round(count * width * 8 / most)) if count else 0
        bar = "█" * (eighths // 8) + _PARTS[eighths % 8] if count else HOLE
        rows.append(DayLine(_bar_label(unit, number), bar, count))
    return DayLines(f"a line each {unit}, UTC", "", tuple(rows))


def _bar_label(unit: str, number: int) -> str:
    if unit == "hour":
        return f"{date.fromordinal(number // 24)} {number % 24:02}:00"
    return f"{date.fromordinal(number):%Y-%m-%d %a}"


def _by_month(days: Mapping[date, int]) -> _Grid:
    counts = {(day.year * 12 + day.month - 1) * 31 + day.day - 1: n for day, n in days.items()}
    ruler = "1   5    10   15   20   25   30"
    return _Grid("day", "month", 31, ruler, counts, min(counts), max(counts))


def _by_year(days: Mapping[date, int]) -> _Grid:
    counts: Counter[int] = Counter()
    for day, n in days.items():
        counts[day.year * 12 + day.month - 1] += n
    return _Grid("month", "year", 12, "JFMAMJJASOND", counts, min(counts), max(counts))


def _raster(grid: _Grid) -> DayLines:
    most = max(grid.counts.values())
    note = f"a character each {grid.unit}, UTC; █ is {most:,} messages, {HOLE} is none"
    return DayLines(note, grid.ruler, tuple(_lines(grid, most)))


def _lines(grid: _Grid, most: int) -> Iterator[DayLine]:
    """Give the lines from first to last; several in a row without any message are one."""
    filled = {number // grid.width for number in grid.counts}
    every = range(grid.first // grid.width, grid.last // grid.width + 1)
    for is_filled, group in groupby(every, filled.__contains__):
        rows = list(group)
        if is_filled or len(rows) == 1:
            for row in rows:
                yield _line(grid, row, most)
        else:
            label = grid.label(rows[0])
            yield DayLine(label, f"{HOLE} no message in {len(rows):,} {grid.row}s", 0)


def _line(grid: _Grid, row: int, most: int) -> DayLine:
    cells, total = [], 0
    for cell in range(grid.width):
        count = grid.counts.get(row * grid.width + cell, 0)
        total += count
        if count:
            cells.append(_HEIGHTS[-(-count * 8 // most) - 1])
        else:
            cells.append(HOLE if grid.holds(row, cell) else " ")
    return DayLine(grid.label(row), "".join(cells), total)


def _days_in(month: int) -> int:
    return monthrange(month // 12, month % 12 + 1)[1]
