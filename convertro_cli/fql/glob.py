"""The patterns of ``match``: ``*``, ``?``, ``[abc]``, ``[a-z]``, ``[^a]`` and ``\\x``.

A pattern is cut at its stars into chunks, each of which matches a fixed number of characters.
Every chunk is then looked for once, as far to the left as it goes, so that no pattern makes the
time grow with a power of its stars, as a regular expression of the same meaning would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

LONGEST_PATTERN = 5 * 1024
"""Patterns longer than a condition can be (they come from a message) match nothing."""

Match = Callable[[str], bool]

_ANY = "(?s:.)"
_NOTHING = "(?!)"


class MalformedPatternError(ValueError):
    """A pattern with an open bracket, an empty one, or a backslash at its end."""


class _Chunk(NamedTuple):
    """What stands between two stars: plain text, or a regular expression of fixed width."""

    width: int
    text: str | None
    expression: re.Pattern[str]

    def at(self, value: str, place: int) -> bool:
        if self.text is not None:
            return value.startswith(self.text, place)
        return self.expression.match(value, place) is not None

    def find(self, value: str, start: int, end: int) -> int:
        """Give where the chunk ends that begins furthest to the left, or -1."""
        if self.text is not None:
            found = value.find(self.text, start, end)
            return -1 if found < 0 else found + self.width
        match = self.expression.search(value, start, end)
        return -1 if match is None else match.end()


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Match:
    """Compile a pattern into a test of whole strings; a malformed one matches none."""
    try:
        chunks = [_chunk(items) for items in _split(pattern)]
    except MalformedPatternError:
        return _never
    if len(chunks) == 1:
        only = chunks[0]
        return lambda value: len(value) == only.width and only.at(value, 0)
    first, middle, last = chunks[0], [chunk for chunk in chunks[1:-1] if chunk.width], chunks[-1]
    shortest = sum(chunk.width for chunk in chunks)

    def matches(value: str) -> bool:
        if len(value) < shortest or not first.at(value, 0):
            return False
        end = len(value) - last.width
        if not last.at(value, end):
            return False
        place = first.width
        for chunk in middle:
            place = chunk.find(value, place, end)
            if place < 0:
                return False
        return place <= end

    return matches


def match(value: str, pattern: str) -> bool:
    """Whether a pattern that is not known beforehand matches the whole of a string."""
    return len(pattern) <= LONGEST_PATTERN and compile_pattern(pattern)(value)


def _never(_: str) -> bool:
    return False


_Item = tuple[str | None, str]
"""One character of a chunk: itself where it is plain, and its regular expression."""


def _chunk(items: list[_Item]) -> _Chunk:
    plain = [character for character, _ in items if character is not None]
    text = "".join(plain) if len(plain) == len(items) else None
    return _Chunk(len(items), text, re.compile("".join(expression for _, expression in items)))


def _split(pattern: str) -> Iterator[list[_Item]]:
    items: list[_Item] = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        if character == "*":
            yield items
            items, place = [], place + 1
            continue
        if character == "[":
            expression, place = _class(pattern, place + 1)
            items.append((None, expression))
            continue
        if character == "?":
            items.append((None, _ANY))
        else:
            place, character = _escaped(pattern, place)
            items.append((character, _code(character)))
        place += 1
    yield items


def _class(pattern: str, place: int) -> tuple[str, int]:
    """Read a class from after its bracket; give its expression and the place after it."""
    negated = pattern.startswith("^", place)
    place += negated
    ranges: list[str] = []
    count = 0
    while not (count and pattern.startswith("]", place)):
        place, low = _member(pattern, place)
        high = low
        if pattern.startswith("-", place):
            place, high = _member(pattern, place + 1)
        if low <= high:
            ranges.append(f"{_code(low)}-{_code(high)}")
        count += 1
    if ranges:
        return f"[{'^' if negated else ''}{''.join(ranges)}]", place + 1
    return _ANY if negated else _NOTHING + _ANY, place + 1


def _member(pattern: str, place: int) -> tuple[int, str]:
    if place >= len(pattern) or pattern[place] in "-]":
        raise MalformedPatternError
    place, character = _escaped(pattern, place)
    return place + 1, character


def _escaped(pattern: str, place: int) -> tuple[int, str]:
    """Give the character that is meant, and where it stands: after a backslash, if there is one."""
    if pattern[place] == "\\":
        place += 1
        if place >= len(pattern):
            raise MalformedPatternError
    return place, pattern[place]


def _code(character: str) -> str:
    return f"\\U{ord(character):08x}"
