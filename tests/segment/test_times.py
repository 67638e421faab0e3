"""When a message happened."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.times import UnreadableTimeError, find_time, read_time

# 2024-03-01T10:20:30Z, worked out by `date -u -d 2024-03-01T10:20:30Z +%s`
MOMENT = 1709288430

READABLE: list[tuple[Any, int]] = [
    ("2024-03-01T10:20:30Z", MOMENT),
    ("2024-03-01T10:20:30.500Z", MOMENT),
    ("2024-03-01T10:20:30.999999999Z", MOMENT),
    ("2024-03-01T10:20:30,5Z", MOMENT),
    ("2024-03-01T10:20:30", MOMENT),
    ("2024-03-01 10:20:30Z", MOMENT),
    ("2024-03-01t10:20:30Z", MOMENT),
    ("2024-03-01T10:20:30+00:00", MOMENT),
    ("2024-03-01T12:20:30+02:00", MOMENT),
    ("2024-03-01T05:50:30-0430", MOMENT),
    ("20240301T102030Z", MOMENT),
    ("2024-W09-5T10:20:30Z", MOMENT),
    ("2024-03-01T10:20Z", MOMENT - 30),
    ("2024-03-01", MOMENT - 37230),
    ("1970-01-01T00:00:00Z", 0),
    (1709288430500, MOMENT),
    (1709288430500.9, MOMENT),
    (0, 0),
    (999, 0),
]

UNREADABLE: list[Any] = [
    "1969-12-31T23:59:59.500Z",
    "0001-01-01T00:00:00Z",
    "yesterday",
    "2024-13-01T10:20:30Z",
    "2024-02-30T10:20:30Z",
    "2024-03-01T25:00:00Z",
    "2024-03-01T10:20:30+25:00",
    "2024-03-01T10:20:30Zulu",
    " 2024-03-01T10:20:30Z",
    "01/03/2024",
    "Fri, 01 Mar 2024 10:20:30 GMT",
    "1709288430500",
    "1709288430",
    # Python alone would take these epoch milliseconds for days of the years 1612 and 1701.
    "1612121512340",
    "1701011212345",
    "2024-03-01x10:20:30Z",
    True,
    False,
    {},
    [],
    ["2024-03-01T10:20:30Z"],
    -1,
    -0.5,
    1e300,
    float("nan"),
    float("inf"),
]


@pytest.mark.parametrize(("value", "seconds"), READABLE, ids=str)
def test_iso_8601_or_epoch_milliseconds(value: Any, seconds: int) -> None:
    """An ISO 8601 string or epoch milliseconds give whole Unix seconds, rounded down."""
    assert read_time(value) == seconds


@pytest.mark.parametrize("value", UNREADABLE, ids=str)
def test_everything_else_is_no_time(value: Any) -> None:
    """What is no time is told, and never taken for another day."""
    with pytest.raises(UnreadableTimeError):
        read_time(value)


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_any_moment_in_any_zone(moment: datetime, offset: int) -> None:
    """The offset counts, and parts of a second are dropped."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    whole = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert read_time(aware.isoformat()) == whole


@given(st.text(alphabet="0123456789-T:Z+. W", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_time_or_told(text: str) -> None:
    """No text raises anything but the error that it is no time."""
    with contextlib.suppress(UnreadableTimeError):
        assert isinstance(read_time(text), int)


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ({"timestamp": 1, "originalTimestamp": 2, "receivedAt": 3, "sentAt": 4}, "timestamp"),
        ({"sentAt": 4, "receivedAt": 3, "originalTimestamp": 2}, "originalTimestamp"),
        ({"sentAt": 4, "receivedAt": 3}, "receivedAt"),
        ({"sentAt": 4}, "sentAt"),
        ({"timestamp": None, "receivedAt": 3}, "receivedAt"),
        ({"timestamp": "", "receivedAt": 3}, "receivedAt"),
        ({"timestamp": "nonsense", "receivedAt": 3}, "timestamp"),
        ({"timestamp": 0, "receivedAt": 3}, "timestamp"),
        ({"timestamp": False, "receivedAt": 3}, "timestamp"),
    ],
)
def test_the_first_time_that_is_there_counts(message: dict[str, Any], key: str) -> None:
    """timestamp, originalTimestamp, receivedAt, sentAt: the first one there, readable or not."""
    found = find_time(message)
    assert found == (key, message[key])


@pytest.mark.parametrize("message", [{}, {"timestamp": None}, {"sentAt": ""}, {"time": 5}])
def test_a_message_without_any_time(message: dict[str, Any]) -> None:
    """Null, empty text and other keys are no time."""
    assert find_time(message) is None
