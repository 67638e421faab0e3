"""Counting what was delivered under another type: each message once, and of any number of kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import pytest

from convertro_cli.mapping.retyping import TypedKeys
from convertro_cli.record.ledger import CallState, Settled
from convertro_cli.run.retyped import Retyped, RetypedSearch


class Known:
    """Calls that are settled, by their names."""

    def __init__(self, sent: Sequence[str] = (), failed: Sequence[str] = ()) -> None:
        self._settled = {key(name): Settled(CallState.SENT, 1) for name in sent}
        self._settled |= {key(name): Settled(CallState.FAILED, 1) for name in failed}

    def look_up(self, keys: Sequence[bytes]) -> Mapping[bytes, Settled]:
        return {each: self._settled[each] for each in keys if each in self._settled}


def key(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=16).digest()


def message(name: str, now: str, before: str, *, is_order: bool = True) -> TypedKeys:
    """A message with event types now and before, several apart by blanks."""
    sides = [[(each, key(f"{name} {each}")) for each in side.split()] for side in (now, before)]
    return is_order, sides[0], sides[1]


@pytest.mark.parametrize(
    ("sent", "now", "before", "found"),
    [
        (["m old"], "new", "old", Retyped(("old",), ("new",), True)),
        (["m old"], "new newer", "older old", Retyped(("old",), ("new", "newer"), True)),
        (["m old", "m new"], "new newer", "old", Retyped(("old",), ("newer",), True)),
        (["m old", "m new"], "new", "old", None),  # it is known under both: nothing goes out
        ([], "new", "old", None),
        (["other old"], "new", "old", None),
    ],
)
def test_what_counts(sent: list[str], now: str, before: str, found: Retyped | None) -> None:
    """A message counts where it is delivered under a type of before, and not under one of now."""
    search = RetypedSearch(Known(sent))
    search.review([message("m", now, before)])
    assert dict(search.counts) == ({found: 1} if found else {})


def test_what_failed_was_not_delivered() -> None:
    """An event that failed for good under its old type is not at Convertro yet."""
    search = RetypedSearch(Known(failed=["m old"]))
    search.review([message("m", "new", "old")])
    assert not search.total
    assert search.in_words() == []


def test_a_copy_counts_once() -> None:
    """A message that comes again, in this batch or in another, is sent once."""
    search = RetypedSearch(Known(["m old"]))
    search.review([message("m", "new", "old")] * 2)
    search.review([message("m", "new", "old")])
    assert search.total == 1
    assert search.in_words()[0] == "1 order delivered as old would go out again as new."


def test_any_number_of_kinds() -> None:
    """Of very many kinds the most frequent are told, and the rest is summed up."""
    names = [str(number) for number in range(1_500)]
    search = RetypedSearch(Known([f"{name} old{name}" for name in names]))
    search.review([message(name, "new", f"old{name}", is_order=False) for name in names])
    sentences = search.in_words()
    assert search.total == 1_500
    assert len(search.counts) == 1_000
    assert sentences[-2] == "1,490 events of other types would go out again, too."
    assert sentences[0] == "1 event delivered as old0 would go out again as new."
    assert sum(group["count"] for group in search.as_json()) == 1_500
