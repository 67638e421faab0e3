"""A table of text, which the terminal, Markdown and HTML each show in their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[str]

INDENT = "  "
"""What the first cell of a row begins with that belongs to the row above."""

AT_LEAST = (
    "There are more names than can be kept: rare ones were let go, and each number is at least."
)


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title. A column that ends in ``#`` is of numbers.

    Each row has as many cells as there are columns; ``total`` is a last row, if any.
    """

    title: str
    columns: Row
    rows: Sequence[Row]
    note: str = ""
    total: Row = ()
