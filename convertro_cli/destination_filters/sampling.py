"""Which messages a sample keeps: the same ones each time, told by a value.

Segment rolls dice where a filter names no field. A replay can be resumed, so it must not: the
caller gives a key of the message, and that is the value.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from hashlib import md5
from typing import Any

from convertro_cli.fql.values import as_counted, is_number


def fraction_of(value: Any) -> float:
    """Give a value's place from 0 to 1, as Segment's library makes it.

    The first 8 bytes of the MD5 of its compact JSON are a binary fraction, with the last bit
    set. What is kept is less than the sample's percent.
    """
    digest = md5(_compact(value), usedforsecurity=False).digest()
    return (int.from_bytes(digest[:8], "big") | 1) / 2**64


def _compact(value: Any) -> bytes:
    """Write JSON without spaces, as JavaScript does: at any depth, and whatever the strings are."""
    if isinstance(value, str):  # as nearly always
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    parts: list[str] = []
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Mark):
            parts.append(item)
        elif isinstance(item, dict):
            waiting.append(_Mark("}"))
            pairs = [
                (_Mark(f"{json.dumps(str(k), ensure_ascii=False)}:"), v) for k, v in item.items()
            ]
            waiting.extend(_with_commas(pairs))
            parts.append("{")
        elif isinstance(item, list):
            waiting.append(_Mark("]"))
            waiting.extend(_with_commas([(element,) for element in item]))
            parts.append("[")
        else:
            parts.append(_scalar(item))
    return "".join(parts).encode("utf-8", "replace")


class _Mark(str):
    """Text to write as it stands."""

    __slots__ = ()


def _with_commas(groups: list[Any]) -> list[Any]:
    """Give the groups' items last first, as a stack takes them, with a comma between two groups."""
    stack: list[Any] = []
    for place, group in enumerate(reversed(groups)):
        if place:
            stack.append(_Mark(","))
        stack.extend(reversed(group))
    return stack


def _scalar(value: Any) -> str:
    if is_number(value):
        number = as_counted(value)
        return _number(number) if isinstance(number, float) else str(number)
    return json.dumps(value, ensure_ascii=False, default=str)


def _number(value: float) -> str:
    """Write a float as JavaScript does: whole ones without a fraction, few with an exponent."""
    if not math.isfinite(value):
        return "null"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if 1e-6 <= abs(value) < 1e-4:
        return format(Decimal(repr(value)), "f")
    return repr(value).replace("e-0", "e-")
