"""Ids, and numbers written plainly."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.ids import (
    InexactNumberError,
    is_json_integer,
    plain_number,
    read_id,
)
from convertro_cli.segment.json_text import read_json, read_json_exactly


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
        (2.0**53 - 1, "9007199254740991"),
        (-(2.0**53) + 1, "-9007199254740991"),
        (2**53, "9007199254740992"),
        (18446744073709551615, "18446744073709551615"),
        (1234567890123456789012, "1234567890123456789012"),
    ],
)
def test_ids_are_text_or_digits(value: Any, expected: str) -> None:
    """A string is an id as it is, a number is its digits."""
    assert read_id(value) == expected


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "\t\n", True, False, {}, {"id": 1}, [], ["o1"], math.inf, -math.inf, math.nan],
)
def test_everything_else_is_no_id(value: Any) -> None:
    """Empty and blank text, null, booleans, objects, arrays and infinities are no ids."""
    assert read_id(value) is None


@pytest.mark.parametrize("value", [2.0**53, -(2.0**53), 1e21, -1e300])
def test_an_id_whose_digits_are_lost_is_told(value: float) -> None:
    """A float that stands for several whole numbers is never sent for one of them."""
    with pytest.raises(InexactNumberError):
        read_id(value)


@given(st.integers() | st.integers(-(10**330), 10**330))
def test_an_id_of_any_length_is_read_from_its_line(number: int) -> None:
    """Whatever number is an id: it is read at once, or after an exact reading, by its digits."""
    line = b"%d" % number
    try:
        found = read_id(read_json(line))
    except InexactNumberError:
        found = read_id(read_json_exactly(line))
    assert found == str(number)
    assert read_id(read_json_exactly(line)) == str(number)


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
)
def test_after_an_exact_reading_no_id_is_inexact(number: str) -> None:
    """However a number is written, the exact reading leaves nothing to be told.

    It is an id, but for one that is beyond all floats.
    """
    found = read_id(read_json_exactly(number.encode()))
    assert (found is None) == math.isinf(float(number))


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (-(2**63), True),
        (-(2**63) - 1, False),
        (2**64 - 1, True),
        (2**64, False),
        (1.0, False),
        ("1", False),
    ],
)
def test_integers_that_json_writers_take(value: Any, is_one: bool) -> None:
    """They are those of 64 bits, with a sign or without."""
    assert is_json_integer(value) == is_one
    if isinstance(value, int):
        try:
            assert orjson.loads(orjson.dumps(value)) == value
        except orjson.JSONEncodeError:
            assert not is_one


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
