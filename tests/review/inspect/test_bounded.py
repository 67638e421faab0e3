"""Sums by name, when there are more names than can be kept."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.inspect.bounded import BoundedSums

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=2), max_size=200)


def sums_of(names: list[str], limit: int) -> BoundedSums[str]:
    """Count names one by one."""
    sums: BoundedSums[str] = BoundedSums(limit)
    for name in names:
        sums.add_count(name, 1)
    return sums


@given(NAMES, st.integers(1, 20))
def test_nothing_is_lost_and_nothing_invented(names: list[str], limit: int) -> None:
    """All counts and the rest are all names, and no count is above the true one."""
    sums, true = sums_of(names, limit), Counter(names)
    counts = sums.counts()
    assert sum(counts.values()) + sums.rest.count == len(names)
    assert all(count <= true[name] for name, count in counts.items())
    assert len(sums) <= 2 * limit


@given(NAMES)
def test_up_to_its_limit_it_is_exact(names: list[str]) -> None:
    """With no more names than fit, it is an ordinary counter."""
    sums = sums_of(names, 100)
    assert sums.is_exact
    assert sums.counts() == Counter(names)


def test_frequent_names_outlive_endless_rare_ones() -> None:
    """A name that comes every tenth time is kept, also if it comes late."""
    names = [f"rare {n}" for n in range(1000)]
    names += [f"rarer {n}" if n % 10 else "frequent" for n in range(10_000)]
    sums = sums_of(names, 50)
    assert not sums.is_exact
    assert next(iter(sums.counts().items())) == ("frequent", 1000)
