"""Properties, found under any spelling that Segment takes for the same name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256
_canonical: dict[str, str] = {}
_MOST_SHAPES = 1024
_LONGEST_SHAPE = 1024


def canonical(key: str) -> str:
    """Give the form in which property names are compared: letters and digits, lowercase.

    Exports repeat a few spellings millions of times, so each is worked out once; a bound keeps
    an export with endless different keys from filling the memory.
    """
    form = _canonical.get(key)
    if form is None:
        form = "".join(filter(str.isalnum, key)).lower()
        if len(key) <= _LONGEST_REMEMBERED:
            if len(_canonical) >= _MOST_REMEMBERED:
                _canonical.clear()
            _canonical[key] = form
    return form


def find_properties(properties: Mapping[str, Any], wanted: frozenset[str]) -> dict[str, str]:
    """Find under which of its own keys an object holds each wanted property.

    ``wanted`` are canonical names; the answer maps each one found to the key as it is spelt in
    the object. Where several spellings are there, the first in the object's own order counts.
    """
    found: dict[str, str] = {}
    for key in properties:
        form = _canonical.get(key) or canonical(key)
        if form in wanted and form not in found:
            found[form] = key
    return found


class Lookup:
    """Finds the same few properties in one object after the other.

    ``wanted`` are canonical names. Objects of one sort of event have the same keys in the same
    order, so where the wanted ones stand is worked out once for each such shape, within a bound.
    """

    def __init__(self, *wanted: str) -> None:
        self._wanted = wanted
        self._known: dict[tuple[str, ...], tuple[Any, ...]] = {}

    def values(self, properties: Mapping[str, Any]) -> list[Any]:
        """Give the value of each wanted property, None for what the object does not have."""
        return [*map(properties.get, self.keys(properties))]

    def keys(self, properties: Mapping[str, Any]) -> tuple[Any, ...]:
        """Give the key of each wanted property as the object spells it, None where it has none."""
        shape = tuple(properties)
        keys = self._known.get(shape)
        return self._learn(shape, properties) if keys is None else keys

    def _learn(self, shape: tuple[str, ...], properties: Mapping[str, Any]) -> tuple[Any, ...]:
        found = find_properties(properties, frozenset(self._wanted))
        keys = tuple(found.get(name) for name in self._wanted)  # None is no object's key
        if sum(map(len, shape)) <= _LONGEST_SHAPE:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            self._known[shape] = keys
        return keys
