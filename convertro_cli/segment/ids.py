"""Ids: strings as they are, numbers as their digits, everything else is no id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def read_id(value: Any) -> str | None:
    """Give the id that a value of a message stands for, or None where it is none.

    Empty and blank strings, null, booleans, objects and arrays are no ids.
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return plain_number(value)
    return None


def plain_number(value: float) -> str:
    """Write a number plainly: ``50.99``, ``12``, never ``12.0`` or ``1e-05``."""
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")
