"""Exact sums of what calls are worth, and rows by name that cannot fill the memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from heapq import nlargest
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

EXACTLY = Context(prec=2_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Adds without rounding: a JSON number has its digits between 1e308 and 5e-324."""

LONGEST_NAME = 200
"""Longer names are cut for counting: a name can be as long as a line."""

_MILLION = 1_000_000
_FEW_DIGITS = 10**9


class Sum:  # noqa: PLW1641 - it changes, so it has no hash
    """A number of things, and what they are worth together to the last digit.

    A number is added as it is written: 50.99 is 50.99, not the binary fraction next to it. Nearly
    all amounts are so many millionths, which are whole numbers; ``rest`` has all others.
    """

    __slots__ = ("count", "millionths", "rest")

    def __init__(self, count: int = 0, value: Decimal | int = 0) -> None:
        self.count = count
        self.millionths = 0
        self.rest = value

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes quickly: there is one for each name of each batch."""
        return _restored, (self.count, self.millionths, self.rest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and (self.count, self.value) == (other.count, other.value)

    def __repr__(self) -> str:
        return f"Sum({self.count}, Decimal({str(self.value)!r}))"

    @property
    def value(self) -> Decimal:
        """What they are worth, without zeros behind the last digit."""
        whole = EXACTLY.scaleb(Decimal(self.millionths), -6)
        return EXACTLY.normalize(EXACTLY.add(whole, self.rest))

    def add(self, other: Sum) -> None:
        """Take in another sum."""
        self.count += other.count
        self.millionths += other.millionths
        if other.rest:
            self.rest = EXACTLY.add(self.rest, other.rest)

    def take_out(self, other: Sum) -> None:
        """Take out some of what was taken in."""
        self.count -= other.count
        self.millionths -= other.millionths
        if other.rest:
            self.rest = EXACTLY.subtract(self.rest, other.rest)

    def add_one(self, value: float) -> None:
        """Count one thing, with what it is worth."""
        self.count += 1
        self.add_value(value)

    def add_value(self, value: float) -> None:
        """Add an amount, and count nothing."""
        if -_FEW_DIGITS < value < _FEW_DIGITS:
            # A double tells all decimals of up to 15 digits apart, so that a number which is so
            # many millionths is written as exactly that.
            millionths = round(value * _MILLION)
            if millionths / _MILLION == value:
                self.millionths += millionths
                return
        self.add_exactly(Decimal(repr(value)))

    def add_values(self, values: Iterable[float]) -> None:
        """Add amounts, and count nothing."""
        for value in values:
            self.add_value(value)

    def add_exactly(self, value: Decimal) -> None:
        """Add an amount with all its digits, and count nothing."""
        self.rest = EXACTLY.add(self.rest, value)


def _restored(count: int, millionths: int, rest: Decimal | int) -> Sum:
    found = Sum(count)
    found.millionths, found.rest = millionths, rest
    return found


def add_up(sums: Iterable[Sum]) -> Sum:
    """Give the sum of sums."""
    total = Sum()
    for one in sums:
        total.add(one)
    return total


class Addable(Protocol):
    """A row of a table: what is counted of one name."""

    def add(self, other: Any, /) -> None:
        """Take in another row."""

    def take_out(self, other: Any, /) -> None:
        """Take out some of what was taken in."""


Name = TypeVar("Name", bound=Hashable)
RowType = TypeVar("RowType", bound=Addable)


class Rows(Generic[Name, RowType]):  # noqa: PLW1641 - likewise
    """A row for each name, of a bounded number of names; ``rest`` has what all others have.

    With a ``weight`` it is exact up to twice the ``limit`` of names; beyond that the lightest are
    let go, so that each row that is left says "at least": its name may have been among them.
    Without one, the first names are kept, and their rows are exact always.
    All rows and ``rest`` together are exact in any case.
    """

    def __init__(
        self, limit: int, row: Callable[[], RowType], weight: Callable[[RowType], int] | None = None
    ) -> None:
        self._limit = limit
        self._row = row
        self._weight = weight
        self._rows: dict[Name, RowType] = {}
        self.rest = row()
        self.is_exact = True

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and (self._rows, self.rest) == (other._rows, other.rest)

    def __iter__(self) -> Iterator[tuple[Name, RowType]]:
        return iter(self._rows.items())

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __getitem__(self, name: Name) -> RowType:
        return self._rows[name]

    def at(self, name: Name) -> RowType:
        """Give the row of a name, to add to; that of the rest where there is no room for it."""
        row = self._rows.get(name)
        if row is None:
            if self._weight is None and len(self._rows) >= self._limit:
                self.is_exact = False
                return self.rest
            if len(self._rows) >= 2 * self._limit:
                self._let_go(self._weight)
            row = self._rows[name] = self._row()
        return row

    def add(self, other: Rows[Name, RowType]) -> None:
        """Take in the rows of another part of what is counted."""
        for name, row in other:
            self.at(name).add(row)
        self.rest.add(other.rest)
        self.is_exact &= other.is_exact

    def take_out(self, other: Rows[Name, RowType]) -> None:
        """Take out rows of what was taken in; a row that nothing is left of goes."""
        nothing = self._row()
        for name, row in other:
            mine = self.at(name)
            mine.take_out(row)
            if mine == nothing:
                self._rows.pop(name, None)
        self.rest.take_out(other.rest)

    def total(self) -> RowType:
        """Add up all rows, and the rest."""
        total = self._row()
        for row in (*self._rows.values(), self.rest):
            total.add(row)
        return total

    def _let_go(self, weight: Callable[[RowType], int] | None) -> None:
        assert weight is not None
        self.is_exact = False
        kept = dict(nlargest(self._limit, self._rows.items(), key=lambda item: weight(item[1])))
        for name, row in self._rows.items():
            if name not in kept:
                self.rest.add(row)
        self._rows = kept


def cut_name(name: str) -> str:
    """Cut a name that is too long to be kept; a cut one is longer than any that is whole."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def is_cut(name: str) -> bool:
    """Whether a name is not whole."""
    return len(name) > LONGEST_NAME


class Counted(Struct):
    """Counts that are put together field by field, and can be taken apart again.

    Its fields are numbers, Counters, and whatever can itself be added and taken out.
    """

    def add(self, other: Any) -> None:
        """Take in the counts of another part."""
        for name in self.__struct_fields__:
            mine, more = getattr(self, name), getattr(other, name)
            if isinstance(mine, int):
                setattr(self, name, mine + more)
            elif isinstance(mine, Counter):
                mine.update(more)
            else:
                mine.add(more)

    def take_out(self, other: Any) -> None:
        """Take out the counts of some of what was counted."""
        for name in self.__struct_fields__:
            mine, less = getattr(self, name), getattr(other, name)
            if isinstance(mine, int):
                setattr(self, name, mine - less)
            elif isinstance(mine, Counter):
                mine.subtract(less)
                for key in [key for key, count in mine.items() if not count]:
                    del mine[key]
            else:
                mine.take_out(less)
