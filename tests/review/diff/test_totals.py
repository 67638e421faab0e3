"""Totals on two sides: those of endless names are summed up, and what differs most comes first."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.amounts import LONGEST_NAME, Sum
from convertro_cli.review.diff.tally import MOST_NAMES, Totals


def test_endless_names_do_not_fill_the_memory() -> None:
    """Beyond a bound all further names are one row, and nothing of their sums is lost."""
    table = Totals()
    for number in range(MOST_NAMES + 500):
        table.of(f"name {number}").after.add_one(0.5)
    assert len(table) == MOST_NAMES
    assert table.rest.after.count == 500
    number = MOST_NAMES + 500
    assert table.total().after == Sum(number, Decimal(number) / 2)


def test_an_endless_name_is_cut_and_none_is_of_the_rest() -> None:
    """A name longer than any real one is cut, so that a table's memory is bounded."""
    table = Totals()
    for name in ("x" * 1_000_000, "x" * 1_000_000, None):
        table.of(name).after.add_one(1)
    ((name, row),) = table
    assert len(name) == LONGEST_NAME + 1
    assert row.after.count == 2
    assert table.rest.after.count == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5), st.booleans())))
def test_parts_add_up_to_the_whole(entries: list[tuple[str, int, bool]]) -> None:
    """Two tables added are the table of all that was put into them."""
    whole, first, second = Totals(), Totals(), Totals()
    for index, (name, value, is_before) in enumerate(entries):
        for table in (whole, first if index < len(entries) // 2 else second):
            row = table.of(name)
            (row.before if is_before else row.after).add_one(value)
    first.add(second)
    assert first == whole


def test_what_differs_most_comes_first() -> None:
    """Rows are given by their difference in value, then in calls, then by their size."""
    table = Totals()
    for name, before, after, value in (
        ("same", 9, 9, 1),
        ("more calls", 0, 7, 0),
        ("less value", 3, 0, 100),
        ("more value", 0, 1, 50),
    ):
        table.of(name).before.add(Sum(before, before * value))
        table.of(name).after.add(Sum(after, after * value))
    assert [name for name, _ in table.by_weight()] == [
        "less value",
        "more value",
        "more calls",
        "same",
    ]
