"""Pairs of bars: a number before and after, for each of a few things."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from markupsafe import Markup

from convertro_cli.review.report.document import Pair
from convertro_cli.review.report.drawing import AFTER_MARK, BEFORE_MARK, Drawn, picture
from convertro_cli.text import visible

_WIDEST = 64
"""The longest bar in percent of the picture; the rest is for its number."""

_ROW = 58
_BAR = 12
_LONGEST_LABEL = 44


def bars_before_after(
    rows: Sequence[Pair], title: str, *, names: tuple[str, str] = ("before", "after")
) -> Drawn:
    """Draw a pair of bars for each row, to one scale. Negative numbers go left of the line."""
    numbers = [Fraction(number) for row in rows for number in (row.before, row.after)]
    nought = Fraction(0)
    scale = _Scale(min([nought, *numbers]), max([nought, *numbers]))
    drawn = Markup("").join(_pair(row, top * _ROW, scale) for top, row in enumerate(rows))
    described = "; ".join(
        f"{row.label}: {row.before_text} {names[0]}, {row.after_text} {names[1]}" for row in rows
    )
    return Drawn(
        picture(title, described, len(rows) * _ROW, drawn),
        [(BEFORE_MARK, names[0]), (AFTER_MARK, names[1])],
    )


class _Scale:
    """From numbers to percent of the picture's width, as fractions: no number is too large."""

    def __init__(self, least: Fraction, most: Fraction) -> None:
        self._least = least
        self._span = most - least or Fraction(1)

    def place(self, number: Fraction) -> float:
        return round(float((number - self._least) / self._span) * _WIDEST, 2)

    @property
    def zero(self) -> float:
        return self.place(Fraction(0))


def _pair(row: Pair, top: int, scale: _Scale) -> Markup:
    label = visible(row.label)
    if len(label) > _LONGEST_LABEL:
        label = f"{label[:_LONGEST_LABEL]}…"
    return (
        Markup('<text x="0" y="{y}">{label}</text>').format(y=top + 16, label=label)
        + _bar(row.before, row.before_text, top + 24, "before", scale)
        + _bar(row.after, row.after_text, top + 25 + _BAR, "after", scale)
    )


def _bar(number: float | Decimal, text: str, top: int, style: str, scale: _Scale) -> Markup:
    end = scale.place(Fraction(number))
    left, right = min(end, scale.zero), max(end, scale.zero)
    return Markup(
        '<rect class="{style}" x="{left}%" y="{top}.5" width="{width}%" height="{height}"/>'
        '<text class="soft" x="{right}%" dx="6" y="{base}">{text}</text>'
    ).format(
        style=style,
        left=left,
        top=top,
        width=round(right - left, 2),
        height=_BAR - 1,
        right=right,
        base=top + _BAR - 2,
        text=visible(text),
    )
