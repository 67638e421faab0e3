"""When a message happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, isfinite
from typing import Any

TIME_KEYS = ("timestamp", "originalTimestamp", "receivedAt", "sentAt")
"""Where a message carries its time, best first."""

_LONGEST_DATE = len("2024-03-01")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799  # the end of the year 9999


class UnreadableTimeError(ValueError):
    """A message has a time, but not one that can be read."""


def find_time(message: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Give the first time that a message carries, as its key and raw value, or None."""
    for key in TIME_KEYS:
        value = message.get(key)
        if value is not None and value != "":
            return key, value
    return None


def read_time(value: Any) -> int:
    """Read an ISO 8601 string or epoch milliseconds as whole Unix seconds.

    A time without an offset is taken as UTC. Raises UnreadableTimeError, for a time before 1970
    too.
    """
    if not isinstance(value, str):
        return _read_milliseconds(value)
    if len(value) > _LONGEST_DATE and not ("T" in value or " " in value or "t" in value):
        # Python takes any character between date and time, so that epoch milliseconds in
        # quotes would be read as a day of the Middle Ages.
        raise UnreadableTimeError
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - _EPOCH
    except (ValueError, OverflowError):
        raise UnreadableTimeError from None
    days = since.days
    if days < 0:
        raise UnreadableTimeError  # before 1970: a clock that was not set, no time of an event
    return days * 86_400 + since.seconds


def _read_milliseconds(value: Any) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        seconds = floor(value / 1000)
        if 0 <= seconds <= _LAST_SECOND:
            return seconds
    raise UnreadableTimeError
