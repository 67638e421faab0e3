"""When a message happened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeGuard

TIME_KEYS = ("timestamp", "originalTimestamp", "receivedAt", "sentAt")
"""Where a message carries its time, best first."""

COMPUTED = "receivedAt - (sentAt - originalTimestamp)"
"""How Segment makes ``timestamp``: the sender's clock is set right by the difference."""

EARLIEST = 946_684_800
"""2000-01-01: what lies before is a clock that was never set, no time of an event."""

DAY = 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS, _USUAL_MARKS = slice(7, 20, 3), "-T::."  # of 2024-03-01T10:20:30.500Z
_MILLISECONDS_FROM = 31_557_600_000  # a thousand years of seconds, or one of milliseconds
# What Python's own reader takes beyond ISO 8601 differs from version to version. The space before
# the offset is Ruby's. Few exports need it, so it is compiled where it is used.
_ISO = (
    r"(?a)(?P<date>\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d(?:-\d)?|\d{4}W\d{2,3})"
    r"(?:[T ](?P<hour>\d\d)"
    r"(?:(?P<colon>:?)(?P<minute>\d\d)"
    r"(?:(?P=colon)(?P<second>\d\d)(?:[.,](?P<part>\d+))?)?)?"
    r"(?: ?(?P<offset>Z|[+-]\d\d(?::?\d\d)?))?)?"
)


class UnreadableTimeError(ValueError):
    """A message has times, but none that can be read. ``keys`` are those that it has."""

    def __init__(self, *keys: str) -> None:
        super().__init__(*keys)
        self.keys = keys


class MessageTime(NamedTuple):
    """When a message happened, in whole Unix seconds.

    ``source`` is the key that the time is from, or ``COMPUTED``. ``passed_over`` names what came
    before it in turn and could not be used. ``after_receipt`` says that it lies more than a day
    after the message was received.
    """

    seconds: int
    source: str
    passed_over: tuple[str, ...] = ()
    after_receipt: bool = False


def read_message_time(message: Mapping[str, Any], latest: float) -> MessageTime | None:
    """Find when a message happened, or None where it carries no time at all.

    ``timestamp`` counts; without it what ``COMPUTED`` gives, where its three parts can be read;
    else the first of ``originalTimestamp``, ``receivedAt`` and ``sentAt``. A time before 2000 or
    after ``latest``, in Unix seconds, is passed over like one that cannot be read. Raises
    UnreadableTimeError where times are there and none can be used.
    """
    seconds = usual_time(message, latest)
    if seconds is not None:
        return MessageTime(seconds, "timestamp")
    moment = _since_epoch(message.get("timestamp"))
    if _is_sound(moment, latest):
        seconds = _whole_seconds(moment)
        late = _is_after(seconds, _since_epoch(message.get("receivedAt")), latest)
        return MessageTime(seconds, "timestamp", (), late)
    times = _times_of(message)
    if not times:
        return None
    moments = {key: _since_epoch(value) for key, value in times.items()}
    passed_over: list[str] = []
    for source, moment in _in_turn(moments):
        if _is_sound(moment, latest):
            seconds = _whole_seconds(moment)
            late = _is_after(seconds, moments.get("receivedAt"), latest)
            return MessageTime(seconds, source, tuple(passed_over), late)
        passed_over.append(source)
    raise UnreadableTimeError(*times)


def usual_time(message: Mapping[str, Any], latest: float) -> int | None:
    """Give the time of a message that has it where and as nearly every message has it.

    That is a ``timestamp`` and no earlier ``receivedAt``, both as Segment writes them; None for
    all else, which says nothing: ``read_message_time`` tells. Two such times are in order as they
    are written, so one of them need not be read; an offset is always less than the day allowed.
    """
    value: Any = message.get("timestamp")
    received: Any = message.get("receivedAt", value)
    try:
        if (
            value > received
            or value[_MARKS] != _USUAL_MARKS
            or received[_MARKS] != _USUAL_MARKS
            or value[23] != "Z"
        ):
            return None
        moment = datetime.fromisoformat(value) - _EPOCH
    except (TypeError, ValueError, LookupError):  # other types, no such day, too short
        return None
    seconds = moment.days * DAY + moment.seconds
    return seconds if EARLIEST <= seconds <= latest else None


