"""Amounts of money, as numbers or as the strings that people put into *total* and *revenue*."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from convertro_cli.segment.currencies import (
    has_no_minor_unit,
    has_three_decimals,
    is_mark_after,
    is_mark_before,
)
from convertro_cli.segment.ids import EXACT_BELOW, is_json_integer

_EXACT_DIGITS = 18  # make an integer that every writer of JSON takes
_INVISIBLE = dict.fromkeys(
    [0x061C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF]
)
_ONE_APOSTROPHE = str.maketrans("’ʼ", "''")
_FROM_FIRST_TO_LAST_DIGIT = re.compile(r"[0-9](?:.*[0-9])?", re.DOTALL)
_SPACE = re.compile(r"\s")
_MINUS = "-\u2212"

# 1,200 and 1.200.300,50: groups of three, and then the other separator. No group begins with 0.
_THOUSANDS = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?:(?P<mark>[ ',.])\d{3})(?:(?P=mark)\d{3})*)"
    r"(?:(?!(?P=mark))[.,](?P<part>\d*))?",
    re.ASCII,
)
_INDIAN = re.compile(r"(?P<whole>[1-9]\d?(?:,\d\d)+,\d{3})(?:\.(?P<part>\d*))?", re.ASCII)
_DECIMAL = re.compile(r"(?P<whole>\d*)(?:[.,](?P<part>\d*))?", re.ASCII)
_DOT_AND_THREE = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)


class _Written(NamedTuple):
    """An amount taken out of its text: its digits and separators, without mark and sign."""

    number: str
    negative: bool


def read_amount(value: Any, currency: Any = None) -> int | float | None:
    """Read an amount; None where the value is none.

    A whole amount comes back as an int, if it is one that JSON writers take. Negative amounts
    are amounts, and negative zero is 0. NaN, an infinity, a boolean, an object and a string that
    is no single amount are none. ``currency`` is what the message says of it: a single dot
    with three digits after it separates thousands where there are no cents (``"$150.000"`` in
    CLP).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return _tidy(value)
    if isinstance(value, int):
        return value if is_json_integer(value) else _nearest(value)
    if isinstance(value, str):
        return _read_text(value, currency)
    return None


def is_ambiguous_amount(value: Any, currency: Any = None) -> bool:
    """Whether an amount was read with a dot for decimals that may stand for thousands.

    That is a single dot with three digits after it and no more than three before: ``"1.200"``.
    Of a currency with cents or of none it is read as 1.2, which may be wrong a thousand times.
    Where the currency has no minor unit or one of three digits it is clear.
    """
    if not isinstance(value, str):
        return False
    written = _take_out(value)
    return (
        written is not None
        and _DOT_AND_THREE.fullmatch(written.number) is not None
        and not has_no_minor_unit(currency)
        and not has_three_decimals(currency)
    )


def is_absent(value: Any) -> bool:
    """Whether a field says nothing of an amount: null, or text that is empty or blank."""
    return value is None or (isinstance(value, str) and not value.strip())


def _tidy(number: float) -> int | float | None:
    """Give a finite number in its plainest type."""
    if not math.isfinite(number):
        return None
    if number.is_integer() and abs(number) < EXACT_BELOW:
        return int(number)  # beyond, a float's own digits are fewer than those of the int
    return number


def _nearest(number: int) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None


def _read_text(text: str, currency: Any) -> int | float | None:
    written = _take_out(text)
    if written is None:
        return None
    match = _fitting(written.number, currency)
    if match is None:
        return None
    whole = "".join(filter(str.isdigit, match["whole"])).lstrip("0")
    part = (match["part"] or "").rstrip("0")
    sign = "-" if written.negative else ""
    if not part and len(whole) <= _EXACT_DIGITS:
        return int(f"{sign}{whole or 0}")
    return _tidy(float(f"{sign}{whole or 0}.{part}"))


def _fitting(number: str, currency: Any) -> re.Match[str] | None:
    """Tell thousands from decimals; None for what is no single number.

    Of two kinds of separator the last is the decimal one. A comma alone separates thousands
    when three digits follow each, or as in India, else decimals; apostrophes, spaces and several
    dots separate thousands; a single dot is decimal but where there are no cents.
    """
    if _DOT_AND_THREE.fullmatch(number) and not has_no_minor_unit(currency):
        return _DECIMAL.fullmatch(number)
    return _THOUSANDS.fullmatch(number) or _INDIAN.fullmatch(number) or _DECIMAL.fullmatch(number)


def _take_out(text: str) -> _Written | None:
    """Take the one number out of a text that has nothing else but its mark, sign and spaces."""
    text = text.translate(_INVISIBLE)
    found = _FROM_FIRST_TO_LAST_DIGIT.search(text)
    if found is None:
        return None
    start, end = found.span()
    if text[end : end + 1] in {".", ","}:
        end += 1
    # The point of ".50" is the number's, that of "Rs.50" and "S/.50" the mark's.
    lead = text[max(start - 2, 0) : start]
    if lead[-1:] in {".", ","} and not (lead[0].isalpha() or lead[0] == "/"):
        start -= 1
    negative = _is_negative("".join(text[:start].split()), "".join(text[end:].split()))
    if negative is None:
        return None
    return _Written(_SPACE.sub(" ", text[start:end].translate(_ONE_APOSTROPHE)), negative)


def _is_negative(before: str, after: str) -> bool | None:
    """Tell the sign from what stands around a number; None where it is no mark and no sign."""
    sign, before = _at_an_edge(f"+{_MINUS}(", before)
    if sign == "(":  # as accountants write what is owed
        closing, after = _at_an_edge(")", after)
        if not closing:
            return None
    if (before and not is_mark_before(before)) or (after and not is_mark_after(after)):
        return None
    return sign not in {"", "+"}


def _at_an_edge(wanted: str, text: str) -> tuple[str, str]:
    """Take one of the wanted characters off the beginning or the end of a text."""
    if text and text[0] in wanted:
        return text[0], text[1:]
    if text and text[-1] in wanted:
        return text[-1], text[:-1]
    return "", text
