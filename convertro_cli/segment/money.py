"""Amounts of money, as numbers or as the strings that people put into *total* and *revenue*."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Context
from typing import Any

EXACTLY = Context(prec=700)
"""Sums amounts without rounding: a JSON number has its digits between 1e308 and 5e-324."""

_LARGEST_EXACT_INTEGER = 2**53
_GROUPS_OF_THREE = re.compile(r"[^.,]+(?:[.,]\d{3})+", re.ASCII)
_PLAIN = re.compile(r"\d*(?:\.\d*)?", re.ASCII)
_SPACING = frozenset("'’")
_MINUS = frozenset("-\u2212")


def is_ambiguous_amount(value: Any, currency: Any = None) -> bool:
    return False


def read_amount(value: Any, currency: Any = None) -> int | float | None:
    """Read an amount; None where the value is none.

    A whole amount comes back as an int. Negative amounts are amounts; a negative zero, NaN, an
    infinity, a boolean, an object and a string that is no amount are not.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _tidy(value)
    if isinstance(value, str):
        return _read_text(value)
    return None


def _tidy(number: float) -> int | float | None:
    if not math.isfinite(number) or (number == 0 and math.copysign(1, number) < 0):
        return None
    if number.is_integer() and abs(number) < _LARGEST_EXACT_INTEGER:
        return int(number)
    return number


def _read_text(text: str) -> int | float | None:
    digits, negative = _without_signs(text)
    number = _decimal_point_only(digits)
    if not _PLAIN.fullmatch(number) or number in {"", "."}:
        return None
    return _tidy(-float(number) if negative else float(number))


def _without_signs(text: str) -> tuple[str, bool]:
    """Drop spaces, apostrophes and the currency sign, and take off a leading minus or plus.

    A currency sign between digits stays: in ``12€50`` it is the decimal separator, and dropping
    it would make a hundred times the amount.
    """
    kept = "".join(
        character for character in text if not (character.isspace() or character in _SPACING)
    )
    amount = _without_currency(kept)
    if amount[:1] in _MINUS:
        return _without_currency(amount[1:]), True
    return _without_currency(amount.removeprefix("+")), False


def _without_currency(text: str) -> str:
    if text and unicodedata.category(text[0]) == "Sc":
        return text[1:]
    if text and unicodedata.category(text[-1]) == "Sc":
        return text[:-1]
    return text


def _decimal_point_only(text: str) -> str:
    """Leave a point for the decimal separator and nothing for the thousands.

    Of two kinds of separator the last is the decimal one. A comma alone separates thousands
    when three digits follow each, else decimals; a single point is always decimal. What fits
    none of this comes back as it was, and is no plain number then.
    """
    dot, comma = text.rfind("."), text.rfind(",")
    if dot >= 0 and comma >= 0:
        decimal, thousands = (".", ",") if dot > comma else (",", ".")
        return text.replace(thousands, "").replace(decimal, ".")
    if comma >= 0:
        if _GROUPS_OF_THREE.fullmatch(text):
            return text.replace(",", "")
        return text.replace(",", ".")
    if text.count(".") > 1 and _GROUPS_OF_THREE.fullmatch(text):
        return text.replace(".", "")
    return text
