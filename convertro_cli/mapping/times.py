"""The time of a message's calls, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convertro_cli.mapping.calls import Invalid, InvalidReason, MappingWarning
from convertro_cli.mapping.trail import MISSING, Note, PassedOver, Trail
from convertro_cli.segment.times import (
    COMPUTED,
    TIME_KEYS,
    MessageTime,
    UnreadableTimeError,
    read_message_time,
)


def message_time(message: Mapping[str, Any], latest: float) -> MessageTime | Invalid:
    """Give a message's time, or what is wrong with it. ``latest`` is in Unix seconds.

    There is no fallback to now: an event without a time of its own would be booked as
    happening on the day of the backfill.
    """
    try:
        time = read_message_time(message, latest)
    except UnreadableTimeError as fault:
        keys = " and ".join(f"'{key}'" for key in fault.keys)
        return Invalid(InvalidReason.INVALID_TIMESTAMP, f"no time that can be used in {keys}")
    if time is None:
        return Invalid(InvalidReason.MISSING_TIMESTAMP, "no time of its own")
    return time


def time_warnings(time: MessageTime) -> list[MappingWarning]:
    """Name what is to be said of a time: others that were passed over, or that it is late."""
    warnings = [MappingWarning.UNREADABLE_TIME] if time.passed_over else []
    if time.after_receipt:
        warnings.append(MappingWarning.TIME_AFTER_RECEIPT)
    return warnings


def tell_time(trail: Trail, message: Mapping[str, Any], time: MessageTime | Invalid) -> None:
    """Note where the time is from, or why there is none."""
    if isinstance(time, Invalid):
        there = [key for key in TIME_KEYS if message.get(key) is not None and message[key] != ""]
        trail.note(
            Note(
                "time",
                "stopped",
                path=(there[0],) if there else (),
                evidence=message[there[0]] if there else MISSING,
                passed_over=tuple(PassedOver((key,), message[key]) for key in there[1:]),
                reason=time.reason,
            )
        )
        return
    last = "originalTimestamp" if time.source == COMPUTED else time.source
    before = TIME_KEYS[: TIME_KEYS.index(last)]
    trail.note(
        Note(
            "time",
            "passed",
            "after receipt" if time.after_receipt else "",
            value=time.seconds,
            path=(time.source,),
            passed_over=tuple(
                PassedOver((key,), message[key] if key in time.passed_over else MISSING)
                for key in before
            ),
            fields=("timestamp",),
        )
    )
