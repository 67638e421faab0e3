"""How a number, an amount, a size, a share and a control character are written, everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape

_MINUS = "\N{MINUS SIGN}"
_HUGE = Decimal(10) ** 15


def visible(text: str, write: Callable[[str], str] | None = None) -> str:
    """Show control and invisible characters as escapes: no event may speak to a terminal.

    ``write`` writes one of them as another language than Python has it.
    """
    if text.isprintable():
        return text
    write = write or _escaped
    return "".join(each if each.isprintable() else write(each) for each in text)


def in_html(text: str) -> str:
    """Show text on a page."""
    return escape(visible(text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def count(number: int) -> str:
    """Write a number of things with its thousands apart."""
    return f"{number:,}".replace("-", _MINUS)


def things(number: int, noun: str) -> str:
    """Write a number of things with what they are: ``1 day``, ``2 days``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def amount(value: Decimal | int) -> str:
    """Write an amount with two decimals and its thousands apart, a huge one in powers of ten."""
    text = f"{value:,.2f}" if abs(Decimal(value)) < _HUGE else f"{value:.3E}"
    return text.replace("-", _MINUS)


def signed(text: str) -> str:
    """Put a plus before a difference that is written without a sign, and ± before none."""
    if text.startswith(_MINUS):
        return text
    return f"+{text}" if text.strip("0,.") else f"±{text}"


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


def listed(parts: Sequence[str]) -> str:
    """Join parts with commas, and the last with *and*."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
