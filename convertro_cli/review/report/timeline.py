"""Numbers by day, as columns and as a line over them.

Where there are many days, a column is a week, a month, a year or several.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from convertro_cli.review.report.document import Days, Series, Table
from convertro_cli.review.report.drawing import BEFORE_MARK, LINE_MARK, Drawn, picture
from convertro_cli.text import visible

_PLOT_TOP = 22
_PLOT = 180
_MOST_HOVERED = 140
_MOST_COLUMNS = 100
"""How many columns a picture has at most, while a longer unit is left."""

_ROUND_STEPS = (10, 12, 14, 16, 18, 20, 24, 30, 36, 40, 50, 60, 70, 80, 90, 100)


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
        if end - start < _MOST_COLUMNS:
            break
    return Period(
        unit.name,
        [unit.label(number) for number in range(start, end + 1)],
        start,
        unit.number_of,
    )


def draw_days(block: Days) -> Drawn:
    """Draw one or two series by day: the first as columns, the second as a line over them.

    One series alone is drawn in the colour of *after*.
    """
    title, series = block.title, block.series
    span = periods({day for one in series for day in one.by_day})
    sums = [span.add_up(one.by_day) for one in series]
    top = _round_up(max([1, *(number for one in sums for number in one)]))
    parts = [_grid()]
    if len(series) == 1:
        parts.append(_columns(span, sums[0], top, "after"))
        legend = []
    else:
        parts += [_columns(span, sums[0], top, "before"), _steps(sums[1], top)]
        legend = [(BEFORE_MARK, series[0].name), (LINE_MARK, series[1].name)]
    parts += [_amount_axis(top), _time_axis(span), _hover(span, series, sums)]
    return Drawn(
        picture(
            title,
            _describe(span, series, sums),
            _PLOT_TOP + _PLOT + 24,
            Markup("").join(parts),
            beside=len(f"{top:,}"),
        ),
        legend,
        Table(
            title,
            [span.unit, *(f"{one.name}#" for one in series)],
            [
                [label, *(f"{one[index]:,}" for one in sums)]
                for index, label in enumerate(span.labels)
                if any(one[index] for one in sums) or len(span.labels) <= _MOST_HOVERED
            ],
        ),
    )


def _round_up(number: int) -> int:
    """Give a round number that is no less and whose half is whole as well."""
    if number < 10:
        return number + number % 2
    unit = int(10 ** (len(str(number)) - 2))
    return next(step * unit for step in _ROUND_STEPS if step * unit >= number)


def _grid() -> Markup:
    return Markup("").join(
        Markup('<line class="{style}" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>').format(
            style="grid" if share else "axis", y=_PLOT_TOP + _PLOT - share * _PLOT
        )
        for share in (0, 0.5, 1)
    )


def _amount_axis(top: int) -> Markup:
    """Write what the grid's lines stand for, beside them: over the columns it would hide some."""
    return Markup("").join(
        Markup('<text class="soft" x="-6" y="{y:g}" text-anchor="end">{text}</text>').format(
            y=_PLOT_TOP + _PLOT - share * _PLOT + 4, text=f"{int(top * share):,}"
        )
        for share in (0.5, 1)
    )


def _columns(span: Period, sums: Sequence[int], top: int, style: str) -> Markup:
    width = 100 / max(1, len(sums))
    gap = 0.2 if len(sums) <= _MOST_HOVERED else 0.0
    parts = []
    for index, number in enumerate(sums):
        if number:
            height = max(1.0, number / top * _PLOT)
            parts.append(
                Markup(
                    '<rect class="{style}" x="{x:.3f}%" y="{y:.1f}" '
                    'width="{width:.3f}%" height="{height:.1f}"/>'
                ).format(
                    style=style,
                    x=(index + gap / 2) * width,
                    y=_PLOT_TOP + _PLOT - height,
                    width=width * (1 - gap),
                    height=height,
                )
            )
    return Markup("").join(parts)


def _steps(sums: Sequence[int], top: int) -> Markup:
    """Draw a line that keeps its height over each period; only where it turns is a point."""
    path, height = [], None
    for index, number in enumerate(sums):
        y = f"{1000 - number / top * 1000:.1f}"
        if y != height:
            path.append(f"M0 {y}" if height is None else f"H{index}V{y}")
            height = y
    path.append(f"H{len(sums)}")
    return Markup(
        '<svg x="0" y="{y}" width="100%" height="{height}" viewBox="0 0 {width} 1000" '
        'preserveAspectRatio="none" overflow="visible"><path class="after-line" d="{path}"/></svg>'
    ).format(y=_PLOT_TOP, height=_PLOT, width=max(1, len(sums)), path="".join(path))


def _time_axis(span: Period) -> Markup:
    y = _PLOT_TOP + _PLOT + 18
    count = len(span.labels)
    if not count:
        return Markup('<text class="soft" x="0" y="{y}">no days</text>').format(y=y)
    marks = {0: "start", count - 1: "end"} if count > 1 else {0: "start"}
    if count > 4:
        marks[count // 2] = "middle"
    return Markup("").join(
        Markup(
            '<text class="soft" x="{x:.2f}%" y="{y}" text-anchor="{anchor}">{text}</text>'
        ).format(
            x={"start": 0, "end": 100}.get(anchor, (index + 0.5) * 100 / count),
            y=y,
            anchor=anchor,
            text=span.labels[index].removeprefix("week of "),  # three must fit on a phone
        )
        for index, anchor in marks.items()
    )


def _hover(span: Period, series: Sequence[Series], sums: Sequence[Sequence[int]]) -> Markup:
    """Let a pointer read the numbers off the picture, where its columns are wide enough."""
    if len(span.labels) > _MOST_HOVERED:
        return Markup("")
    width = 100 / max(1, len(span.labels))
    areas = Markup("").join(
        Markup(
            '<rect x="{x:.3f}%" y="{y}" width="{width:.3f}%" height="{height}" '
            'fill-opacity="0"><title>{text}</title></rect>'
        ).format(x=index * width, y=_PLOT_TOP, width=width, height=_PLOT, text=text)
        for index, text in enumerate(_sentences(span, series, sums))
    )
    return Markup('<g aria-hidden="true">{areas}</g>').format(areas=areas)


def _sentences(
    span: Period, series: Sequence[Series], sums: Sequence[Sequence[int]]
) -> Iterator[str]:
    for index, label in enumerate(span.labels):
        numbers = ", ".join(
            f"{numbers[index]:,} {visible(one.name)}"
            for one, numbers in zip(series, sums, strict=True)
        )
        yield f"{label}: {numbers}"


def _describe(span: Period, series: Sequence[Series], sums: Sequence[Sequence[int]]) -> str:
    if not span.labels:
        return "There are no days to show."
    parts = [f"By {span.unit}, from {span.labels[0]} to {span.labels[-1]}."]
    for one, numbers in zip(series, sums, strict=True):
        most = max(numbers)
        parts.append(
            f"{one.name}: {sum(numbers):,} in all, the most {most:,}, "
            f"{span.labels[list(numbers).index(most)]}."
        )
    return " ".join(parts)
