"""The lines of a saved dry run, read as what a message became then."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from convertro_cli.mapping.calls import InvalidReason, SkipReason
from convertro_cli.reading.paths import quoted
from convertro_cli.review.diff.calls import Fields, ShownCall
from convertro_cli.review.diff.compare import WhichMessage
from convertro_cli.review.diff.saved import SavedLine
from convertro_cli.review.diff.tally import OneSide
from convertro_cli.segment.json_text import read_json, read_json_exactly, write_json

_KINDS = frozenset({"event", "user", "install"})
_REASONS = frozenset(reason.value for reason in (*SkipReason, *InvalidReason))
_MANY_DIGITS = re.compile(rb"[0-9]{20}")
_DAY = 86_400
_LATEST = 253_402_300_799 + _DAY  # the end of the year 9999, in any zone


class SavedLineError(ValueError):
    """A saved line is of no dry run; says in a few words what is wrong with it."""


class SavedMessage(NamedTuple):
    """Which message it was, but for its event's name, and what it became in a saved run."""

    which: WhichMessage
    side: OneSide


def read_message(lines: Sequence[SavedLine]) -> SavedMessage:
    """Read the lines of one message. Raises SavedLineError."""
    try:
        return _read([line.content for line in lines])
    except SavedLineError as error:
        place = quoted(lines[0].place)
        raise SavedLineError(f"has a line for {place} that {error}") from None


def _read(lines: Sequence[bytes]) -> SavedMessage:
    calls = []
    reason: str | None = None
    said: Fields | None = None
    for line in lines:
        fields = _parse(line)
        source, message_id = fields.pop("source"), fields.pop("message_id", None)
        if "call" in fields:
            _check_call(fields)
            repeat = fields.pop("repeat", None)
            if repeat is None:
                calls.append(ShownCall(fields=fields))
            elif not calls:
                reason = "already_failed" if repeat == "failed" else "already_delivered"
        else:
            reason, said = _reason(fields), fields
    if not isinstance(message_id, str | None):
        raise SavedLineError("has a message id that is no text")
    side = OneSide(calls) if calls else OneSide(reason=reason, line=said)
    return SavedMessage(WhichMessage(source, message_id, None), side)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = read_json(line)
        if isinstance(fields, dict) and _MANY_DIGITS.search(line):
            # Ids and traits keep their digits; a value was written as a float, and read as one.
            value = {name: fields[name] for name in ("event_value",) if name in fields}
            fields = read_json_exactly(line) | value
    except orjson.JSONDecodeError:
        raise SavedLineError("is no JSON object (was it cut short?)") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("source"), str):
        raise SavedLineError("names no source")
    return fields


def _reason(fields: Fields) -> str:
    """Tell why a message was not sent; a reason that is not known here is one of *other*."""
    reason = fields.get("skip", fields.get("invalid"))
    if not isinstance(reason, str):
        raise SavedLineError("is neither a call nor a reason for none")
    return reason if reason in _REASONS else "other"


def _check_call(fields: Fields) -> None:
    if fields["call"] not in _KINDS:
        raise SavedLineError("is of an unknown call")
    timestamp = fields.get("timestamp")
    if type(timestamp) is not int or not 0 <= timestamp <= _LATEST:
        raise SavedLineError("has no timestamp")
    if fields["call"] == "event":
        if not isinstance(fields.get("event_type"), str):
            raise SavedLineError("has no event type")
        if type(fields.get("event_value")) not in {int, float}:
            raise SavedLineError("has no event value")
    try:
        write_json(fields.get("traits"))
    except orjson.JSONEncodeError:
        raise SavedLineError("is nested too deep") from None
