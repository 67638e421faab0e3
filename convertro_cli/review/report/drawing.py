"""Pictures for a page, as SVG that stays sharp and readable from a phone to a printed page.

Places are in percent and text in pixels: a narrow page gets a narrower picture, not smaller
letters. Colours are the page's own, so that dark and light and print each have theirs. Here are
what all pictures have in common, and pairs of bars; ``timeline`` has numbers by day.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import NamedTuple

from markupsafe import Markup

from convertro_cli.review.report.document import Bars, Pair, Table
from convertro_cli.text import visible

_WIDEST = 64
"""The longest bar in percent of the picture; the rest is for its number."""

_ROW = 58
_BAR = 12
_LONGEST_LABEL = 44

BEFORE_MARK = Markup(
    '<svg aria-hidden="true"><rect class="before" x="0.5" y="0.5" width="94%" height="11"/></svg>'
)
AFTER_MARK = Markup('<svg aria-hidden="true"><rect class="after" width="100%" height="12"/></svg>')
LINE_MARK = Markup(
    '<svg aria-hidden="true"><line class="after-line" x1="0" x2="100%" y1="6" y2="6"/></svg>'
)


class Drawn(NamedTuple):
    """A picture, with a mark and a name for each series.

    ``table`` has the same numbers, where no other table beside it has them.
    """

    svg: Markup
    legend: list[tuple[Markup, str]]
    table: Table | None = None


def picture(
    title: str, description: str, height: int, content: Markup, *, beside: int = 0
) -> Markup:
    """Give a whole picture, with its name and its description in words. Escapes both.

    ``beside`` characters of small print have room to the left of x = 0.
    """
    room = f"{beside * 0.45 + 0.4:.2f}rem"
    style = f"margin-left:{room};width:calc(100% - {room});overflow:visible" if beside else ""
    mark = blake2b(f"{title}\0{description}".encode("utf-8", "replace"), digest_size=6).hexdigest()
    return Markup(
        '<svg role="img" width="100%" height="{height}" style="{style}" '
        'aria-labelledby="t{mark}" aria-describedby="d{mark}">'
        '<title id="t{mark}">{title}</title><desc id="d{mark}">{description}</desc>{content}</svg>'
    ).format(
        height=height,
        style=style,
        mark=mark,
        title=visible(title),
        description=visible(description),
        content=content,
    )


def draw_bars(block: Bars) -> Drawn:
    """Draw a pair of bars for each row, to one scale. Negative numbers go left of the line."""
    rows = block.pairs
    numbers = [Fraction(number) for row in rows for number in (row.before, row.after)]
    nought = Fraction(0)
    scale = _Scale(min([nought, *numbers]), max([nought, *numbers]))
    drawn = Markup("").join(_pair(row, top * _ROW, scale) for top, row in enumerate(rows))
    described = "; ".join(
        f"{row.label}: {row.before_text} before, {row.after_text} after" for row in rows
    )
    legend = [(BEFORE_MARK, "before"), (AFTER_MARK, "after")]
    return Drawn(picture(block.title, described, len(rows) * _ROW, drawn), legend)


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
