"""The pictures of a report, checked as the XML that they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from convertro_cli.review.report.document import Bars, Days, Pair, Row, Series
from convertro_cli.review.report.drawing import Drawn, draw_bars
from convertro_cli.review.report.timeline import draw_days, periods
from tests.soaking import examples

_NUMBERS = st.one_of(
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False),
)
_DAYS = st.dictionaries(st.dates(), st.integers(0, 10**15), max_size=20)


def _parse(svg: Markup) -> ElementTree.Element:
    """Read the picture as XML, which forgives no character that is not escaped."""
    return ElementTree.fromstring(svg)


def rows_of(drawn: Drawn) -> Sequence[Row]:
    """The numbers that stand under a picture."""
    assert drawn.table is not None
    return drawn.table.rows


def bars_of(rows: Sequence[Pair], title: str = "Value") -> Drawn:
    """Draw pairs of bars."""
    return draw_bars(Bars(title, rows))


def days(title: str, *series: Series) -> Drawn:
    """Draw series by day."""
    return draw_days(Days(title, series, {}))


def _percent(text: str | None) -> float:
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1])


@settings(max_examples=examples(40))
@given(st.lists(st.builds(Pair, st.text(), _NUMBERS, _NUMBERS, st.text(), st.text()), max_size=5))
def test_bars_stay_in_their_picture_whatever_the_numbers(rows: list[Pair]) -> None:
    """Every bar lies within the picture's width, and any text leaves it sound."""
    drawn = bars_of(rows)
    bars = list(_parse(drawn.svg).iter("rect"))
    assert len(bars) == 2 * len(rows)
    for bar in bars:
        left, width = _percent(bar.get("x")), _percent(bar.get("width"))
        assert left >= 0
        assert width >= 0
        assert left + width <= 64.02


def test_bars_are_as_long_as_their_numbers() -> None:
    """Lengths stand to each other as the numbers do, and the table says the same."""
    drawn = bars_of([Pair("sale", Decimal("25.00"), Decimal("100.00"), "25.00", "100.00")], "Value")
    before, after = _parse(drawn.svg).iter("rect")
    assert _percent(after.get("width")) == 4 * _percent(before.get("width")) == 64
    assert "sale: 25.00 before, 100.00 after" in drawn.svg


def test_negative_bars_lie_left_of_the_positive_ones() -> None:
    """A sum of refunds is drawn to the other side of nought."""
    drawn = bars_of([Pair("refund", -10, 30, "−10", "30")], "Value")
    before, after = _parse(drawn.svg).iter("rect")
    assert _percent(before.get("x")) + _percent(before.get("width")) == _percent(after.get("x"))


def test_a_long_label_is_cut_in_the_picture_and_whole_in_the_table() -> None:
    """A name that is wider than a phone cannot push the picture out of the page."""
    drawn = bars_of([Pair("n" * 200, 1, 1, "1", "1")], "Value")
    label = next(text.text for text in _parse(drawn.svg).iter("text"))
    assert label == "n" * 44 + "…"
    assert "n" * 200 in drawn.svg  # in its description


@settings(max_examples=examples(40))
@given(_DAYS, _DAYS)
def test_no_day_is_lost_and_none_counted_twice(
    before: dict[date, int], after: dict[date, int]
) -> None:
    """The columns of a picture add up to what was given, over whatever time it goes."""
    drawn = days("Calls", Series("before", before), Series("after", after))
    _parse(drawn.svg)
    for column, given_days in ((1, before), (2, after)):
        numbers = [int(str(row[column]).replace(",", "")) for row in rows_of(drawn)]
        assert sum(numbers) == sum(given_days.values())


@settings(max_examples=examples(40))
@given(_DAYS)
def test_columns_stay_in_their_picture(by_day: dict[date, int]) -> None:
    """Every column lies within the picture, and is not higher than its scale."""
    picture = _parse(days("Messages", Series("messages", by_day)).svg)
    for column in picture.iter("rect"):
        if column.get("class") == "after":
            assert 0 <= _percent(column.get("x")) <= 100
            assert float(column.get("y") or -1) >= 22


@pytest.mark.parametrize(
    ("length", "unit", "columns"),
    [(1, "day", 1), (100, "day", 100), (101, "week", 16), (1000, "month", 33), (9000, "year", 25)],
)
def test_long_times_are_shown_in_longer_units(length: int, unit: str, columns: int) -> None:
    """A picture has at most a hundred columns, which follow each other without a gap."""
    first = date(2000, 1, 1)
    span = periods({first, first + timedelta(length - 1)})
    assert (span.unit, len(span.labels)) == (unit, columns)


def test_one_stray_day_does_not_make_the_picture_endless() -> None:
    """A clock that was wrong by millennia costs no more than a hundred columns."""
    span = periods({date.min, date(2024, 1, 1), date.max})
    assert len(span.labels) <= 100
    assert sum(span.add_up({date.min: 1, date(2024, 1, 1): 5, date.max: 1})) == 7


def test_days_without_a_call_are_columns_too() -> None:
    """A hole in the days shows as a hole."""
    drawn = days("Calls", Series("calls", {date(2024, 1, 1): 4, date(2024, 1, 4): 2}))
    assert rows_of(drawn) == [
        ["2024-01-01", "4"],
        ["2024-01-02", "0"],
        ["2024-01-03", "0"],
        ["2024-01-04", "2"],
    ]


def test_the_line_keeps_its_height_over_each_day() -> None:
    """The second series is drawn in steps: a slope would show numbers that are none."""
    two = {date(2024, 1, 1): 1, date(2024, 1, 2): 1, date(2024, 1, 3): 2}
    drawn = days("Calls", Series("before", {}), Series("after", two))
    path = re.search(r' d="([^"]*)"', drawn.svg)
    assert path is not None
    assert path[1] == "M0 500.0H2V0.0H3"


def test_every_picture_tells_what_it_shows() -> None:
    """A picture has a name and a description in words, for who cannot see it."""
    picture = _parse(days("Calls <by> day", Series("calls", {date(2024, 1, 1): 4})).svg)
    assert picture.get("role") == "img"
    title, description = picture.findtext("title"), picture.findtext("desc")
    assert title == "Calls <by> day"
    assert description is not None
    assert "4 in all" in description


def test_control_characters_are_shown_as_escapes() -> None:
    """What a terminal or a browser would not show is written out."""
    drawn = bars_of([Pair("a\x1b\u202eb", 1, 1, "1", "1")], "t\x00")
    assert "a\\x1b\\u202eb" in drawn.svg
    assert "\x00" not in drawn.svg
