"""The counts: exact sums, and numbers that add up."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.sandbox.tally import RequestCounts


def test_counts_start_at_nothing() -> None:
    """An unused sandbox has every count, at zero."""
    assert RequestCounts().stats() == {
        "requests": 0,
        "accepted": 0,
        "rejected": 0,
        "faults": 0,
        "unique": 0,
        "repeats": 0,
        "calls": {"event": 0, "user": 0, "install": 0},
        "by_event_type": {},
    }


def test_a_repeat_is_accepted_but_not_unique() -> None:
    """Accepted requests are the unique ones and the repeats; calls and values count both."""
    tally = RequestCounts()
    for digest in (b"a", b"b", b"a"):
        tally.accept(digest, "event", "sale", Decimal("0.1"))
    tally.accept(b"c", "user")
    tally.reject()
    tally.fault()
    stats = tally.stats()
    assert stats == {
        "requests": 6,
        "accepted": 4,
        "rejected": 1,
        "faults": 1,
        "unique": 3,
        "repeats": 1,
        "calls": {"event": 3, "user": 1, "install": 0},
        "by_event_type": {"sale": {"calls": 3, "value": 0.3}},
    }
    assert tally.holds(b"a")
    assert not tally.holds(b"z")


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (["0.1"] * 10, "1"),
        (["0.1", "0.2"], "0.3"),
        (["50.99", "50.99"], "101.98"),
        (["12.0"], "12"),
        (["-5", "5"], "0"),
        (["-0"], "0"),
        (["9" * 30, "1"], "1" + "0" * 30),
    ],
)
def test_sums_are_written_as_people_write_them(values: list[str], written: str) -> None:
    """A sum is a JSON number without the dust of binary fractions."""
    tally = RequestCounts()
    for n, value in enumerate(values):
        tally.accept(bytes([n]), "event", "sale", Decimal(value))
    assert json.dumps(tally.stats()["by_event_type"]["sale"]["value"]) == written


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=6), max_size=20))
def test_sums_are_exact(values: list[Decimal]) -> None:
    """Adding loses nothing, however far apart the values are."""
    tally = RequestCounts()
    for n, value in enumerate(values):
        tally.accept(n.to_bytes(2, "big"), "event", f"t{n % 3}", value)
    assert Fraction(tally.value()) == sum(map(Fraction, values))


def test_a_sum_beyond_any_double_is_still_json() -> None:
    """The longest numbers that the check lets through never become Infinity."""
    tally = RequestCounts()
    tally.accept(b"a", "event", "sale", Decimal("9" * 390 + ".5"))
    assert int(json.dumps(tally.stats()["by_event_type"]["sale"]["value"], allow_nan=False)) > 0


def test_the_rate_is_that_of_the_last_five_whole_seconds() -> None:
    """The second that is still running does not count, nor do those long gone."""
    tally = RequestCounts()
    for second, count in ((1, 99), (10, 5), (11, 10), (14, 10), (15, 50)):
        for _ in range(count):
            tally.arrived(second)
    assert tally.per_second(15) == 5.0
    assert tally.per_second(100) == 0.0
