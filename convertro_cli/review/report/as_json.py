"""A report as one JSON object: its own fields, so that what it has is declared in one place.

The names of the fields are what programs read: whoever renames one breaks a contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from convertro_cli.segment.json_text import write_json

ASIDE: Mapping[str, Any] = {"aside": True}
"""The metadata of a field that only people are shown."""

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def write_report(report: object, number: Callable[[Decimal], object] = float) -> bytes:
    """Write a report, of dataclasses and named tuples, as one JSON object on a line.

    A field that has a default is left out while it is at that. Times are ISO 8601 in UTC.
    ``number`` gives an amount as it is written.
    """

    def default(value: object) -> object:
        if isinstance(value, Decimal):
            return number(value)
        if isinstance(value, date):
            return _moment(value, "%Y-%m-%dT%H:%M:%SZ")
        # Each apart: where one has what orjson cannot write, that one is mended.
        return orjson.Fragment(written(dict(_told(value))))

    def written(value: object) -> bytes:
        return write_json(value, default=default, option=_OPTIONS)

    return written(report) + b"\n"


def exactly(value: Decimal) -> orjson.Fragment:
    """Give an amount to be written with every digit."""
    return orjson.Fragment(format(value, "f"))


def _told(value: object) -> Iterator[tuple[str, object]]:
    """Give the fields of a part of a report that are to be written."""
    for name, found, default in _fields(value):
        if found != default:
            is_table = isinstance(found, Mapping)
            yield name, {_key(key): row for key, row in found.items()} if is_table else found


def _fields(value: object) -> Iterator[tuple[str, Any, object]]:
    """Give the name, the value and the default of each field; MISSING stands for no default."""
    if is_dataclass(value):
        for each in fields(value):
            if not each.metadata.get("aside"):
                made = each.default_factory
                default = each.default if made is MISSING else made()
                yield each.name, getattr(value, each.name), default
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        defaults: Mapping[str, object] = getattr(value, "_field_defaults")  # noqa: B009
        for name, found in zip(value._fields, value, strict=True):
            yield name, found, defaults.get(name, MISSING)
    else:
        raise TypeError(value)


def _key(key: object) -> object:
    return _moment(key, "%Y-%m-%dT%HZ") if isinstance(key, date) else key


def _moment(value: date, form: str) -> str:
    return value.strftime(form) if isinstance(value, datetime) else value.isoformat()
