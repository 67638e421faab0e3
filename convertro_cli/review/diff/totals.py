"""Sums of calls and of their values, before and after: exact, and of bounded number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

MOST_NAMES = 10_000
"""How many names a table keeps apart; the calls of all further ones are summed up as the rest."""

LONGEST_NAME = 200
"""Longer names are cut: together with their number it bounds the memory of a table."""

# From the largest float to the last digit of the smallest are some 650 digits, so that no sum of
# amounts is ever rounded.
_EXACT = Context(prec=1000, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exact(number: float) -> Decimal:
    """Give a number as the decimal that a dry run writes for it."""
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def cut_name(name: str) -> str:
    """Cut a name that is longer than any real one."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


@dataclass(slots=True)
class Total:
    """A number of calls, and the sum of their values to the last digit."""

    calls: int = 0
    value: Decimal = Decimal(0)

    def add(self, calls: int, value: Decimal) -> None:
        """Add calls that are worth ``value`` together."""
        self.calls += calls
        self.value = _EXACT.add(self.value, value)


@dataclass(slots=True)
class BeforeAfter:
    """Totals on the two sides."""

    before: Total = field(default_factory=Total)
    after: Total = field(default_factory=Total)

    def add(self, other: BeforeAfter) -> None:
        """Add the totals of another part of the export."""
        self.before.add(other.before.calls, other.before.value)
        self.after.add(other.after.calls, other.after.value)

    def take_out(self, other: BeforeAfter) -> None:
        """Take out the totals of some of the calls that were added."""
        self.before.add(-other.before.calls, other.before.value.copy_negate())
        self.after.add(-other.after.calls, other.after.value.copy_negate())

    @property
    def value_difference(self) -> Decimal:
        """How much more the calls are worth after than before."""
        return _EXACT.subtract(self.after.value, self.before.value)

    @property
    def calls_difference(self) -> int:
        """How many more calls there are after than before."""
        return self.after.calls - self.before.calls

    @property
    def differs(self) -> bool:
        """Whether the two sides have different totals."""
        return self.before != self.after


@dataclass(slots=True)
class Table:
    """Totals by name. Of endless names the first are kept, and ``rest`` has the others."""

    rows: dict[str, BeforeAfter] = field(default_factory=dict)
    rest: BeforeAfter = field(default_factory=BeforeAfter)

    def at(self, name: str | None) -> BeforeAfter:
        """Give the totals for a name; those of the rest where there is no room, or no name."""
        if name is None:
            return self.rest
        row = self.rows.get(name)
        if row is None:
            name = cut_name(name)
            row = self.rows.get(name)
        if row is None:
            if len(self.rows) >= MOST_NAMES:
                return self.rest
            row = self.rows[name] = BeforeAfter()
        return row

    def add(self, other: Table) -> None:
        """Add the totals of another part of the export."""
        for name, row in other.rows.items():
            self.at(name).add(row)
        self.rest.add(other.rest)

    def take_out(self, other: Table) -> None:
        """Take out the totals of some of the calls that were added."""
        for name, row in other.rows.items():
            mine = self.at(name)
            mine.take_out(row)
            if mine == BeforeAfter():
                self.rows.pop(name, None)
        self.rest.take_out(other.rest)

    def sum(self) -> BeforeAfter:
        """Add up all rows, and the rest."""
        total = BeforeAfter()
        for row in (*self.rows.values(), self.rest):
            total.add(row)
        return total

    def by_weight(self) -> Iterator[tuple[str, BeforeAfter]]:
        """Give the rows by how much they differ in value, then in calls, then by their size."""
        return iter(
            sorted(
                self.rows.items(),
                key=lambda item: (
                    item[1].value_difference.copy_abs().copy_negate(),
                    -abs(item[1].calls_difference),
                    -item[1].after.calls,
                    item[0],
                ),
            )
        )
