"""Properties, found under any spelling that Segment takes for the same name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256
_canonical: dict[str, str] = {}


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
