"""Sums of money to the last digit, and rows by name when there are more than can be kept."""

from __future__ import annotations

import pickle
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.amounts import EXACTLY, Rows, Sum, add_up, cut_name, is_cut

AMOUNTS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
)


def sum_of(values: list[int | float]) -> Sum:
    """Add up amounts one by one."""
    total = Sum()
    for value in values:
        total.add_one(value)
    return total


@given(st.lists(AMOUNTS))
def test_a_sum_is_exactly_that_of_the_numbers_as_written(values: list[int | float]) -> None:
    """No amount is rounded, however large, small or many they are."""
    written = sum((Fraction(repr(value)) for value in values), Fraction(0))
    assert Fraction(sum_of(values).value) == written


@given(st.lists(AMOUNTS), st.integers(0, 50))
def test_sums_add_up_however_they_are_split(values: list[int | float], cut: int) -> None:
    """Adding two sums, one of which crossed a process, gives the sum of all."""
    first, second = sum_of(values[:cut]), sum_of(values[cut:])
    first.add(pickle.loads(pickle.dumps(second)))
    assert first.value == sum_of(values).value
    assert first.count == len(values)


@given(st.lists(AMOUNTS), st.lists(AMOUNTS))
def test_what_is_taken_out_is_as_if_it_had_never_come(kept: list[float], gone: list[float]) -> None:
    """Whatever the amounts are."""
    total = sum_of([*kept, *gone])
    total.take_out(sum_of(gone))
    assert total == sum_of(kept)


def test_equal_sums_are_equal_however_they_came_about() -> None:
    """Ten times a tenth of a millionth is a millionth; another number of things is another sum."""
    assert sum_of([1e-7] * 10) == Sum(10, Decimal("0.000001"))
    assert sum_of([1, 0.5]) != sum_of([1.5])
    assert add_up([sum_of([0.1]), sum_of([0.2])]) == Sum(2, Decimal("0.3"))
    assert add_up([]) == Sum()


def test_a_value_has_no_zeros_behind_its_last_digit() -> None:
    """As one writes it, whatever it was added up from."""
    assert [format(sum_of(some).value, "f") for some in ([50.5, 49.5], [0.1], [1e22], [])] == [
        "100",
        "0.1",
        "10000000000000000000000",
        "0",
    ]


def test_many_cents_do_not_drift() -> None:
    """Ten thousand times 0.10 and 0.20 is 3,000, which floats do not give."""
    assert sum_of([0.1, 0.2] * 10_000).value == Decimal(3000)
    assert sum([0.1, 0.2] * 10_000) != 3000


@pytest.mark.parametrize(
    "value", [0, -0.01, 1e-7, 1e9 - 0.01, 1e9, 1e308, 5e-324, 123456.123456, 0.1234567]
)
def test_an_amount_is_kept_as_written(value: float) -> None:
    """Also beyond what millionths can hold."""
    assert sum_of([value]).value == Decimal(repr(value))


def test_the_digits_of_a_decimal_are_all_kept() -> None:
    """A sandbox is sent more digits than any float has."""
    long = Decimal("0." + "1" * 900)
    total = Sum()
    total.add_exactly(long)
    total.add_exactly(long)
    assert total.value == EXACTLY.add(long, long)


NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=2), max_size=200)


def count_of(row: Sum) -> int:
    """The weight of a row."""
    return row.count


def counted(names: list[str], limit: int, *, first: bool = False) -> Rows[str, Sum]:
    """Count names one by one; keep the most frequent, or the first."""
    rows: Rows[str, Sum] = Rows(limit, Sum, None if first else count_of)
    for name in names:
        rows.at(name).add_one(1)
    return rows


@given(NAMES, st.integers(1, 20), st.booleans())
def test_nothing_is_lost_and_nothing_invented(names: list[str], limit: int, first: bool) -> None:
    """All rows and the rest are all names, and no count is above the true one."""
    rows, true = counted(names, limit, first=first), Counter(names)
    assert rows.total() == Sum(len(names), Decimal(len(names)))
    assert all(row.count <= true[name] for name, row in rows)
    assert len(rows) <= (limit if first else 2 * limit)


@given(NAMES, st.booleans())
def test_up_to_its_limit_it_is_exact(names: list[str], first: bool) -> None:
    """With no more names than fit, it is an ordinary counter."""
    rows = counted(names, 100, first=first)
    assert rows.is_exact
    assert {name: row.count for name, row in rows} == Counter(names)


@given(NAMES, st.integers(1, 20))
def test_the_first_names_are_exact_whatever_comes_after(names: list[str], limit: int) -> None:
    """Where the first are kept, each of their rows has all that there is of its name."""
    kept = list(dict.fromkeys(names))[:limit]
    rows = counted(names, limit, first=True)
    assert {name: row.count for name, row in rows} == {name: names.count(name) for name in kept}
    assert rows.is_exact == (len(set(names)) <= limit)


@given(NAMES, st.integers(0, 200), st.integers(1, 20))
def test_rows_add_up_and_can_be_taken_out_again(names: list[str], cut: int, limit: int) -> None:
    """Adding rows that crossed a process gives those of all; taken out, nothing of them is left."""
    rows = counted(names[:cut], 100)
    before = {name: row.count for name, row in rows}
    more = pickle.loads(pickle.dumps(counted(names[cut:], limit)))
    rows.add(more)
    assert rows.total().count == len(names)
    rows.take_out(more)
    assert {name: row.count for name, row in rows} == before
    assert rows.rest == Sum()


def test_frequent_names_outlive_endless_rare_ones() -> None:
    """A name that comes every tenth time is kept, also if it comes late."""
    names = [f"rare {n}" for n in range(1000)]
    names += [f"rarer {n}" if n % 10 else "frequent" for n in range(10_000)]
    rows = counted(names, 50)
    assert not rows.is_exact
    assert rows["frequent"].count == max(row.count for _, row in rows) == 1000


def test_a_long_name_is_cut_and_known_as_that() -> None:
    """One that fits is whole."""
    assert cut_name("x" * 200) == "x" * 200
    assert not is_cut(cut_name("x" * 200))
    assert is_cut(cut_name("x" * 201))
    assert len(cut_name("x" * 5000)) == 201
