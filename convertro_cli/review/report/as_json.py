"""A report as one JSON object: its own fields, so that what it has is declared in one place.

The names of the fields are what programs read: whoever renames one breaks a contract. A part that
is written in another way than field by field says so itself, in a method ``as_json``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
from msgspec import NODEFAULT, Struct
from msgspec.structs import asdict

from convertro_cli.segment.json_text import write_json


def write_report(report: object, number: Callable[[Decimal], object] = float) -> bytes:
    """Write a report, of structs and named tuples, as one JSON object on a line.

    A field that has a default is left out while it is at that; an underscore behind its name is
    for Python only. A struct names in ``ASIDE`` the fields that only people are shown, and in
    ``SPREAD`` those whose own entries stand among the other fields. Counts come with the greatest
    first, and by two names as one table in another. Times are ISO 8601 in UTC. ``number`` gives
    an amount as it is written.
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
            return write_json(told, default=default, option=orjson.OPT_PASSTHROUGH_DATETIME)
        except orjson.JSONEncodeError:  # something is nested almost as deep as orjson goes
            return json.dumps(told, default=_told).encode()

    return written(report) + b"\n"


def exactly(value: Decimal) -> orjson.Fragment:
    """Give an amount to be written with every digit."""
    return orjson.Fragment(format(value, "f"))


def _told(value: object) -> dict[str, Any]:
    """Give what is to be written of a part of a report."""
    told: dict[str, Any] = {}
    spread = getattr(value, "SPREAD", ())
    for name, found in _fields(value):
        if isinstance(found, Counter):
            shown = _ranked(found)
        elif isinstance(found, Mapping):
            shown = {_key(key): row for key, row in found.items()}
        else:
            shown = found
        told |= shown if name in spread else {name.rstrip("_"): shown}
    return told


def _fields(value: Any) -> Iterable[tuple[str, Any]]:
    """Give the name and the value of each field that is to be written."""
    if hasattr(value, "as_json"):
        return _fields(value.as_json())
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, Struct):
        found, defaults = asdict(value), _defaults(type(value))
    else:
        found, defaults = value._asdict(), value._field_defaults
    aside = getattr(value, "ASIDE", ())
    return (
        (name, each)
        for name, each in found.items()
        if name not in aside and not (name in defaults and each == defaults[name])
    )


@cache
def _defaults(kind: type[Struct]) -> Mapping[str, object]:
    """Give the defaults of those fields of a struct that have one."""
    values = kind.__struct_defaults__
    named = zip(kind.__struct_fields__[-len(values) :], values, strict=True) if values else ()
    return {
        name: each.factory() if hasattr(each, "factory") else each
        for name, each in named
        if each is not NODEFAULT
    }


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
