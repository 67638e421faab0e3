"""How many messages carry an id that another one before them had.

Ids are kept as 64-bit hashes: all of them up to a million, then only those whose last bit is 0,
then those whose last two bits are 0, and so on. Messages of one id share its hash, so they are
all in such a sample or none is, and what repeats in the sample stands for the whole.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from hashlib import blake2b

HASH_BYTES = 8
MOST_IDS = 1_000_000

_QUARTERS = 4


def hash_ids(ids: Iterable[str]) -> bytes:
    """Give the hashes under which ids are counted, one after another; alike in every process."""
    return b"".join([blake2b(one.encode(), digest_size=HASH_BYTES).digest() for one in ids])


class RepeatedIds:
    """Collects the ``hashes`` of ids within a bound; exact until ``limit`` of them have come."""

    def __init__(self, limit: int = MOST_IDS) -> None:
        self._limit = limit
        self.hashes = array("Q")
        self._bits = 0

    @property
    def one_in(self) -> int:
        """How many ids one id of the sample stands for; 1 where all are kept."""
        return 1 << self._bits

    def note(self, hashes: bytes) -> None:
        """Take in hashes, ``HASH_BYTES`` each."""
        more = array("Q")
        more.frombytes(hashes)
        self._take(more)

    def add(self, other: RepeatedIds) -> None:
        """Take in the hashes of another part."""
        self._take(other.hashes)

    def _take(self, more: array[int]) -> None:
        self.hashes.extend(self._sample(more))
        while len(self.hashes) > self._limit and self._bits < 63:
            self._bits += 1
            self.hashes = self._sample(self.hashes)

    def count(self) -> int:
        """Give the number of messages with an id that came before, scaled up from the sample."""
        repeats = len(self.hashes)
        # A quarter at a time: a set of all of them at once would be the largest thing in memory.
        for quarter in range(_QUARTERS):
            repeats -= len({one for one in self.hashes if one >> 62 == quarter})
        return repeats << self._bits

    def _sample(self, hashes: array[int]) -> array[int]:
        if not self._bits:
            return hashes
        mask = self.one_in - 1
        return array("Q", [one for one in hashes if not one & mask])
