"""When a message happened."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convertro_cli.segment.times import (
    COMPUTED,
    DAY,
    EARLIEST,
    TIME_KEYS,
    MessageTime,
    UnreadableTimeError,
    read_message_time,
    read_time,
    usual_time,
)

# 2024-03-01T10:20:30Z, worked out by `date -u -d 2024-03-01T10:20:30Z +%s`
MOMENT = 1709288430
MIDNIGHT = MOMENT - 37230
LATEST = 1_800_000_000.0

READABLE: list[tuple[Any, int]] = [
    ("2024-03-01T10:20:30Z", MOMENT),
    ("2024-03-01T10:20:30.500Z", MOMENT),
    ("2024-03-01T10:20:30.999999999Z", MOMENT),
    ("2024-03-01T10:20:30." + "9" * 100 + "Z", MOMENT),
    ("2024-03-01T10:20:30,5Z", MOMENT),
    ("2024-03-01T10:20:30", MOMENT),
    ("2024-03-01 10:20:30Z", MOMENT),
    ("2024-03-01 10:20:30", MOMENT),
    ("2024-03-01t10:20:30z", MOMENT),
    ("2024-03-01t10:20:30.000z", MOMENT),
    ("2024-03-01T10:20:30+00:00", MOMENT),
    ("2024-03-01T12:20:30+02:00", MOMENT),
    ("2024-03-01T12:20:30+02", MOMENT),
    ("2024-03-01T05:50:30-0430", MOMENT),
    ("2024-03-01 10:20:30 +0000", MOMENT),
    ("20240301T102030Z", MOMENT),
    ("20240301T102030.5Z", MOMENT),
    ("2024-W09-5T10:20:30Z", MOMENT),
    ("2024W095T102030Z", MOMENT),
    ("2024-W09", MIDNIGHT - 4 * DAY),
    ("2024-03-01T10:20Z", MOMENT - 30),
    ("2024-03-01T10", MOMENT - 1230),
    ("2024-03-01", MIDNIGHT),
    ("20240301", MIDNIGHT),
    # the end of a day, and the second that is put in before it
    ("2024-02-29T24:00:00Z", MIDNIGHT),
    ("2024-02-29T24:00", MIDNIGHT),
    ("2024-02-29T24:00:00.000Z", MIDNIGHT),
    ("2016-12-31T23:59:60Z", 1483228800),
    ("2016-12-31T23:59:60.7Z", 1483228800),
    ("2017-01-01T01:59:60+02:00", 1483228800),
    # before there were computers, too: what is sound is for the message's time to say
    ("1970-01-01T00:00:00Z", 0),
    ("1969-12-31T23:59:59.500Z", -1),
    ("0001-01-01T00:00:00Z", -62135596800),
    ("0001-01-01T00:00:00+23:00", -62135596800 - 23 * 3600),
    ("9999-12-31T24:00:00Z", 253402300800),
    # numbers: seconds, and milliseconds from 31,557,600,000
    (0, 0),
    (999, 999),
    (1709288430, MOMENT),
    (1709288430.9, MOMENT),
    (31_557_599_999, 31_557_599_999),
    (31_557_600_000, 31_557_600),
    (1709288430500, MOMENT),
    (1709288430500.9, MOMENT),
    (-1, -1),
    (-0.5, -1),
    ("1709288430", MOMENT),
    ("1709288430500", MOMENT),
    ("0000000001", 1),
    ("0000000001000", 1),
    # Python alone would take these epoch milliseconds for days of the years 1612 and 1701.
    ("1612121512340", 1612121512),
    ("1701011212345", 1701011212),
]

UNREADABLE: list[Any] = [
    None,
    "",
    "yesterday",
    "2024",
    "2024-03",
    "2024-061",
    "2024-13-01T10:20:30Z",
    "2024-02-30T10:20:30Z",
    "2024-02-30T10:20:30.000Z",
    "2024-03-01T25:00:00Z",
    "2024-03-01T24:00:01Z",
    "2024-03-01T24:00:00.1Z",
    "2024-03-01T24:01Z",
    "2024-03-01T10:20:61Z",
    "2024-03-01T10:60Z",
    "2024-03-01T",
    "2024-03-01T10:20:30.Z",
    "2024-03-01T10:20.5Z",
    "2024-03-01T10.5Z",
    "2024-03-01T10:2030Z",
    "2024-03-01T1020:30Z",
    "2024-03-01Z",
    "2024-03-01T10:20:30+25:00",
    "2024-03-01T10:20:30Zulu",
    "2024-03-01T10:20:30 UTC",
    "2024-03-01  10:20:30Z",
    "2024-03-01_10:20:30Z",
    " 2024-03-01T10:20:30Z",
    "2024-03-01T10:20:30Z\n",
    "01/03/2024",
    "Fri, 01 Mar 2024 10:20:30 GMT",
    "2024-03-01x10:20:30Z",
    "2024-03-01x10:20:30.000Z",
    "٢٠٢٤-03-01",
    "170928843",
    "17092884300",
    "1709288430.5",
    "-1709288430",
    "١٧٠٩٢٨٨٤٣٠",
    True,
    False,
    {},
    [],
    ["2024-03-01T10:20:30Z"],
    1e300,
    -1e300,
    10**30,
    10**400,
    float("nan"),
    float("inf"),
    float("-inf"),
]

ISO = st.datetimes(min_value=datetime(1999, 12, 30), max_value=datetime(2027, 3, 1)).map(
    lambda moment: moment.isoformat(timespec="milliseconds") + "Z"
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ZONED = st.datetimes(
    min_value=datetime(1999, 12, 30), max_value=datetime(2027, 3, 1), timezones=ZONES
).map(datetime.isoformat)
ANY_TIME = (
    st.none()
    | ISO
    | ZONED
    | st.sampled_from(["", "soon", "9999-05-28 13:13:23.260", 0, True, {}, "20240301T102030.1234Z"])
    | st.sampled_from(["2024-W09-5T10:20:30.500Z", "2024-W10", "1709288430", 1709288430500, [1]])
    | st.floats(9e8, 2e9)
)
MESSAGES = st.fixed_dictionaries({}, optional=dict.fromkeys(TIME_KEYS, ANY_TIME))


def at(seconds: float) -> str:
    """A moment as Segment writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def worked_out(message: dict[str, Any], latest: float) -> Any:
    """The message's time by the letter of the rules, in steps: the time, or the keys there."""

    def read(key: str) -> float | None:
        with contextlib.suppress(UnreadableTimeError):
            return read_time(message.get(key))
        return None

    def sound(seconds: float | None) -> bool:
        return seconds is not None and EARLIEST <= seconds <= latest

    there = [key for key in TIME_KEYS if message.get(key) not in (None, "")]
    found = {key: read(key) for key in there}
    turn = [(key, found[key]) for key in there]
    if {"originalTimestamp", "receivedAt", "sentAt"} <= set(there):
        parts = [found[key] for key in ("receivedAt", "sentAt", "originalTimestamp")]
        received, sent, original = (0 if part is None else part for part in parts)
        computed = None if None in parts else received - (sent - original)
        turn.insert("timestamp" in there, (COMPUTED, computed))
    for place, (source, seconds) in enumerate(turn):
        if sound(seconds):
            receipt = found.get("receivedAt")
            late = sound(receipt) and seconds > receipt + DAY  # type: ignore[operator]
            return MessageTime(seconds, source, tuple(key for key, _ in turn[:place]), late)  # type: ignore[arg-type]
    return tuple(there) or None


