"""The values of the language, which are those of JSON: their types, and when two are equal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]

_NUMBER = (int, float)  # a union would be built at each call
_SMALLEST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**64 - 1


def is_number(value: Any) -> bool:
    """Whether a value is a number; a boolean is none."""
    return isinstance(value, _NUMBER) and value is not True and value is not False


def is_beyond_integers(number: float) -> bool:
    """Whether a number is beyond the integers of 64 bits, which readers of JSON keep whole."""
    return not _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER


def as_counted(number: float) -> float:
    """Give an integer beyond 64 bits as the float that stands for it.

    Segment counts in floats, and readers of JSON give the one or the other: which of them a
    message came as must not decide about it. Smaller integers keep their digits.
    """
    if isinstance(number, float) or not is_beyond_integers(number):
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def equal(left: Any, right: Any) -> bool:
    """Whether two values are of one type and equal.

    Lists are equal element by element, objects if they are the same JSON with their keys in the
    same order. No depth is too deep for it.
    """
    open_pairs = [(left, right)]
    while open_pairs:
        first, second = open_pairs.pop()
        if isinstance(first, list):
            if not isinstance(second, list) or len(first) != len(second):
                return False
            open_pairs.extend(zip(first, second, strict=True))
        elif isinstance(first, dict):
            if not isinstance(second, dict) or list(first) != list(second):
                return False
            open_pairs.extend(zip(first.values(), second.values(), strict=True))
        elif not _same(first, second):
            return False
    return True


def _same(first: Any, second: Any) -> bool:
    """Compare two values of which the first is neither a list nor an object."""
    if isinstance(first, bool) or first is None:
        return first is second
    if isinstance(first, str):
        return isinstance(second, str) and first == second
    return is_number(second) and as_counted(first) == as_counted(second)


def type_name(value: Any) -> str:
    """Give the name of a value's type, as Segment names it."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list):
        return "list"
    return "number" if is_number(value) else "object"
