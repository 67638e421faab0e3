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
    """So many messages or calls; ``valued`` carry an amount, and ``sent`` would be sent.

    ``value`` is the sum of the amounts, ``sent_value`` of what calls would be sent with. A number
    is added as it is written: 50.99 is 50.99, not the binary fraction next to it.
    """

    count: int = 0
    sent: int = 0
    valued: int = 0
    _millionths: int = 0
    _rest: Decimal | int = 0
    _sent_millionths: int = 0
    _sent_rest: Decimal | int = 0

    def __reduce__(self) -> tuple[type[Sum], tuple[int | Decimal, ...]]:
        """Cross processes quickly: there is one for each event name of each batch."""
        found = (self.count, self.sent, self.valued, self._millionths, self._rest)
        return Sum, (*found, self._sent_millionths, self._sent_rest)

    @property
    def value(self) -> Decimal:
        """The sum of all amounts, to the last digit."""
        return _EXACT.add(_EXACT.scaleb(Decimal(self._millionths), -6), self._rest)

    @property
    def sent_value(self) -> Decimal:
        """The sum of what is sent, to the last digit."""
        return _EXACT.add(_EXACT.scaleb(Decimal(self._sent_millionths), -6), self._sent_rest)

    def add(self, other: Sum) -> None:
        """Take in another sum."""
        self.count += other.count
        self.sent += other.sent
        self.valued += other.valued
        self._millionths += other._millionths
        self._sent_millionths += other._sent_millionths
        if other._rest:
            self._rest = _EXACT.add(self._rest, other._rest)
        if other._sent_rest:
            self._sent_rest = _EXACT.add(self._sent_rest, other._sent_rest)

    def take(self, value: float) -> None:
        """Take out one that was counted, with its amount."""
        self.count -= 1
        self.valued -= 2
        self.add_value(-value)

    def add_value(self, value: float) -> None:
        """Take in one amount."""
        self.valued += 1
        millionths = _millionths(value)
        if millionths is None:
            self._rest = _EXACT.add(self._rest, Decimal(repr(value)))
        else:
            self._millionths += millionths

    def add_sent(self, value: float) -> None:
        """Take in what one call is sent with."""
        millionths = _millionths(value)
        if millionths is None:
            self._sent_rest = _EXACT.add(self._sent_rest, Decimal(repr(value)))
        else:
            self._sent_millionths += millionths


def _millionths(value: float) -> int | None:
    """Give a number in millionths; None where it has more digits than that."""
    if -_FEW_DIGITS < value < _FEW_DIGITS:
        # A double tells all decimals of up to 15 digits apart, so that a number which is so many
        # millionths is written as exactly that.
        millionths = round(value * _MILLION)
        if millionths / _MILLION == value:
            return millionths
    return None