@pytest.mark.parametrize(("value", "seconds"), READABLE, ids=lambda value: ascii(value)[:40])
def test_times_that_are_read(value: Any, seconds: int) -> None:
    """ISO 8601, numbers and strings of 10 or 13 digits give whole Unix seconds, rounded down."""
    assert read_time(value) == seconds


@pytest.mark.parametrize("value", UNREADABLE, ids=lambda value: ascii(value)[:40])
def test_everything_else_is_no_time(value: Any) -> None:
    """What is no time is told, and never taken for another day."""
    with pytest.raises(UnreadableTimeError):
        read_time(value)


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),
    ZONES,
    st.sampled_from("Tt "),
)
def test_any_moment_in_any_zone(moment: datetime, zone: timezone, between: str) -> None:
    """The offset counts, and parts of a second are dropped."""
    aware = moment.replace(tzinfo=zone)
    whole = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert read_time(aware.isoformat(between)) == whole


@given(st.text(alphabet="0123456789-T:Z+. W", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_time_or_told(text: str) -> None:
    """No text raises anything but the error that it is no time."""
    with contextlib.suppress(UnreadableTimeError):
        assert isinstance(read_time(text), int)


def test_a_megabyte_is_judged_at_once() -> None:
    """The time that a long text takes grows no faster than its length."""
    for text in ("2" * 1_000_000, "2024-03-01T10:20:30." + "1" * 1_000_000, " " * 1_000_000):
        with contextlib.suppress(UnreadableTimeError):
            assert read_time(text) == MOMENT


SKEWED = {"originalTimestamp": at(MOMENT), "sentAt": at(MOMENT + 30), "receivedAt": at(MOMENT + 90)}


@pytest.mark.parametrize(
    ("message", "seconds", "source", "passed_over"),
    [
        ({"timestamp": at(MOMENT), **SKEWED}, 0, "timestamp", ()),
        ({"timestamp": at(MOMENT)}, 0, "timestamp", ()),
        (SKEWED, 60, COMPUTED, ()),
        ({**SKEWED, "timestamp": ""}, 60, COMPUTED, ()),
        ({**SKEWED, "timestamp": None}, 60, COMPUTED, ()),
        ({**SKEWED, "timestamp": "soon"}, 60, COMPUTED, ("timestamp",)),
        ({**SKEWED, "timestamp": 0}, 60, COMPUTED, ("timestamp",)),
        ({**SKEWED, "timestamp": False}, 60, COMPUTED, ("timestamp",)),
        ({**SKEWED, "sentAt": None}, 0, "originalTimestamp", ()),
        ({**SKEWED, "sentAt": "soon"}, 0, "originalTimestamp", (COMPUTED,)),
        ({**SKEWED, "receivedAt": None}, 0, "originalTimestamp", ()),
        ({**SKEWED, "originalTimestamp": None}, 90, "receivedAt", ()),
        (
            {**SKEWED, "originalTimestamp": "soon"},
            90,
            "receivedAt",
            (COMPUTED, "originalTimestamp"),
        ),
        ({"sentAt": at(MOMENT)}, 0, "sentAt", ()),
        ({"sentAt": at(MOMENT), "receivedAt": "soon"}, 0, "sentAt", ("receivedAt",)),
        # A clock that stood in 1970 is set right by the difference.
        (
            {"originalTimestamp": 5, "sentAt": 35, "receivedAt": at(MOMENT + 90)},
            60,
            COMPUTED,
            (),
        ),
        # The computed time has the same bounds.
        (
            {"originalTimestamp": at(MOMENT), "sentAt": at(1.75e9), "receivedAt": EARLIEST},
            0,
            "originalTimestamp",
            (COMPUTED,),
        ),
        (
            {"timestamp": at(MOMENT) + "!", "receivedAt": at(MOMENT)},
            0,
            "receivedAt",
            ("timestamp",),
        ),
    ],
)
def test_where_the_time_is_from(
    message: dict[str, Any], seconds: int, source: str, passed_over: tuple[str, ...]
) -> None:
    """timestamp, else what Segment would make of the three others, else the first readable one."""
    found = read_message_time(message, LATEST)
    assert found is not None
    assert found[:3] == (MOMENT + seconds, source, passed_over)


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [
        (EARLIEST - 1, False),
        (EARLIEST, True),
        (int(LATEST), True),
        (int(LATEST) + 1, False),
    ],
)
@pytest.mark.parametrize("key", TIME_KEYS)
@pytest.mark.parametrize("write", [at, int])
def test_the_bounds_of_a_time(seconds: int, is_taken: bool, key: str, write: Any) -> None:
    """Before 2000 and after the latest moment a time is passed over, whatever it is from."""
    message = {key: write(seconds)}
    if is_taken:
        assert read_message_time(message, LATEST) == MessageTime(seconds, key)
    else:
        with pytest.raises(UnreadableTimeError) as caught:
            read_message_time(message, LATEST)
        assert caught.value.keys == (key,)


def test_the_first_time_that_counts_is_the_year_2000() -> None:
    """A second before it is a clock that was never set."""
    found = read_message_time({"timestamp": "2000-01-01T00:00:00Z"}, LATEST)
    assert found == MessageTime(946684800, "timestamp")
    with pytest.raises(UnreadableTimeError):
        read_message_time({"timestamp": "1999-12-31T23:59:59Z"}, LATEST)


def test_times_of_which_none_can_be_read() -> None:
    """The error names the keys that are there, best first."""
    with pytest.raises(UnreadableTimeError) as caught:
        read_message_time({"sentAt": "x", "timestamp": 0, "receivedAt": None}, LATEST)
    assert caught.value.keys == ("timestamp", "sentAt")


@pytest.mark.parametrize("message", [{}, {"timestamp": None}, {"sentAt": ""}, {"time": 5}])
def test_a_message_without_any_time(message: dict[str, Any]) -> None:
    """Null, empty text and other keys are no time."""
    assert read_message_time(message, LATEST) is None


@pytest.mark.parametrize(
    ("timestamp", "received", "is_after"),
    [
        (at(MOMENT), at(MOMENT), False),
        (at(MOMENT), at(MOMENT - DAY), False),
        (at(MOMENT), at(MOMENT - DAY - 1), True),
        (at(MOMENT), at(MOMENT - 90 * DAY), True),
        (at(MOMENT), at(MOMENT + 90 * DAY), False),
        (at(MOMENT), "soon", False),
        (at(MOMENT), "", False),
        (at(MOMENT), None, False),
        (at(MOMENT), 0, False),
        (at(MOMENT), MOMENT - 2 * DAY, True),
        (MOMENT, at(MOMENT - 2 * DAY), True),
        # in other zones and forms a text that is greater may be the earlier time
        ("2024-03-01T23:00:00.000-12:00", "2024-03-01T23:30:00.000+14:00", True),
        ("2024-03-01T23:00:00.000-12:00", "2024-03-01T23:30:00.000Z", False),
        (at(MOMENT), "20240201T102030.1234567Z", True),
        (at(MOMENT), "2024-W05-4T10:20:30.500Z", True),
        ("2023-W52-7T10:20:30.500Z", "2024-01-01T10:20:30.500Z", False),
        ("2020-W53-7T10:20:30.500Z", "2021-01-01T10:20:30.500Z", True),
    ],
)
def test_a_time_long_after_its_receipt(timestamp: Any, received: Any, is_after: bool) -> None:
    """More than a day after a receivedAt that can be read is told."""
    found = read_message_time({"timestamp": timestamp, "receivedAt": received}, LATEST)
    assert found is not None
    assert found.source == "timestamp"
    assert found.after_receipt == is_after


def test_a_computed_time_after_its_receipt() -> None:
    """The other times are held against the receipt, too."""
    message = {"originalTimestamp": at(MOMENT + 2 * DAY), "receivedAt": at(MOMENT)}
    found = MessageTime(MOMENT + 2 * DAY, "originalTimestamp", (), True)
    assert read_message_time(message, LATEST) == found
    message |= {"sentAt": at(MOMENT)}
    assert read_message_time(message, LATEST) == found._replace(source=COMPUTED)


@given(MESSAGES, st.sampled_from([LATEST, 1.71e9]))
@example({"timestamp": at(MOMENT), "receivedAt": at(MOMENT - 2 * DAY)}, LATEST)
def test_any_times_are_read_by_the_rules(message: dict[str, Any], latest: float) -> None:
    """The quick way and the long one give what the rules say step by step."""
    wanted = worked_out(message, latest)
    try:
        found: Any = read_message_time(message, latest)
    except UnreadableTimeError as error:
        found = error.keys
    if isinstance(found, MessageTime) and found.source == COMPUTED:
        # It was worked out from whole seconds, and their parts may make one more.
        wanted = wanted._replace(seconds=found.seconds) if abs(wanted[0] - found[0]) < 2 else wanted
    assert found == wanted
    usual = usual_time(message, latest)
    assert usual is None or found == MessageTime(usual, "timestamp")


@given(ISO, ISO)
def test_usual_times_are_told_at_a_glance(timestamp: str, received: str) -> None:
    """As Segment writes them, times in order need no more than a look."""
    message = {"timestamp": timestamp, "receivedAt": received}
    seconds = read_time(timestamp)
    is_usual = timestamp <= received and EARLIEST <= seconds <= LATEST
    assert usual_time(message, LATEST) == (seconds if is_usual else None)
    assert usual_time({"timestamp": timestamp}, 4e9) == (seconds if seconds >= EARLIEST else None)
