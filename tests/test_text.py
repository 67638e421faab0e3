"""Numbers, amounts and control characters are written alike everywhere."""

from __future__ import annotations

from decimal import Decimal

import pytest

from convertro_cli.text import amount, count, listed, share, signed, size, things, visible


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "±0.00"), (Decimal("1234.5"), "+1,234.50"), (Decimal("-3.25"), "−3.25"), (1, "+1.00")],
)
def test_a_difference_is_written_with_its_sign(number: Decimal | int, written: str) -> None:
    """A difference always has a sign, so that nobody takes it for a total."""
    assert signed(amount(number)) == written


def test_numbers_have_their_thousands_apart_and_a_real_minus() -> None:
    """A hyphen could be taken for a dash between two numbers."""
    assert (count(1234567), count(-1234)) == ("1,234,567", "−1,234")
    assert (things(1, "day"), things(2000, "day")) == ("1 day", "2,000 days")
    assert amount(Decimal(10) ** 15) == "1.000E+15"


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [(0, 5, "–"), (1, 5, "20.0 %"), (1, 10**6, "<0.1 %"), (99_999, 100_000, ">99.9 %")],
)
def test_a_share_that_is_there_never_shows_as_nothing(part: int, whole: int, written: str) -> None:
    """Nor one that is not the whole as the whole."""
    assert share(part, whole) == written


def test_sizes_are_in_the_unit_that_fits() -> None:
    """In powers of a thousand, as disks are sold."""
    assert [size(n) for n in (1, 999, 1000, 2.5e6, 3e9, 4e12)] == [
        "1 byte",
        "999 bytes",
        "1.0 kB",
        "2.5 MB",
        "3.0 GB",
        "4.0 TB",
    ]


def test_what_a_terminal_would_obey_is_written_out() -> None:
    """Control characters, changes of direction and the like; letters of any script stay."""
    assert visible("a\x1b[2J\u202eb円\n") == r"a\x1b[2J\u202eb円\n"


def test_a_list_ends_with_and() -> None:
    """As people write it."""
    assert [listed(["a"]), listed(["a", "b", "c"])] == ["a", "a, b and c"]
