"""When the messages happened: the span, days and hours, and the holes in between."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.inspect.document import gap_lines, glance
from convertro_cli.review.inspect.parts import Times
from convertro_cli.review.report.day_lines import HOLE, DayLine, DayLines, draw
from tests.review.inspect.looking import at, report_of


def drawn_of(times: Times, width: int) -> DayLines:
    """The lines that a terminal shows."""
    return draw(times.by_day, times.by_hour, width)


def times_of(*times: str) -> Times:
    """The times of an export with a message at each."""
    found = report_of(*at(*times)).time
    assert found is not None
    return found


def days(first: str, *numbers: int) -> list[str]:
    """The days so many after the first."""
    return [(date.fromisoformat(first) + timedelta(number)).isoformat() for number in numbers]


def test_the_span_is_from_the_first_to_the_last() -> None:
    """Whatever the order in the export, the type and the zone; to the second, in UTC."""
    times = times_of("2024-03-02T00:30:00+01:00", "2024-02-28T12:00:00.9Z", "2024-03-05")
    assert times.first == datetime(2024, 2, 28, 12, tzinfo=UTC)
    assert times.last == datetime(2024, 3, 5, tzinfo=UTC)
    assert times.days == 7
    assert list(times.by_day) == [date(2024, 2, 28), date(2024, 3, 1), date(2024, 3, 5)]


def test_gaps_of_whole_days_are_named() -> None:
    """Each with its first and last day, over the end of a month; a day with a message is none."""
    times = times_of(*days("2024-02-27", 0, 1, 5, 6, 8))
    assert [(str(gap.first), str(gap.last), gap.days) for gap in times.gaps] == [
        ("2024-02-29", "2024-03-02", 3),
        ("2024-03-05", "2024-03-05", 1),
    ]
    assert list(gap_lines(times, 10)) == [
        "No message on 4 days between the first and the last:",
        "  2024-02-29 Thu to 2024-03-02 Sat, 3 days",
        "  2024-03-05 Tue",
    ]


def test_of_many_gaps_the_longest_are_named() -> None:
    """In order of time, and how many more there are is said."""
    times = times_of(*days("2024-01-01", 0, 2, 10, 12, 20))
    assert list(gap_lines(times, 2))[1:] == [
        "  2024-01-04 Thu to 2024-01-10 Wed, 7 days",
        "  2024-01-14 Sun to 2024-01-20 Sat, 7 days",
        "  and 2 gaps no longer than these",
    ]


@given(st.sets(st.integers(0, 400), min_size=1))
def test_days_and_gaps_are_the_whole_span(numbers: set[int]) -> None:
    """Every day between the first and the last has messages or is in one gap."""
    times = times_of(*days("2023-11-05", *numbers))
    in_gaps = {gap.first + timedelta(n) for gap in times.gaps for n in range(gap.days)}
    assert in_gaps.isdisjoint(times.by_day)
    assert len(in_gaps) + len(times.by_day) == times.days


@pytest.mark.parametrize(
    ("last", "by_hour"),
    [
        ("2024-03-01T00:00:00Z", True),
        ("2024-03-04T00:00:00Z", True),
        ("2024-03-04T00:00:01Z", False),
    ],
)
def test_hours_are_told_of_a_span_of_three_days_at_most(last: str, by_hour: bool) -> None:
    """Of a longer one, days are."""
    times = times_of("2024-03-01T00:00:00Z", last)
    assert bool(times.by_hour) is by_hour
    assert sum(times.by_day.values()) == 2


def test_a_short_beginning_does_not_leave_hours_behind() -> None:
    """Whether hours are kept depends on the whole export, not on its first batches."""
    messages = at("2024-03-01", "2024-03-02", "2024-03-09", "2024-03-01")
    for cuts in ({1, 2, 3}, {3}, set[int]()):
        report = report_of(*messages, cuts=cuts)
        assert report.time is not None
        assert report.time.by_hour == {}


def test_a_few_days_are_bars() -> None:
    """A line for each day, one without messages among them; the longest bar is as asked for."""
    drawn = drawn_of(times_of(*["2024-03-01"] * 8, *["2024-03-05"] * 3), 10)
    assert drawn.rows == (
        DayLine("2024-03-01 Fri", "█" * 10, 8),
        DayLine("2024-03-02 Sat", HOLE, 0),
        DayLine("2024-03-03 Sun", HOLE, 0),
        DayLine("2024-03-04 Mon", HOLE, 0),
        DayLine("2024-03-05 Tue", "███▊", 3),
    )


def test_a_few_hours_are_bars() -> None:
    """Over midnight too; the smallest bar can still be seen."""
    drawn = drawn_of(times_of(*["2024-03-01T23:10:00"] * 1000, "2024-03-02T01:59:59"), 10)
    assert drawn.rows == (
        DayLine("2024-03-01 23:00", "█" * 10, 1000),
        DayLine("2024-03-02 00:00", HOLE, 0),
        DayLine("2024-03-02 01:00", "▏", 1),
    )


def test_many_hours_are_a_line_a_day() -> None:
    """Hours before the first message and after the last are blank, holes between are not."""
    drawn = drawn_of(times_of("2024-03-01T20:00:00", "2024-03-03T05:00:00"), 10)
    assert [row.cells for row in drawn.rows] == [
        " " * 20 + "█···",
        HOLE * 24,
        "·····█" + " " * 18,
    ]
    assert "hour" in drawn.note


def cells(drawn: DayLines) -> list[str]:
    """The lines as they are seen."""
    return [f"{row.label} {row.cells.rstrip()} {row.messages}" for row in drawn.rows]


def test_many_days_are_a_line_a_month() -> None:
    """A character a day, as high as its messages; months without any are put together."""
    busy = ["2024-01-30"] * 16 + ["2024-01-31"] * 8 + ["2024-02-01", "2024-02-29"]
    drawn = drawn_of(times_of(*busy, "2024-06-02"), 10)
    assert cells(drawn) == [
        f"2024-01 {' ' * 29}█▄ 24",
        f"2024-02 ▁{HOLE * 27}▁ 2",
        f"2024-03 {HOLE} no message in 3 months 0",
        "2024-06 ·▁ 1",
    ]


def test_very_many_months_are_a_line_a_year() -> None:
    """Then a character is a month."""
    months = [f"{year}-{month:02}" for year in range(2010, 2021) for month in range(1, 13)]
    drawn = drawn_of(times_of(*(f"{month}-05" for month in months[2:] if month != "2020-11")), 10)
    assert cells(drawn)[0] == "2010   ██████████ 10"
    assert cells(drawn)[-1] == "2020 ██████████·█ 11"
    assert len(drawn.rows) == 11


@pytest.mark.parametrize(
    "times",
    [
        ("2000-01-01", "2024-12-31T23:59:59Z"),
        ("2024-12-31T23:59:59-14:00", "2024-11-01"),
        ("2024-12-31T23:59:59-14:00", "2024-12-31"),
    ],
)
def test_the_end_of_a_year_is_drawn_too(times: tuple[str, str]) -> None:
    """The earliest time that counts, and one whose offset puts it into another year."""
    found = times_of(*times)
    assert sum(row.messages for row in drawn_of(found, 20).rows) == 2
    assert list(glance(report_of(*at(*times))))


@given(st.lists(st.datetimes(datetime(2019, 1, 1), datetime(2024, 1, 1)), min_size=1, max_size=40))
def test_every_message_is_drawn_once(moments: list[datetime]) -> None:
    """The numbers beside the lines are all messages that have a time."""
    times = times_of(*(moment.isoformat() for moment in moments))
    assert sum(row.messages for row in drawn_of(times, 30).rows) == len(moments)
