"""A report before it is written in any format: what is to be said, in which order.

``inspect``, ``diff`` and ``explain`` each build one; ``terminal``, ``markdown`` and ``page`` write
any. Text in it is as it was found: each of the three escapes all of it, in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, repeat
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from convertro_cli.text import count

Tone = Literal["", "added", "removed", "changed", "warning", "soft", "strong", "code"]
"""How something is meant: *code* is text of an event or of settings, the others are in colours."""


class Cell(NamedTuple):
    """A text with its tone."""

    text: str
    tone: Tone = ""


Text = str | Cell
Row = Sequence[Text]


def code(text: str) -> Cell:
    """Give a text of an event or of settings."""
    return Cell(text, "code")


INDENT = "  "
"""What the first cell of a row begins with that belongs to the row above."""


class Table(Struct, frozen=True):
    """Rows under columns. A column that ends in ``#`` is of numbers.

    Each row has as many cells as there are columns; ``total`` is a last row, if any. Without
    ``columns`` there is no heading.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    note: str = ""
    total: Row = ()


class Fitting(Struct, frozen=True):
    """The same tables from wide to narrow: where room is short, the widest that fits is taken."""

    variants: Sequence[Sequence[Table]]


class Prose(Struct, frozen=True):
    """Sentences, a paragraph each."""

    title: str
    lines: Sequence[Text]


class Verbatim(Struct, frozen=True):
    """Lines to be copied, such as a URL: however long they are, none is broken."""

    lines: Sequence[str]


class Place(NamedTuple):
    """Where something is, and what more is known of it."""

    source: str
    detail: str = ""


class Places(Struct, frozen=True):
    """Reasons, each with its number and the first places where it was met."""

    title: str
    found: Sequence[tuple[str, int, Sequence[Place]]]

    def as_table(self) -> Table:
        """Give them as a table of three columns: a phone has no room for a fourth."""
        rows: list[Row] = []
        for reason, number, places in self.found:
            more = number - len(places)
            cells: list[Text] = [code(": ".join(filter(None, place))) for place in places]
            cells += [f"and {count(more)} more"] if more else []
            numbers = chain([count(number)], repeat(""))
            rows += ((reason, shown, cell) for shown, cell in zip(numbers, cells, strict=False))
        return Table(self.title, ("reason", "lines#", "place"), rows)


class Series(NamedTuple):
    """A number for each day; days without one count as none."""

    name: str
    by_day: Mapping[date, int]


class Days(Struct, frozen=True):
    """One or two series by day; of a short time ``by_hour`` has the first one by hour.

    ``holes`` says in lines on which days there is nothing.
    """

    title: str
    series: Sequence[Series]
    by_hour: Mapping[datetime, int]
    holes: Sequence[str] = ()


class Pair(NamedTuple):
    """A number before and after, each with its text."""

    label: str
    before: int | Decimal
    after: int | Decimal
    before_text: str
    after_text: str


class Bars(Struct, frozen=True):
    """Pairs of numbers as a picture. Only pages have room for it; a table has the numbers."""

    title: str
    pairs: Sequence[Pair]


class Field(NamedTuple):
    """A field of an example: its value on each side, None where it is not there."""

    name: str
    before: str | None
    after: str | None
    changed: bool = True


class Example(Struct, frozen=True):
    """One example. ``tone`` tells one that was added or removed from one that changed."""

    title: str
    place: str
    fields: Sequence[Field]
    tone: Literal["added", "removed", "changed"]


class Examples(Struct, frozen=True):
    """Examples of one kind, of ``count`` in all."""

    title: str
    count: int
    note: str
    examples: Sequence[Example]


Block = Table | Fitting | Prose | Verbatim | Places | Days | Bars | Examples


class Part(Struct, frozen=True):
    """What stands under one heading; ``key`` is the heading's address within a page."""

    key: str
    title: str
    blocks: Sequence[Block]

    def at_its_widest(self) -> Iterator[Block]:
        """Give the blocks as they stand where there is room, and under the heading.

        Of tables that fit into less, the first is given; none has the heading's own words again.
        """
        for block in self.blocks:
            for shown in block.variants[0] if isinstance(block, Fitting) else [block]:
                if isinstance(shown, Table) and shown.title == self.title:
                    yield replace(shown, title="")
                else:
                    yield shown


class Figure(NamedTuple):
    """A number to see first."""

    label: str
    value: str
    note: str = ""
    tone: Tone = ""


class Document(Struct, frozen=True):
    """A report.

    ``lede`` says it in a sentence or two; ``facts`` have a label each; ``warnings`` are what the
    reader must know to take the rest for what it is.
    """

    command: str
    title: str
    lede: Text
    parts: Sequence[Part]
    facts: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    figures: Sequence[Figure] = ()


def as_cell(text: Text) -> Cell:
    """Give a text with its tone, if it has none of its own."""
    return text if isinstance(text, Cell) else Cell(text)