def read_time(value: Any) -> int:
    """Read one time as whole Unix seconds, rounded down. Raises UnreadableTimeError.

    Read are ISO 8601 strings, in either case, with ``T`` or a space, without an offset as UTC;
    numbers, which are seconds below 31,557,600,000 and else milliseconds, as in Segment's own
    library; and strings of 10 digits (seconds) or 13 (milliseconds). ``24:00`` is the midnight
    that ends a day, and the leap second ``:60`` the first second of the next minute.
    """
    moment = _since_epoch(value)
    if moment is None:
        raise UnreadableTimeError
    return _whole_seconds(moment)


def _times_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Give the times that a message carries, best first. Null and empty text are none."""
    values = ((key, message.get(key)) for key in TIME_KEYS)
    return {key: value for key, value in values if value is not None and value != ""}


def _in_turn(moments: dict[str, timedelta | None]) -> Iterator[tuple[str, timedelta | None]]:
    """Give the times in the order in which they count, with the computed one in its place."""
    if "timestamp" in moments:
        yield "timestamp", moments["timestamp"]
    if all(key in moments for key in TIME_KEYS[1:]):
        yield COMPUTED, _compute(*(moments[key] for key in TIME_KEYS[1:]))
    yield from ((key, moments[key]) for key in TIME_KEYS[1:] if key in moments)


def _compute(
    original: timedelta | None, received: timedelta | None, sent: timedelta | None
) -> timedelta | None:
    if original is None or received is None or sent is None:
        return None
    try:
        return received - (sent - original)
    except OverflowError:
        return None


def _whole_seconds(moment: timedelta) -> int:
    return moment.days * DAY + moment.seconds


def _is_sound(moment: timedelta | None, latest: float) -> TypeGuard[timedelta]:
    return moment is not None and EARLIEST <= _whole_seconds(moment) <= latest


def _is_after(seconds: int, received: timedelta | None, latest: float) -> bool:
    """Whether a time is more than a day after a receipt that is itself a sound time."""
    return _is_sound(received, latest) and seconds > _whole_seconds(received) + DAY


def _since_epoch(value: Any) -> timedelta | None:
    """Read one time as the span since 1970; None where it is none."""
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _span(value, in_seconds=value < _MILLISECONDS_FROM)
    return None


def _span(number: float, *, in_seconds: bool) -> timedelta | None:
    try:
        return timedelta(seconds=number) if in_seconds else timedelta(milliseconds=number)
    except (OverflowError, ValueError):  # beyond all calendars, or no number
        return None


def _read_text(text: str) -> timedelta | None:
    if len(text) in {20, 24} and text[7:17:3] == "-T::" and text[-1] == "Z":  # as most are
        try:
            return datetime.fromisoformat(text) - _EPOCH
        except ValueError:
            pass
    if text.isascii() and text.isdigit() and len(text) in {10, 13}:
        return _span(int(text), in_seconds=len(text) == 10)
    match = re.fullmatch(_ISO, text.upper())
    if match is None:
        return None
    part = match["part"] or "0"
    hour, minute, second = (match[name] or "00" for name in ("hour", "minute", "second"))
    later = timedelta()
    if hour == "24" and not f"{minute}{second}{part}".strip("0"):
        hour, later = "00", timedelta(days=1)
    if second == "60":
        second, later = "59", timedelta(seconds=1)
    moment = f"{match['date']}T{hour}:{minute}:{second}.{part}{match['offset'] or 'Z'}"
    try:
        return datetime.fromisoformat(moment) - _EPOCH + later
    except (OverflowError, ValueError):
        return None
