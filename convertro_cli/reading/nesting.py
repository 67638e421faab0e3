"""Finds where the parts of a JSON array or object begin and end, in bytes and without parsing.

Only strings and nesting are looked at, so that a part keeps its own bytes, and a number in it
all its digits. Whether a part is sound JSON is for its reader to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

BLANK = b" \t\r\n"

# A string is passed over whole: a bracket or a comma in it means nothing. The quantifiers never
# give back what they took, so one that does not end costs no more than a look at each byte.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_BETWEEN_PARTS = re.compile(
    rb'[^",\[\]{}]*+(?:' + _STRING + rb'[^",\[\]{}]*+)*+([,\[\]{}])', re.DOTALL
)
_WITHIN_A_PART = re.compile(
    rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL
)
_KEY = re.compile(rb"\s*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_OPENING = b"[{"


class Parts:
    """Goes through an array or an object part by part, as far as its bytes have come.

    ``at`` is how far it is, and has to be moved along when bytes before it are dropped; ``start``
    is where the part begins that it is in. ``closed_by`` is the bracket that ends it all, once
    that was met.
    """

    def __init__(self, at: int) -> None:
        """Begin after the opening bracket, which lies before ``at``."""
        self.at = self.start = at
        self.closed_by: bytes | None = None
        self._depth = 1

    def go_on(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Give where each part begins and ends that is whole by now, blanks around it included.

        An empty array has one part, which is blank.
        """
        while self.closed_by is None:
            pattern = _BETWEEN_PARTS if self._depth == 1 else _WITHIN_A_PART
            found = pattern.match(data, self.at)
            if found is None:
                return
            self.at = found.end()
            mark = found[1]
            if mark == b",":
                yield self._part()
            elif mark in _OPENING:
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    self.closed_by = mark
                    yield self._part()

    def _part(self) -> tuple[int, int]:
        start, self.start = self.start, self.at
        return start, self.at - 1


def parts_of(data: bytes, closing: bytes) -> list[bytes] | None:
    """The parts of an array or object that is all of ``data``; None if it does not end there."""
    parts = Parts(1)
    found = [data[start:end].strip(BLANK) for start, end in parts.go_on(data)]
    if parts.closed_by != closing or parts.at != len(data):
        return None
    return [] if found == [b""] else found


def members_of(data: bytes) -> dict[bytes, bytes] | None:
    """The members of an object that is all of ``data``: each value's bytes by its key's.

    Keys are as they stand there, with their quotes. None where it is no object, as far as this
    looks.
    """
    parts = parts_of(data, b"}") if data.startswith(b"{") else None
    if parts is None:
        return None
    members = {}
    for part in parts:
        key = _KEY.match(part)
        if key is None:
            return None
        members[key[1]] = part[key.end() :]
    return members
