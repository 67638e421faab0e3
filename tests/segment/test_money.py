"""Amounts of money, as numbers and as people write them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.money import read_amount

NUMBERS: list[tuple[Any, float]] = [
    (12, 12),
    (0, 0),
    (-5, -5),
    (50.99, 50.99),
    (12.0, 12),
    (0.0, 0),
    (-0.01, -0.01),
    (1e-05, 1e-05),
    (1e15, 10**15),
    (18446744073709551615, 18446744073709551615),
]

TEXTS: list[tuple[str, float]] = [
    # a sign, spaces
    ("12", 12),
    ("12.5", 12.5),
    ("$12.50", 12.5),
    ("$ 12.50", 12.5),
    ("12.50 $", 12.5),
    ("€12", 12),
    ("12 €", 12),
    ("£1,200.50", 1200.5),
    ("¥1200", 1200),
    ("₹1,00,000.50", 100000.5),
    ("12 ₽", 12),
    (" 12 ", 12),
    ("\t12\n", 12),
    ("1\u00a0200,50\u00a0€", 1200.5),
    ("1\u202f200,50", 1200.5),
    ("1 200", 1200),
    # two kinds of separator: the last is the decimal one
    ("$1,200.50", 1200.5),
    ("1.200,50 €", 1200.5),
    ("1,234,567.89", 1234567.89),
    ("1.234.567,89", 1234567.89),
    ("1,200.5", 1200.5),
    ("1.200,5", 1200.5),
    ("1,200.505", 1200.505),
    ("1'200.50", 1200.5),
    ("1’200,50", 1200.5),
    # a comma alone: thousands before three digits, else decimals
    ("1,200", 1200),
    ("12,345", 12345),
    ("1,234,567", 1234567),
    ("12,5", 12.5),
    ("12,50", 12.5),
    ("1,2000", 1.2),
    ("1200,50", 1200.5),
    ("0,99", 0.99),
    ("$1,200", 1200),
    ("-1,200", -1200),
    # a point alone is decimal
    ("1.200", 1.2),
    ("1.5", 1.5),
    ("1200.505", 1200.505),
    (".5", 0.5),
    ("5.", 5),
    # several points separate thousands
    ("1.200.300", 1200300),
    # signs
    ("-12.50", -12.5),
    ("-$12.50", -12.5),
    ("$-12.50", -12.5),
    ("- 12", -12),
    ("\u221212,50 €", -12.5),
    ("+12", 12),
    ("+$12", 12),
    # zeros
    ("0", 0),
    ("0.00", 0),
    ("$0", 0),
    ("007", 7),
    ("12.00", 12),
    ("99999999999999999999", 99999999999999999999.0),
]

NO_AMOUNTS: list[Any] = [
    None,
    True,
    False,
    {},
    {"amount": 5},
    [],
    [5],
    -0.0,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "$",
    "€ ",
    "-",
    "+",
    ".",
    ",",
    "-.",
    "free",
    "n/a",
    "NaN",
    "Infinity",
    "-inf",
    "null",
    "true",
    "-0",
    "-0.00",
    "-$0",
    "0x10",
    "1e3",
    "1_000",
    "12 dollars",
    "USD 12",
    "12.50 EUR",
    "1.2.3",
    "1,2,3",
    "12,34,5",
    "1,200.50.3",
    "1.200,50,3",
    "--5",
    "5-",
    "(5)",
    "12%",
    "12€50",
    "1$200",
    "١٢",
    "９９",
    "½",
    "5\u200b",
    "9" * 400,
]


def identifier(value: object) -> str:
    """Name a case by its value, cut short."""
    return ascii(value)[:30]


@pytest.mark.parametrize(("value", "amount"), NUMBERS, ids=identifier)
def test_a_number_is_an_amount_as_it_is(value: float, amount: float) -> None:
    """A number is an amount; a whole one comes back as an int, which is written without .0."""
    assert read_amount(value) == amount
    assert type(read_amount(value)) is type(amount)


@pytest.mark.parametrize(("text", "amount"), TEXTS, ids=identifier)
def test_an_amount_as_people_write_it(text: str, amount: float) -> None:
    """A sign, spaces and thousands separators are passed over, and the decimals are found."""
    assert read_amount(text) == amount


@pytest.mark.parametrize("value", NO_AMOUNTS, ids=identifier)
def test_what_is_no_amount_is_absent(value: Any) -> None:
    """Text that is no amount, negative zero, NaN, infinities and other types are absent."""
    assert read_amount(value) is None


def test_a_json_minus_zero() -> None:
    """Negative zero as JSON writes it with a point is absent; without one it is a plain 0."""
    assert read_amount(orjson.loads(b"-0.0")) is None
    assert read_amount(orjson.loads(b"-0")) == 0


@given(
    st.integers(0, 10**9),
    st.integers(0, 99),
    st.sampled_from(["{}", "${}", "€ {}", "{} €", "{}\u00a0£"]),
    st.sampled_from([(",", "."), (".", ","), (" ", "."), (" ", ","), ("'", "."), ("", ".")]),
    st.booleans(),
)
def test_any_amount_with_decimals_in_any_style(
    whole: int, cents: int, style: str, separators: tuple[str, str], negative: bool
) -> None:
    """An amount with two decimals is read alike in every style, however large."""
    thousands, decimal = separators
    grouped = f"{whole:,}".replace(",", thousands)
    text = style.format(f"{grouped}{decimal}{cents:02}")
    amount = float(f"{whole}.{cents:02}")
    if negative and amount:
        text, amount = f"-{text}", -amount
    assert read_amount(text) == amount


@given(st.text(alphabet="0123456789.,-+$€ '", max_size=20) | st.text(max_size=20))
def test_any_text_gives_a_finite_amount_or_none(text: str) -> None:
    """No text raises, and none gives NaN, an infinity or a negative zero."""
    amount = read_amount(text)
    assert amount is None or (abs(amount) < float("inf") and str(amount) != "-0.0")


def test_a_megabyte_of_signs_is_judged_at_once() -> None:
    """The time that a long text takes grows no faster than its length."""
    for text in ("$" * 1_000_000, "1," * 500_000, "1.000" * 200_000, "-" * 1_000_000):
        assert read_amount(text) is None
