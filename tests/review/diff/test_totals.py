"""Sums are exact, and a table of them is bounded."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.diff.totals import (
    LONGEST_NAME,
    MOST_NAMES,
    Table,
    Total,
    exact,
)


def test_cents_add_up() -> None:
    """A tenth a hundred thousand times is ten thousand, which it is not in floating point."""
    total = Total()
    for _ in range(100_000):
        total.add(1, exact(0.1))
    assert total.calls == 100_000
    assert str(total.value) == "10000.0"


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**64), 2**64 - 1))
)
def test_no_sum_is_ever_rounded(numbers: list[float]) -> None:
    """Whatever the amounts, and however far apart: the sum is right to the last digit."""
    total = Total()
    for number in numbers:
        total.add(1, exact(number))
    wanted = sum((Fraction(repr(number)) for number in numbers), Fraction(0))
    assert Fraction(total.value) == wanted


def test_endless_names_do_not_fill_the_memory() -> None:
    """Beyond a bound all further names are one row, and nothing of their sums is lost."""
    table = Table()
    for number in range(MOST_NAMES + 500):
        table.at(f"name {number}").after.add(1, exact(0.5))
    assert len(table.rows) == MOST_NAMES
    assert table.rest.after.calls == 500
    assert table.sum().after == Total(MOST_NAMES + 500, exact((MOST_NAMES + 500) / 2))


def test_an_endless_name_is_cut() -> None:
    """A name longer than any real one is cut, so that a table's memory is bounded."""
    table = Table()
    table.at("x" * 1_000_000).after.add(1, exact(1))
    table.at("x" * 1_000_000).after.add(1, exact(1))
    ((name, row),) = table.rows.items()
    assert len(name) == LONGEST_NAME + 1
    assert row.after.calls == 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5), st.booleans())))
def test_parts_add_up_to_the_whole(entries: list[tuple[str, int, bool]]) -> None:
    """Two tables added are the table of all that was put into them."""
    whole, first, second = Table(), Table(), Table()
    for index, (name, value, is_before) in enumerate(entries):
        for table in (whole, first if index < len(entries) // 2 else second):
            row = table.at(name)
            (row.before if is_before else row.after).add(1, exact(value))
    first.add(second)
    assert first.rows == whole.rows


def test_what_differs_most_comes_first() -> None:
    """Rows are given by their difference in value, then in calls, then by their size."""
    table = Table()
    for name, before, after, value in (
        ("same", 9, 9, 1),
        ("more calls", 0, 7, 0),
        ("less value", 3, 0, 100),
        ("more value", 0, 1, 50),
    ):
        table.at(name).before.add(before, exact(before * value))
        table.at(name).after.add(after, exact(after * value))
    assert [name for name, _ in table.by_weight()] == [
        "less value",
        "more value",
        "more calls",
        "same",
    ]
