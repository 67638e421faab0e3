"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

_HUGE = Decimal(10) ** 15


def count(number: int) -> str:
    """Write a number of things."""
    return f"{number:,}"


def things(number: int, noun: str) -> str:
    """Write a number of things with what they are: ``1 day``, ``2 days``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def amount(value: Decimal) -> str:
    """Write an amount with two decimals, or a huge one in powers of ten."""
    return f"{value:,.2f}" if abs(value) < _HUGE else f"{value:.3E}"


def share(part: int, whole: int) -> str:
    """Write a part of a whole in percent; what is there never shows as nothing."""
    if not part or not whole:
        return "–"
    percent = 100 * part / whole
    if percent < 0.05:
        return "<0.1 %"
    return f"{percent:.1f} %" if part == whole or percent < 99.95 else ">99.9 %"


def size(number: float) -> str:
    """Write a number of bytes."""
    if number < 1000:
        return things(int(number), "byte")
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 1000:
            return f"{number:,.1f} {unit}"
    return f"{number / 1000:,.1f} TB"
