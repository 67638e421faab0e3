"""Pictures for a page, as SVG that stays sharp and readable from a phone to a printed page.

Places are in percent and text in pixels: a narrow page gets a narrower picture, not smaller
letters. Colours are the page's own, so that dark and light and print each have theirs. Here are
what all pictures have in common, and pairs of bars; ``timeline`` has numbers by day.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from hashlib import blake2b
from typing import NamedTuple

from markupsafe import Markup

from convertro_cli.review.report.document import Bars, Table
from convertro_cli.text import visible

_WIDEST = 64
"""The longest bar in percent of the picture; the rest is for its number."""

_ROW = 58
_BAR = 12
_LONGEST_LABEL = 44


def element(tag: str, content: str = "", /, **attributes: object) -> Markup:
    """Write an element, with all in it escaped that is no markup.

    An underscore stands for a hyphen, and after a name that Python has for nothing.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), value)
        for name, value in attributes.items()
    )
    if not content:
        return Markup("<{}{}/>").format(tag, written)
    shown = content if isinstance(content, Markup) else visible(content)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, written, shown)


def _mark(shape: Markup) -> Markup:
    return element("svg", shape, aria_hidden="true")


BEFORE_MARK = _mark(element("rect", class_="before", x="0.5", y="0.5", width="94%", height=11))
AFTER_MARK = _mark(element("rect", class_="after", width="100%", height=12))
LINE_MARK = _mark(element("line", class_="after-line", x1=0, x2="100%", y1=6, y2=6))


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
    """Give a whole picture, with its name and its description in words.

    ``beside`` characters of small print have room to the left of x = 0.
    """
    room = f"{beside * 0.45 + 0.4:.2f}rem"
    style = f"margin-left:{room};width:calc(100% - {room});overflow:visible" if beside else ""
    mark = blake2b(f"{title}\0{description}".encode("utf-8", "replace"), digest_size=6).hexdigest()
    named = element("title", title, id=f"t{mark}")
    described = element("desc", description, id=f"d{mark}")
    return element(
        "svg",
        named + described + content,
        role="img",
        width="100%",
        height=height,
        style=style,
        aria_labelledby=f"t{mark}",
        aria_describedby=f"d{mark}",
    )


def draw_bars(block: Bars) -> Drawn:
    """Draw a pair of bars for each row, to one scale. Negative numbers go left of the line."""
    described = "; ".join(
        f"{row.label}: {row.before_text} before, {row.after_text} after" for row in block.pairs
    )
    drawn = Markup("").join(_bars(block))
    legend = [(BEFORE_MARK, "before"), (AFTER_MARK, "after")]
    return Drawn(picture(block.title, described, len(block.pairs) * _ROW, drawn), legend)


def _bars(block: Bars) -> Iterator[Markup]:
    """Give the bars with their labels and numbers; as fractions, no number is too large."""
    numbers = [Fraction(number) for row in block.pairs for number in (row.before, row.after)]
    least, most = min([Fraction(0), *numbers]), max([Fraction(0), *numbers])
    span = most - least or Fraction(1)

    def place(number: Fraction) -> float:
        return round(float((number - least) / span) * _WIDEST, 2)

    zero = place(Fraction(0))
    for index, row in enumerate(block.pairs):
        top, label = index * _ROW, visible(row.label)
        cut = f"{label[:_LONGEST_LABEL]}…" if len(label) > _LONGEST_LABEL else label
        yield element("text", cut, x=0, y=top + 16)
        for style, number, text, y in (
            ("before", row.before, row.before_text, top + 24),
            ("after", row.after, row.after_text, top + 25 + _BAR),
        ):
            left, right = sorted((place(Fraction(number)), zero))
            width = f"{round(right - left, 2)}%"
            yield element("rect", class_=style, x=f"{left}%", y=f"{y}.5", width=width, height=11)
            yield element("text", text, class_="soft", x=f"{right}%", dx=6, y=y + _BAR - 2)
