"""One line of JSON, read as RFC 8259 has it.

orjson reads nearly every line, and is several times faster than anything else. It departs from the
RFC in three places: it refuses half of a surrogate pair (a title cut inside an emoji) and a number
beyond the floats, and it rounds an integer beyond 64 bits to a float. A line with one of these is
mended so that orjson can read it, and what was mended is put into the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from math import inf, isinf
from typing import Any

import orjson

from convertro_cli.segment.ids import EXACT_BELOW, InexactNumberError, is_json_integer

# An escape, or a pair of them. Backslashes stand only in strings, so none but these are met in
# sound JSON, and in other JSON orjson finds the fault afterwards. The replacement is as long as
# what it replaces: places in the line stay where they are. (Few exports need it, nor the next two,
# so they are compiled where they are used.)
_ESCAPE = (
    rb"(?s)\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
# What may be a number, with all that is before it: strings are passed over whole (to the end, where
# nothing ends them). It fits at every place, so a line is gone through once.
_NEXT_NUMBER = (
    rb'(?s)(?P<before>(?:[^"0-9-]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|-(?![0-9]))*+)'
    rb"(?P<number>-?[0-9][0-9.eE+-]*+)?+"
)
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?P<parts>(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
_LONGEST_INTEGER = len(str(-(2**63)))
# In compact JSON as orjson writes it: a number of 16 digits, or with an exponent for a large one.
_LARGE = re.compile(rb"[:,\[]-?(?:[0-9]{16}|[0-9.]+e[+0-9])")


def read_json(line: bytes) -> Any:
    """Read one JSON value; a lone surrogate becomes U+FFFD, a number beyond the floats infinite.

    Integers beyond 64 bits may come as floats: ``read_json_exactly`` reads them again. Raises
    orjson.JSONDecodeError, a json.JSONDecodeError, with the fault and its place.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return read_json_exactly(line)


def read_json_exactly(line: bytes) -> Any:
    """Read one JSON value as ``read_json`` does, and every whole number with all its digits.

    A whole number of 2**53 or more comes as an int, however it is written; what else is so large
    as the nearest int. A number beyond the floats is infinite, but one of nothing but digits
    comes as a string of them: they may be an id, and such a number is of no use for arithmetic.
    No finite float of 2**53 or more is left. Raises orjson.JSONDecodeError.
    """
    if b"\\u" in line:
        line = re.sub(_ESCAPE, _whole_escape, line)
    marks: dict[float, Any] = {}
    marked = _replace_inexact(line, lambda number: _mark(number, marks))
    try:
        value = orjson.loads(marked)
    except orjson.JSONDecodeError:
        # The marks moved what follows them. A mere digit in each one's place moves nothing.
        orjson.loads(_replace_inexact(line, lambda number: b"1".ljust(len(number))))
        raise
    return _exchange(value, lambda found: marks.get(found, found)) if marks else value


def write_json(
    value: Any,
    *,
    sort_keys: bool = False,
    default: Callable[[Any], Any] | None = None,
    option: int = 0,
) -> bytes:
    """Write what was read as compact JSON; an infinite number is written as null.

    ``default`` and ``option`` are as orjson has them, for values that are no JSON. Raises
    orjson.JSONEncodeError where the value is nested too deep.
    """
    if sort_keys:
        option |= orjson.OPT_SORT_KEYS
    try:
        return orjson.dumps(value, default, option)
    except orjson.JSONEncodeError:
        return orjson.dumps(_exchange(value, _writable), default, option)


def write_to_compare(value: Any) -> bytes:
    """Write what was read in the one form that it has, whatever its spacing and order of keys.

    Raises InexactNumberError where digits of a number were lost in reading, for two values are
    not the same that only look alike without them; and orjson.JSONEncodeError as ``write_json``.
    """
    content = write_json(value, sort_keys=True)
    if _LARGE.search(content) and _is_rounded(value):
        raise InexactNumberError
    return content


def _is_rounded(value: Any) -> bool:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
        elif isinstance(found, float) and EXACT_BELOW <= abs(found) < inf:
            return True
    return False


def _whole_escape(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match["half"] else match[0]


def _replace_inexact(line: bytes, replace: Callable[[bytes], bytes]) -> bytes:
    """Replace each number of the line that orjson would refuse or round."""

    def replaced(match: re.Match[bytes]) -> bytes:
        number = match["number"]
        if number is None or not _is_inexact(number):
            return match[0]
        return match["before"] + replace(number)

    return re.sub(_NEXT_NUMBER, replaced, line)


def _is_inexact(text: bytes) -> bool:
    """Whether orjson reads this number as a float of 2**53 or more, or refuses its size.

    What is no number at all is left for orjson to refuse.
    """
    match = re.fullmatch(_NUMBER, text)
    if match is None or abs(float(text)) < EXACT_BELOW:
        return False
    if match["parts"] or len(text) > _LONGEST_INTEGER:
        return True
    return not is_json_integer(int(text))


def _mark(text: bytes, marks: dict[float, Any]) -> bytes:
    """Give a number to stand for another in the line, and note which one it stands for.

    All floats of this size are taken out of the line, so that none but the marks is left. The
    sign stays: two signs in a row must not become one.
    """
    sign = b"-" if text.startswith(b"-") else b""
    mark = b"%s%de100" % (sign, len(marks) + 1)
    marks[float(mark)] = _exact(text)
    return mark


def _exact(text: bytes) -> int | float | str:
    nearest = float(text)
    is_in_parts = not text.lstrip(b"-").isdigit()
    if isinf(nearest):
        return nearest if is_in_parts else text.decode()
    if not is_in_parts:
        return int(text)
    number = Decimal(text.decode())
    whole = int(number)
    return whole if whole == number else int(nearest)


def _writable(number: float) -> Any:
    if isinstance(number, float) or is_json_integer(number):
        return number
    return orjson.Fragment(str(number))


def _exchange(value: Any, exchange: Callable[[Any], Any]) -> Any:
    """Give a copy of a JSON value with each of its numbers exchanged.

    It goes from container to container and not into them, so that no depth is too much.
    """
    top: list[Any] = [value]
    copies: list[Any] = [top]
    while copies:
        copy = copies.pop()
        for key, child in list(copy.items() if isinstance(copy, dict) else enumerate(copy)):
            if isinstance(child, dict | list):
                copy[key] = child.copy()
                copies.append(copy[key])
            elif isinstance(child, int | float):
                copy[key] = exchange(child)
    return top[0]
