"""Amounts of money, as numbers and as people write them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.segment.ids import is_json_integer, plain_number
from convertro_cli.segment.money import is_absent, is_ambiguous_amount, read_amount

NUMBERS: list[tuple[Any, float]] = [
    (12, 12),
    (0, 0),
    (-5, -5),
    (50.99, 50.99),
    (12.0, 12),
    (0.0, 0),
    (-0.0, 0),
    (-0.01, -0.01),
    (1e-05, 1e-05),
    (1e15, 10**15),
    (18446744073709551615, 18446744073709551615),
    (-(2**63), -(2**63)),
    # beyond what JSON writers take as an integer
    (2**64, float(2**64)),
    (10**22, 1e22),
    (-(10**22), -1e22),
    # a float of 2**53 or more has fewer digits than the int that is nearest to it
    (2.0**53 - 1, 2**53 - 1),
    (2.0**53, 2.0**53),
    (-(2.0**53), -(2.0**53)),
    (1e23, 1e23),
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
    ("￥4,990", 4990),
    ("₹1,00,000.50", 100000.5),
    ("12 ₽", 12),
    ("¤5", 5),
    (" 12 ", 12),
    ("\t12\n", 12),
    ("1\u00a0200,50\u00a0€", 1200.5),
    ("1\u202f200,50", 1200.5),
    ("1\u2009200", 1200),
    ("1 200", 1200),
    ("1 234 567,89", 1234567.89),
    # without width, or turning the direction of writing: what browsers put around a price
    ("5\u200b", 5),
    ("\ufeff5", 5),
    ("5\u2060", 5),
    ("\u200f1,234.50\u00a0\u200f₪", 1234.5),
    ("\u061c-5", -5),
    ("\u2066$5\u2069", 5),
    # codes and abbreviations, before and after
    ("USD 12", 12),
    ("usd12", 12),
    ("12.50 EUR", 12.5),
    ("12.50EUR", 12.5),
    ("R$ 49,90", 49.9),
    ("R$ 3.050,00", 3050),
    ("US$12", 12),
    ("US $12", 12),
    ("A$12", 12),
    ("12 CA$", 12),
    ("$US 12", 12),
    ("USD$12", 12),
    ("CLP$ 1.500.000", 1500000),
    ("$12.50 USD", 12.5),
    ("USD 12.50 $", 12.5),
    ("E£12", 12),
    ("kr 100", 100),
    ("100 kr.", 100),
    ("100,50 Kr", 100.5),
    ("12,50 zł", 12.5),
    ("1 200 Kč", 1200),
    ("Fr. 12.50", 12.5),
    ("CHF 1'200.50", 1200.5),
    ("Rs. 1,500", 1500),
    ("Rs.1,500", 1500),
    ("Rs 500.50", 500.5),
    ("Rs.500.50", 500.5),
    ("S/.150", 150),
    ("S/ 150.50", 150.5),
    ("4,990円", 4990),
    ("12,50 лв.", 12.5),
    ("1500 руб.", 1500),
    ("Rp 150.000,00", 150000),
    ("د.إ 12", 12),
    ("¢5000", 5000),
    ("GH¢50", 50),
    # two kinds of separator: the last is the decimal one
    ("$1,200.50", 1200.5),
    ("1.200,50 €", 1200.5),
    ("1,234,567.89", 1234567.89),
    ("1.234.567,89", 1234567.89),
    ("1,200.5", 1200.5),
    ("1.200,5", 1200.5),
    ("1,200.505", 1200.505),
    ("1,200.", 1200),
    ("1'200.50", 1200.5),
    ("1’200,50", 1200.5),
    ("1ʼ200ʼ300", 1200300),
    ("1 200.505", 1200.505),
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
    ("5,", 5),
    (",5", 0.5),
    # no thousands begin with 0, or have more than three digits before the first comma
    ("0,999", 0.999),
    ("1234,567", 1234.567),
    # Indian grouping
    ("1,20,000", 120000),
    ("₹12,34,56,789.50", 123456789.5),
    ("10,00,000", 1000000),
    # a point alone is decimal
    ("1.200", 1.2),
    ("1.5", 1.5),
    ("1200.505", 1200.505),
    (".5", 0.5),
    ("$.50", 0.5),
    ("-.5", -0.5),
    ("5.", 5),
    # several points separate thousands
    ("1.200.300", 1200300),
    # signs
    ("-12.50", -12.5),
    ("-$12.50", -12.5),
    ("$-12.50", -12.5),
    ("- 12", -12),
    ("\u221212,50 €", -12.5),
    ("-12 USD", -12),
    ("+12", 12),
    ("+$12", 12),
    # as accountants write what is owed
    ("(12.50)", -12.5),
    ("($1,200.50)", -1200.5),
    ("$(12)", -12),
    ("(12) EUR", -12),
    ("( 12 EUR )", -12),
    # zeros
    ("0", 0),
    ("0.00", 0),
    ("$0", 0),
    ("-0", 0),
    ("-0.00", 0),
    ("(0)", 0),
    ("-$0", 0),
    ("0,000", 0),
    ("007", 7),
    ("12.00", 12),
    ("0" * 10_000 + "5", 5),
    # whole amounts keep their digits while JSON writers take them
    ("9007199254740993", 9007199254740993),
    ("-9007199254740993.00", -9007199254740993),
    ("999999999999999999", 999999999999999999),
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
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    "",
    " ",
    "$",
    "€ ",
    "-",
    "+",
    ".",
    ",",
    "-.",
    "()",
    "free",
    "n/a",
    "NaN",
    "Infinity",
    "-inf",
    "null",
    "true",
    "0x10",
    "1e3",
    "1e400",
    "1_000",
    # no mark of a currency
    "12 dollars",
    "12K",
    "1.2M",
    "12%",
    "12 km",
    "~12",
    "from 12",
    "$$12",
    "US 12",
    "XYZ 12",
    ".12 USD.",
    "50¢",
    "50p",
    # several numbers
    "12 or 13",
    "12 13",
    "12, 13",
    "12. 50",
    "12-13",
    "2 x 12",
    "12 (13)",
    "1 20 000",
    "12 345 67",
    # no number
    "12..5",
    "1.2.3",
    "1,2,3",
    "1,2,3.4.5",
    "12,34,5",
    "12,34.5",
    "1234,567.89",
    "0,200,300",
    "0.200.300",
    "0 500",
    "1,200.50.3",
    "1.200,50,3",
    "1,200,50",
    "1.200.50",
    "1.20.000",
    "1,20,000,50",
    "123,45,678",
    "1 200.300,5",
    "1'200,300.5",
    "1.200 300",
    "1 200'300",
    "'12",
    "12'",
    "12''000",
    # signs that are none, or two
    "--5",
    "-(5)",
    "(-5)",
    "((5))",
    "(5",
    "5)",
    "5(",
    ")5(",
    "5-",
    "5,-",
    "U-S$5",
    # marks within the number
    "12€50",
    "1$200",
    # digits that are no ASCII digits
    "١٢",
    "９９",
    "½",
    "1２",
    "9" * 400,
    "-" + "9" * 5000,
]

# Amounts with a single dot and three digits: the currency, the amount, and whether it is unclear.
DOT_AND_THREE: list[tuple[str, Any, float, bool]] = [
    ("$150.000", "CLP", 150000, False),
    ("$150.000", "clp", 150000, False),
    ("$150.000", " Clp ", 150000, False),
    ("-1.500", "JPY", -1500, False),
    ("1.500", "KRW", 1500, False),
    ("1.500", "VND", 1500, False),
    ("150.000", "USD", 150, True),
    ("150.000", "COP", 150, True),
    ("150.000", "XYZ", 150, True),
    ("150.000", None, 150, True),
    ("150.000", "", 150, True),
    ("150.000", 152, 150, True),
    ("150.000", ["CLP"], 150, True),
    # only the property says it, not the mark
    ("CLP 150.000", None, 150, True),
    ("¥150.000", None, 150, True),
    ("(1.200 €)", "EUR", -1.2, True),
    # a currency of a thousand parts is written so
    ("1.200", "KWD", 1.2, False),
    ("1.200", "tnd", 1.2, False),
    # no thousands begin with 0, or have four digits before them, or two after
    ("0.500", "USD", 0.5, False),
    ("0.500", "CLP", 0.5, False),
    (".500", "CLP", 0.5, False),
    ("1234.500", "USD", 1234.5, False),
    ("1234.500", "CLP", 1234.5, False),
    ("150.00", "CLP", 150, False),
    ("150.0000", "CLP", 150, False),
    ("150.000.000", "CLP", 150000000, False),
    ("150.000.000", "USD", 150000000, False),
    ("1,150.000", "CLP", 1150, False),
    ("1.200,000", "CLP", 1200, False),
    ("150,000", "USD", 150000, False),
    ("150,000", "CLP", 150000, False),
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
    """Text that is no amount, NaN, infinities and other types give none."""
    assert read_amount(value) is None


@pytest.mark.parametrize(("text", "currency", "amount", "is_unclear"), DOT_AND_THREE)
def test_a_dot_with_three_digits(text: str, currency: Any, amount: float, is_unclear: bool) -> None:
    """It is decimal, and unclear, except in a currency without cents, where it makes thousands."""
    assert read_amount(text, currency) == amount
    assert is_ambiguous_amount(text, currency) == is_unclear


@pytest.mark.parametrize(
    "value", [None, 1.234, 1, True, {}, "1.234 or so", "x1.234", "", "1.2.345"]
)
def test_what_is_no_text_of_an_amount_is_not_ambiguous(value: Any) -> None:
    """Numbers are clear, and what is no amount is told otherwise."""
    assert not is_ambiguous_amount(value)


@pytest.mark.parametrize(
    ("value", "says_nothing"),
    [(None, True), ("", True), (" \t\u00a0", True), ("$", False), ("0", False), (0, False)],
)
def test_a_field_that_says_nothing(value: Any, says_nothing: bool) -> None:
    """Null and empty text are absent; everything else that is no amount is unreadable."""
    assert is_absent(value) == says_nothing


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (1e23, "1" + "0" * 23),
        (2.0**53, "9007199254740992"),
        (1.5e300, "15" + "0" * 299),
        (10**22, "1" + "0" * 22),
        ("1" + "0" * 23, "1" + "0" * 23),
        (-0.0, "0"),
        ("-0.00", "0"),
        (12.0, "12"),
    ],
)
def test_an_amount_is_written_plainly(value: Any, plain: str) -> None:
    """What is read can be written with the digits that it came with, and no others."""
    amount = read_amount(value)
    assert amount is not None
    assert plain_number(amount) == plain


def test_a_json_minus_zero() -> None:
    """Negative zero is 0, with a point and without one."""
    for line in (b"-0.0", b"-0", b"-0.0e5"):
        amount = read_amount(orjson.loads(line))
        assert (amount, type(amount)) == (0, int)


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


AMOUNT_LIKE = st.text(alphabet="0123456789.,-+$€ '()kr¥\u00a0", max_size=20)
CURRENCIES = st.sampled_from([None, "CLP", "KWD", "USD"])


@given(AMOUNT_LIKE | st.text(max_size=20) | st.integers() | st.floats(), CURRENCIES)
def test_anything_gives_an_amount_that_can_be_written_or_none(value: Any, currency: Any) -> None:
    """Nothing raises, and none gives NaN, an infinity, a negative zero or a giant int."""
    amount = read_amount(value, currency)
    assert amount is None or (abs(amount) < float("inf") and str(amount) != "-0.0")
    assert not isinstance(amount, int) or is_json_integer(amount)
    assert orjson.dumps(amount)
    if is_ambiguous_amount(value, currency):
        assert amount is not None
        assert abs(amount) < 1000


@given(AMOUNT_LIKE)
def test_a_minus_only_turns_the_sign(text: str) -> None:
    """What is an amount without its sign is the opposite with one."""
    amount = read_amount(text)
    if amount is not None and not set(text) & set("-+("):
        assert read_amount(f"-{text}") == -amount
        assert read_amount(f"({text})") == -amount


@pytest.mark.parametrize(
    "text",
    [
        "$" * 1_000_000,
        "1," * 500_000,
        "1.000" * 200_000,
        "-" * 1_000_000,
        "1" + " " * 1_000_000 + "x",
        "1" + " " * 1_000_000 + "1",
        "1" + ",00" * 300_000 + "x1",
        "(" * 500_000 + "1" + ")" * 500_000,
        "1" + "x" * 1_000_000,
        "9" * 1_000_000,
    ],
    ids=identifier,
)
def test_a_megabyte_of_signs_is_judged_at_once(text: str) -> None:
    """The time that a long text takes grows no faster than its length."""
    assert read_amount(text) is None
    assert not is_ambiguous_amount(text)
