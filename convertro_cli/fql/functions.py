"""What the functions of one operand give, for any JSON value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from convertro_cli.fql.values import type_name

NO_NUMBER = math.nan
"""The length of what has none: equal to nothing, and neither less nor more than anything."""


def length(value: Any) -> int | float:
    """Give a string's bytes in UTF-8, a list's elements, 0 for null, else ``NO_NUMBER``."""
    if value is None:
        return 0
    if isinstance(value, str):
        # A lone surrogate is no UTF-8; three bytes are what stands for it when it is written.
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return len(value) if isinstance(value, list) else NO_NUMBER


def _of_text(change: Callable[[str], str]) -> Callable[[Any], str | None]:
    return lambda value: change(value) if isinstance(value, str) else None


def _titlecase(text: str) -> str:
    """Begin each word with a capital and leave the rest as it is."""
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


OF_ONE: dict[str, Callable[[Any], Any]] = {
    "length": length,
    "typeof": type_name,
    "lowercase": _of_text(str.lower),
    "uppercase": _of_text(str.upper),
    "snakecase": _of_text(lambda text: text.replace(" ", "_")),
    "kebabcase": _of_text(lambda text: text.replace(" ", "-")),
    "titlecase": _of_text(_titlecase),
}
