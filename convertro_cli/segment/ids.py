"""Ids: strings as they are, numbers as their digits, everything else is no id."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Any

EXACT_BELOW = 2**53
"""From here on a float stands for several whole numbers, and which one was meant is lost."""

_SMALLEST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**64 - 1


class InexactNumberError(ValueError):
    """An id is a number whose digits were lost in reading; ``read_json_exactly`` keeps them."""


def read_id(value: Any) -> str | None:
    """Give the id that a value of a message stands for, or None where it is none.

    Empty and blank strings, null, booleans, objects, arrays and infinite numbers are no ids.
    Raises InexactNumberError for a finite float of 2**53 or more: the message must be read
    again, exactly, and then there is none in it.
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        if not isfinite(value):
            return None
        if abs(value) >= EXACT_BELOW:
            raise InexactNumberError
        return plain_number(value)
    return plain_number(value) if isinstance(value, int) else None


def has_id(value: Any) -> bool:
    """Whether a value can be used as an id, be its digits lost in reading or not."""
    try:
        return read_id(value) is not None
    except InexactNumberError:
        return True


def is_json_integer(value: object) -> bool:
    """Whether this is an integer that orjson reads and writes: one of at most 64 bits."""
    return isinstance(value, int) and _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER


def plain_number(value: float) -> str:
    """Write a number plainly: ``50.99``, ``12``, never ``12.0`` or ``1e-05``."""
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")
