"""Messages by day or hour as lines of characters: bars where they are few, else one cell each.

A cell is one of eight heights. One without a message between the first and the last shows as a
dot, because a hole in a backfill is what one looks for.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

HOLE = "·"

_MOST_BARS = 31
_MOST_ROWS = 84  # seven years
_HEIGHTS = "▁▂▃▄▅▆▇█"
_PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


class DayLine(NamedTuple):
    """One line: its label, its bar or cells, and the number of its messages."""

    label: str
    cells: str
    messages: int


class DayLines(NamedTuple):
    """The lines. ``ruler`` stands over the cells, ``note`` says what they are."""

    note: str
    ruler: str
    rows: tuple[DayLine, ...]


class _Raster(NamedTuple):
    """What a cell and a row of ``width`` cells are; ``size`` of them are in the calendar."""

    cell: str
    row: str
    width: int
    ruler: str
    label: Callable[[int], str]
    size: Callable[[int], int]


_HOURS = _Raster(
    "hour",
    "day",
    24,
    "0     6     12    18",
    lambda row: date.fromordinal(row).isoformat(),
    lambda row: 24,
)
_DAYS = _Raster(
    "day",
    "month",
    31,
    "1   5    10   15   20   25   30",
    lambda row: f"{row // 12:04}-{row % 12 + 1:02}",
    lambda row: monthrange(row // 12, row % 12 + 1)[1],
)
_MONTHS = _Raster("month", "year", 12, "JFMAMJJASOND", lambda row: f"{row:04}", lambda row: 12)


def draw(by_day: Mapping[date, int], by_hour: Mapping[datetime, int], bar_width: int) -> DayLines:
    """Draw bars of up to ``bar_width`` characters, or lines of cells where there are too many."""
    if by_hour:
        hours = {hour.toordinal() * 24 + hour.hour: n for hour, n in by_hour.items()}
        return _bars("hour", _hour, hours, bar_width) or _raster(_HOURS, hours)
    days = {day.toordinal(): n for day, n in by_day.items()}
    if bars := _bars("day", lambda day: f"{date.fromordinal(day):%Y-%m-%d %a}", days, bar_width):
        return bars
    cells = {(day.year * 12 + day.month - 1) * 31 + day.day - 1: n for day, n in by_day.items()}
    by_month = _raster(_DAYS, cells)
    if len(by_month.rows) <= _MOST_ROWS:
        return by_month
    months: Counter[int] = Counter()
    for cell, number in cells.items():
        months[cell // 31] += number
    by_year = _raster(_MONTHS, months)
    rows, later = by_year.rows[:_MOST_ROWS], by_year.rows[_MOST_ROWS:]
    if later:
        rows += (DayLine("later", "", sum(row.messages for row in later)),)
    return by_year._replace(rows=rows)


def _bars(
    unit: str, label: Callable[[int], str], counts: Mapping[int, int], width: int
) -> DayLines | None:
    """Give a bar for each number from the first to the last; None where they are too many."""
    if max(counts) - min(counts) >= _MOST_BARS:
        return None
    most = max(counts.values())
    rows = []
    for number in range(min(counts), max(counts) + 1):
        count = counts.get(number, 0)
        eighths = max(1, round(count * width * 8 / most))
        bar = "█" * (eighths // 8) + _PARTS[eighths % 8] if count else HOLE
        rows.append(DayLine(label(number), bar, count))
    return DayLines(f"a line each {unit}, UTC", "", tuple(rows))


def _hour(number: int) -> str:
    return f"{date.fromordinal(number // 24)} {number % 24:02}:00"


def _raster(raster: _Raster, counts: Mapping[int, int]) -> DayLines:
    most = max(counts.values())
    note = f"a character each {raster.cell}, UTC; █ is {most:,} messages, {HOLE} is none"
    return DayLines(note, raster.ruler, tuple(_rows(raster, counts)))


def _rows(raster: _Raster, counts: Mapping[int, int]) -> Iterator[DayLine]:
    """Give the rows from first to last; several in a row without any message are one."""
    filled = {number // raster.width for number in counts}
    span, most = range(min(counts), max(counts) + 1), max(counts.values())
    for is_filled, group in groupby(range(min(filled), max(filled) + 1), filled.__contains__):
        rows = list(group)
        if is_filled or len(rows) == 1:
            yield from (_row(raster, row, counts, span, most) for row in rows)
        else:
            cells = f"{HOLE} no message in {len(rows):,} {raster.row}s"
            yield DayLine(raster.label(rows[0]), cells, 0)


def _row(raster: _Raster, row: int, counts: Mapping[int, int], span: range, most: int) -> DayLine:
    cells, total = "", 0
    for index in range(raster.width):
        number = row * raster.width + index
        count = counts.get(number, 0)
        total += count
        if count:
            cells += _HEIGHTS[-(-count * 8 // most) - 1]
        else:
            cells += HOLE if number in span and index < raster.size(row) else " "
    return DayLine(raster.label(row), cells, total)
