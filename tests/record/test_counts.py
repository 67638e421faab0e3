"""The counts of a run as JSON."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.amounts import Sum
from convertro_cli.record.counts import RunCounts, read_counts, write_counts
from convertro_cli.record.tally import COUNTERS, Tally

_names = st.text(min_size=1, max_size=5)
_counts = st.dictionaries(_names, st.integers(0, 10**12), max_size=4).map(Counter)
_amounts = st.floats(allow_nan=False, allow_infinity=False)


def _sum_of(values: list[float]) -> Sum:
    total = Sum()
    for value in values:
        total.add_one(value)
    return total


_sums = st.lists(_amounts, max_size=4).map(_sum_of)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    """A tally of anything at all."""
    tally = Tally(carries_consent=draw(st.booleans()), bytes_read=draw(st.integers(0, 10**15)))
    for name in COUNTERS:
        setattr(tally, name, draw(_counts))
    tally.by_event_type.update(draw(st.dictionaries(_names, _sums, max_size=3)))
    totals = draw(st.dictionaries(st.tuples(_names, st.text(max_size=3)), _sums, max_size=3))
    tally.kept_back.totals.update(totals)
    places = st.lists(_names, max_size=5, unique=True)
    tally.places.update(draw(st.dictionaries(_names, places, max_size=2)))
    return tally


@settings(max_examples=30)
@given(tallies(), st.dictionaries(st.integers(0, 500), st.integers(1, 10**9), max_size=3))
def test_counts_come_back_as_they_were(tally: Tally, latency: dict[int, int]) -> None:
    """To the last digit of every amount, whatever the names are."""
    counts = RunCounts(tally, latency, "curl")
    assert read_counts(write_counts(counts)) == counts
    assert read_counts(write_counts(counts).decode()) == counts


@settings(max_examples=20)
@given(st.lists(tallies(), max_size=4))
def test_tallies_add_up_in_any_order(parts: list[Tally]) -> None:
    """Every count of the whole is the sum of those of the parts."""
    whole, other_way = Tally(), Tally()
    for part in parts:
        whole.add(part)
    for part in reversed(parts):
        other_way.add(part)
    for name in COUNTERS:
        found = getattr(whole, name)
        assert found == getattr(other_way, name)
        assert found.total() == sum(getattr(part, name).total() for part in parts)
    assert whole.by_event_type == other_way.by_event_type
    assert whole.kept_back.totals == other_way.kept_back.totals
    assert whole.bytes_read == sum(part.bytes_read for part in parts)
    assert all(len(places) <= 5 for places in whole.places.values())


def test_amounts_are_exact() -> None:
    """Two amounts whose binary fractions add up to another one than the amounts do."""
    whole = Tally()
    for value in ("0.1", "0.2"):
        part = Tally()
        part.deliver("sale", value)
        whole.add(read_counts(write_counts(RunCounts(part, {}, ""))).tally)
    assert whole.by_event_type["sale"].value == Decimal("0.3")
    assert whole.by_event_type["sale"].count == 2
