"""Messages with an id that came before."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertro_cli.review.inspect.ids import HASH_BYTES, RepeatedIds, hash_ids

IDS = st.lists(st.integers(0, 300).map(str), max_size=300)


def counted(ids: list[str], *, limit: int, step: int = 1000) -> RepeatedIds:
    """Count ids, ``step`` of them at a time."""
    repeated = RepeatedIds(limit)
    for start in range(0, len(ids), step):
        repeated.note(hash_ids(ids[start : start + step]))
    return repeated


@given(IDS)
def test_up_to_the_limit_the_count_is_exact(ids: list[str]) -> None:
    """Each message after the first with its id is counted."""
    repeated = counted(ids, limit=300)
    assert repeated.count() == sum(count - 1 for count in Counter(ids).values())
    assert repeated.one_in == 1


@given(IDS, st.integers(1, 50), st.integers(1, 50))
def test_the_sample_does_not_depend_on_the_batches(ids: list[str], one: int, other: int) -> None:
    """However the ids come, the same of them are kept."""
    first, second = counted(ids, limit=20, step=one), counted(ids, limit=20, step=other)
    assert (first.count(), first.one_in) == (second.count(), second.one_in)


@pytest.mark.parametrize("repeats", [1, 2, 5])
def test_above_the_limit_it_is_a_good_guess(repeats: int) -> None:
    """From a sample of about a thousand in a hundred thousand, within a tenth or so."""
    ids = [str(n) for n in range(100_000 // repeats)] * repeats
    repeated = counted(ids, limit=4000)
    true = len(ids) - len(ids) // repeats
    assert repeated.one_in > 1
    assert abs(repeated.count() - true) <= 0.12 * true


def test_it_keeps_no_more_than_its_limit() -> None:
    """A million different ids leave no more hashes than there is room for."""
    repeated = counted([str(n) for n in range(200_000)], limit=1000)
    assert len(repeated.hashes) <= 1000


def test_hashes_are_alike_in_every_process() -> None:
    """A worker process and this one agree: the hash does not depend on Python's own seed."""
    assert hash_ids(["m1", "é"]).hex() == "d11f79d4b490b654" + hash_ids(["é"]).hex()
    assert len(hash_ids(["m1", "é"])) == 2 * HASH_BYTES
