"""One line of an export, through all the gates, to its calls or to the reason for none."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import orjson

from convertro_cli.mapping import cloud, web
from convertro_cli.mapping.calls import (
    SKIPPED,
    Invalid,
    InvalidReason,
    Mapped,
    MappingWarning,
    Outcome,
    SkipReason,
)
from convertro_cli.mapping.gates import SUPPORTED_TYPES, decide_mode, is_enabled, is_selected
from convertro_cli.mapping.rules import Rules
from convertro_cli.segment.times import UnreadableTimeError, read_message_time

_ARRAY_HINT = "a JSON array, not one message a line: jq -c '.[]' takes it apart"


def parse_line(line: bytes) -> dict[str, Any] | Invalid:
    """Parse one line of an export. ``detail`` of a fault has a place in the line, no content."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Invalid(InvalidReason.INVALID_JSON, _describe(error, line))
    if isinstance(value, dict):
        return value
    detail = _ARRAY_HINT if isinstance(value, list) else "a JSON value that is no object"
    return Invalid(InvalidReason.NOT_AN_OBJECT, detail)


def map_message(message: Mapping[str, Any], rules: Rules) -> Outcome:
    """Map one Segment message. Never raises, whatever the JSON object holds."""
    message_type = message.get("type")
    if not isinstance(message_type, str):
        return Invalid(InvalidReason.MISSING_TYPE, "no string 'type'")
    message_type = message_type.lower()
    if message_type not in SUPPORTED_TYPES:
        return SKIPPED[SkipReason.UNSUPPORTED_TYPE]
    if not is_enabled(message.get("integrations")):
        return SKIPPED[SkipReason.DISABLED_BY_INTEGRATIONS]
    time = message_time(message)
    timestamp = None if isinstance(time, Invalid) else time
    if rules.selection and not is_selected(
        rules.selection, message_type, message.get("event"), timestamp, message.get("receivedAt")
    ):
        return SKIPPED[SkipReason.FILTERED_OUT]
    warnings: list[MappingWarning] = []
    mode = decide_mode(rules.mode, message_type, message)
    if message_type == "track":
        track = web.track_calls if mode == "web" else cloud.track_calls
        calls = track(message, rules, timestamp or 0, warnings)
    else:
        identify = web.identify_calls if mode == "web" else cloud.identify_calls
        calls = identify(message, rules, timestamp or 0)
    if isinstance(calls, SkipReason):
        return SKIPPED[calls]
    return time if isinstance(time, Invalid) else Mapped(calls, warnings)


def message_time(message: Mapping[str, Any]) -> int | Invalid:
    """Give a message's time in whole Unix seconds, or what is wrong with it.

    There is no fallback to now: an event without a time of its own would be booked as
    happening on the day of the backfill.
    """
    try:
        found = read_message_time(message, inf)
    except UnreadableTimeError as error:
        return Invalid(InvalidReason.INVALID_TIMESTAMP, f"'{error.keys[0]}' is no ISO 8601 time")
    if found is None:
        return Invalid(InvalidReason.MISSING_TIMESTAMP, "no time of its own")
    return found.seconds


def _describe(error: orjson.JSONDecodeError, line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as fault:
        return f"not UTF-8 at byte {fault.start + 1}"
    return f"{error.msg} at character {error.pos + 1}"
