"""A report as one JSON object: its own fields, so that what it has is declared in one place.

The names of the fields are what programs read: whoever renames one breaks a contract. A part that
is written in another way than field by field says so itself, in a method ``as_json``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from convertro_cli.segment.json_text import write_json

ASIDE: Mapping[str, Any] = {"aside": True}
"""The metadata of a field that only people are shown."""

SPREAD: Mapping[str, Any] = {"spread": True}
"""The metadata of a field whose own entries stand among the other fields."""

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def write_report(report: object, number: Callable[[Decimal], object] = float) -> bytes:
    """Write a report, of dataclasses and named tuples, as one JSON object on a line.

    A field that has a default is left out while it is at that; an underscore behind its name is
    for Python only. Counts come with the greatest first, and by two names as one table in
    another. Times are ISO 8601 in UTC. ``number`` gives an amount as it is written.
    """

    def default(value: object) -> object:
        if isinstance(value, Decimal):
            return number(value)
        if isinstance(value, date):
            return _moment(value, "%Y-%m-%dT%H:%M:%SZ")
        # Each apart: where one has what orjson cannot write, that one is mended.
        return orjson.Fragment(written(value))

    def written(value: object) -> bytes:
        told = _told(value)
        try:
            return write_json(told, default=default, option=_OPTIONS)
        except orjson.JSONEncodeError:  # something is nested almost as deep as orjson goes
            return json.dumps(told, default=_told).encode()

    return written(report) + b"\n"


def exactly(value: Decimal) -> orjson.Fragment:
    """Give an amount to be written with every digit."""
    return orjson.Fragment(format(value, "f"))


def _told(value: object) -> dict[str, Any]:
    """Give what is to be written of a part of a report."""
    told: dict[str, Any] = {}
    for name, found, metadata in _fields(value):
        if isinstance(found, Counter):
            shown = _ranked(found)
        elif isinstance(found, Mapping):
            shown = {_key(key): row for key, row in found.items()}
        else:
            shown = found
        told |= shown if "spread" in metadata else {name.rstrip("_"): shown}
    return told


def _fields(value: Any) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Give the name and the value of each field that is to be written, and its metadata."""
    if is_dataclass(value) and not hasattr(value, "as_json"):
        for each in fields(value):
            found, made = getattr(value, each.name), each.default_factory
            default = each.default if made is MISSING else made()
            if found != default and "aside" not in each.metadata:
                yield each.name, found, each.metadata
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        defaults: Mapping[str, object] = getattr(value, "_field_defaults", {})
        for name, found in zip(value._fields, value, strict=True):
            if found != defaults.get(name, MISSING):
                yield name, found, {}
    else:
        table = value if isinstance(value, Mapping) else value.as_json()
        yield from ((name, found, {}) for name, found in table.items())


def _ranked(counts: Counter[Any]) -> dict[str, Any]:
    ranked: dict[str, Any] = {}
    for name, number in counts.most_common():
        if isinstance(name, tuple):
            ranked.setdefault(name[0], {})[name[1]] = number
        else:
            ranked[name] = number
    return ranked


def _key(key: Any) -> str:
    return _moment(key, "%Y-%m-%dT%HZ") if isinstance(key, date) else key


def _moment(value: date, form: str) -> str:
    return value.strftime(form) if isinstance(value, datetime) else value.isoformat()
