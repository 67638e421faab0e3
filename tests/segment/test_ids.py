"""Ids, and numbers written plainly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.ids import plain_number, read_id


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("o1", "o1"),
        (" o1 ", " o1 "),
        ("0", "0"),
        ("ключ", "ключ"),
        (0, "0"),
        (42, "42"),
        (-7, "-7"),
        (12345.0, "12345"),
        (1.5, "1.5"),
        (1e21, "1000000000000000000000"),
        (18446744073709551615, "18446744073709551615"),
    ],
)
def test_ids_are_text_or_digits(value: Any, expected: str) -> None:
    """A string is an id as it is, a number is its digits."""
    assert read_id(value) == expected


@pytest.mark.parametrize("value", [None, "", " ", "\t\n", True, False, {}, {"id": 1}, [], ["o1"]])
def test_everything_else_is_no_id(value: Any) -> None:
    """Empty and blank text, null, booleans, objects and arrays are no ids."""
    assert read_id(value) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (50.99, "50.99"),
        (12, "12"),
        (12.0, "12"),
        (0, "0"),
        (-3.5, "-3.5"),
        (0.00001, "0.00001"),
        (1e-7, "0.0000001"),
        (1e16, "10000000000000000"),
        (1e22, "10000000000000000000000"),
        (1.5e300, "15" + "0" * 299),
        (0.1, "0.1"),
        (100.0, "100"),
        (10.10, "10.1"),
    ],
)
def test_numbers_are_written_plainly(number: float, text: str) -> None:
    """Never an exponent, never a decimal of nothing."""
    assert plain_number(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_plain_number_keeps_its_value(number: float) -> None:
    """Written plainly a number is made of digits, a point and a sign, and stays the same."""
    text = plain_number(number)
    assert set(text) <= set("0123456789.-")
    assert not text.endswith((".", ".0"))
    assert (float(text) if isinstance(number, float) else int(text)) == number
    assert Decimal(text).is_finite()
