"""Sums that do not drift: money is added up in whole millionths, and in decimals beyond them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal

# A double has its digits between 10**308 and 10**-324, so that no sum of them is ever rounded.
_EXACT = Context(prec=1000)
_MILLION = 1_000_000
_FEW_DIGITS = 10**9


@dataclass(slots=True)
class Sum:
    """So many messages or calls; ``sent`` of them would be sent, ``valued`` carry an amount.

    A number is added as it is written: 50.99 is 50.99, not the binary fraction next to it.
    """

    count: int = 0
    sent: int = 0
    valued: int = 0
    _millionths: int = 0
    _rest: Decimal | int = 0

    def __reduce__(self) -> tuple[type[Sum], tuple[int, int, int, int, Decimal | int]]:
        """Cross processes quickly: there is one for each event name of each batch."""
        return Sum, (self.count, self.sent, self.valued, self._millionths, self._rest)

    @property
    def value(self) -> Decimal:
        """The sum of all amounts, to the last digit."""
        return _EXACT.add(_EXACT.scaleb(Decimal(self._millionths), -6), self._rest)

    def add(self, other: Sum) -> None:
        """Take in another sum."""
        self.count += other.count
        self.sent += other.sent
        self.valued += other.valued
        self._millionths += other._millionths
        if other._rest:
            self._rest = _EXACT.add(self._rest, other._rest)

    def take(self, value: float) -> None:
        """Take out one that was counted, with its amount."""
        self.count -= 1
        self.valued -= 2
        self.add_value(-value)

    def add_value(self, value: float) -> None:
        """Take in one amount."""
        self.valued += 1
        if -_FEW_DIGITS < value < _FEW_DIGITS:
            # A double tells all decimals of up to 15 digits apart, so that a number which is so
            # many millionths is written as exactly that.
            millionths = round(value * _MILLION)
            if millionths / _MILLION == value:
                self._millionths += millionths
                return
        self._rest = _EXACT.add(self._rest, Decimal(repr(value)))
