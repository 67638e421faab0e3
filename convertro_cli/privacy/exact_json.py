"""JSON whose ids keep all their digits and characters, for lists and dead letters.

The mapping reads JSON faster, and comes to the same ids.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any

from convertro_cli.segment.ids import read_id

_EXACT_BELOW = 2**53
_SURROGATE = re.compile("[\ud800-\udfff]")


def _number(text: str) -> float | str:
    """Give a number with a point or an exponent; as its digits where a float has too few."""
    number = float(text)
    if not isfinite(number) or abs(number) < _EXACT_BELOW:
        return number
    digits = format(Decimal(text), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


DECODER = json.JSONDecoder(parse_float=_number)


def id_of(value: Any) -> str | None:
    """Give the id that a decoded value stands for, None where it is none.

    Half of a character, cut inside a surrogate pair, counts as U+FFFD, as in the mapping.
    """
    user_id = read_id(value)
    return None if user_id is None else _SURROGATE.sub("\ufffd", user_id)
