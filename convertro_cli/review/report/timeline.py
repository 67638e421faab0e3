"""Numbers by day, as columns and as a line over them.

Where there are many days, a column is a week, a month, a year or several.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from markupsafe import Markup

from convertro_cli.review.report.document import Days, Series, Table
from convertro_cli.review.report.drawing import BEFORE_MARK, LINE_MARK, Drawn, element, picture

_PLOT_TOP = 22
_PLOT = 180
_BOTTOM = _PLOT_TOP + _PLOT
_MOST_HOVERED = 140
_MOST_COLUMNS = 100
"""How many columns a picture has at most, while a longer unit is left."""

_ROUND_STEPS = (10, 12, 14, 16, 18, 20, 24, 30, 36, 40, 50, 60, 70, 80, 90, 100)


class _Unit(NamedTuple):
    """A length of time: the number of the one that a day is in, and the label of a number."""

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


class Period(NamedTuple):
    """Columns that follow each other without a gap, each with its label; ``unit`` is one's."""

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


def periods(days: Collection[date]) -> Period:
    """Choose the shortest unit with which these days fit into one picture."""
    if not days:
        return Period("day", [], 0, date.toordinal)
    for unit in _UNITS:
        first, last = unit.number_of(min(days)), unit.number_of(max(days))
        if last - first < _MOST_COLUMNS:
            break
    labels = [unit.label(number) for number in range(first, last + 1)]
    return Period(unit.name, labels, first, unit.number_of)


def draw_days(block: Days) -> Drawn:
    """Draw one or two series by day: the first as columns, the second as a line over them.

    One series alone is drawn in the colour of *after*.
    """
    series = block.series
    span = periods({day for one in series for day in one.by_day})
    sums = [span.add_up(one.by_day) for one in series]
    top = _round_up(max([1, *(number for one in sums for number in one)]))
    parts = [*_grid(), *_columns(sums[0], top, "after" if len(series) == 1 else "before")]
    legend = []
    if len(series) > 1:
        parts.append(_steps(sums[1], top))
        legend = [(BEFORE_MARK, series[0].name), (LINE_MARK, series[1].name)]
    sentences = list(_sentences(span, series, sums))
    parts += [*_amount_axis(top), *_time_axis(span), *_hover(sentences)]
    drawn = picture(
        block.title,
        _describe(span, series, sums),
        _BOTTOM + 24,
        Markup("").join(parts),
        beside=len(f"{top:,}"),
    )
    rows = [
        [label, *(f"{one[index]:,}" for one in sums)]
        for index, label in enumerate(span.labels)
        if any(one[index] for one in sums) or len(span.labels) <= _MOST_HOVERED
    ]
    columns = [span.unit, *(f"{one.name}#" for one in series)]
    return Drawn(drawn, legend, Table(block.title, columns, rows))


def _round_up(number: int) -> int:
    """Give a round number that is no less and whose half is whole as well."""
    if number < 10:
        return number + number % 2
    unit = int(10 ** (len(str(number)) - 2))
    return next(step * unit for step in _ROUND_STEPS if step * unit >= number)


def _grid() -> Iterator[Markup]:
    for style, share in (("axis", 0), ("grid", 0.5), ("grid", 1)):
        y = f"{_BOTTOM - share * _PLOT:g}"
        yield element("line", class_=style, x1=0, x2="100%", y1=y, y2=y)


def _amount_axis(top: int) -> Iterator[Markup]:
    """Write what the grid's lines stand for, beside them: over the columns it would hide some."""
    for share in (0.5, 1):
        y, text = f"{_BOTTOM - share * _PLOT + 4:g}", f"{int(top * share):,}"
        yield element("text", text, class_="soft", x=-6, y=y, text_anchor="end")


def _columns(sums: Sequence[int], top: int, style: str) -> Iterator[Markup]:
    width = 100 / max(1, len(sums))
    gap = 0.2 if len(sums) <= _MOST_HOVERED else 0.0
    for index, number in enumerate(sums):
        if number:
            height = max(1.0, number / top * _PLOT)
            yield element(
                "rect",
                class_=style,
                x=f"{(index + gap / 2) * width:.3f}%",
                y=f"{_BOTTOM - height:.1f}",
                width=f"{width * (1 - gap):.3f}%",
                height=f"{height:.1f}",
            )


def _steps(sums: Sequence[int], top: int) -> Markup:
    """Draw a line that keeps its height over each period; only where it turns is a point."""
    path, height = "", None
    for index, number in enumerate(sums):
        y = f"{1000 - number / top * 1000:.1f}"
        if y != height:
            path += f"M0 {y}" if height is None else f"H{index}V{y}"
            height = y
    return element(
        "svg",
        element("path", class_="after-line", d=f"{path}H{len(sums)}"),
        x=0,
        y=_PLOT_TOP,
        width="100%",
        height=_PLOT,
        viewBox=f"0 0 {max(1, len(sums))} 1000",
        preserveAspectRatio="none",
        overflow="visible",
    )


def _time_axis(span: Period) -> Iterator[Markup]:
    y, count = _BOTTOM + 18, len(span.labels)
    if not count:
        yield element("text", "no days", class_="soft", x=0, y=y)
        return
    marks = [(0, "start", 0.0)]
    if count > 1:
        marks.append((count - 1, "end", 100.0))
    if count > 4:
        marks.append((count // 2, "middle", (count // 2 + 0.5) * 100 / count))
    for index, anchor, x in marks:
        text = span.labels[index].removeprefix("week of ")  # three must fit on a phone
        yield element("text", text, class_="soft", x=f"{x:.2f}%", y=y, text_anchor=anchor)


def _hover(sentences: Sequence[str]) -> Iterator[Markup]:
    """Let a pointer read the numbers off the picture, where its columns are wide enough."""
    if len(sentences) > _MOST_HOVERED:
        return
    width = 100 / max(1, len(sentences))
    areas = Markup("").join(
        element(
            "rect",
            element("title", text),
            x=f"{index * width:.3f}%",
            y=_PLOT_TOP,
            width=f"{width:.3f}%",
            height=_PLOT,
            fill_opacity=0,
        )
        for index, text in enumerate(sentences)
    )
    yield element("g", areas, aria_hidden="true")


def _sentences(
    span: Period, series: Sequence[Series], sums: Sequence[Sequence[int]]
) -> Iterator[str]:
    for index, label in enumerate(span.labels):
        numbers = (f"{one[index]:,} {each.name}" for each, one in zip(series, sums, strict=True))
        yield f"{label}: {', '.join(numbers)}"


def _describe(span: Period, series: Sequence[Series], sums: Sequence[Sequence[int]]) -> str:
    if not span.labels:
        return "There are no days to show."
    parts = [f"By {span.unit}, from {span.labels[0]} to {span.labels[-1]}."]
    for one, numbers in zip(series, sums, strict=True):
        most = max(numbers)
        day = span.labels[list(numbers).index(most)]
        parts.append(f"{one.name}: {sum(numbers):,} in all, the most {most:,}, {day}.")
    return " ".join(parts)
