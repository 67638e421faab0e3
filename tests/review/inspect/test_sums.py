"""Sums of money, to the last digit."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.inspect.sums import Sum

AMOUNTS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
)


def sum_of(values: list[int | float]) -> Sum:
    """Add up amounts one by one."""
    total = Sum()
    for value in values:
        total.add_value(value)
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
    assert first.valued == len(values)


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
