"""Which message ids were used before for a different message, found in a fixed amount of memory."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import mmap

MOST_MESSAGE_IDS = 1_500_000

_SLOTS = 1 << 21
_OF_IDENTITY = (1 << 24) - 1
_OF_ID = (1 << 64) - 1 - _OF_IDENTITY


class MessageIds:
    """Remembers the first message of each id: of the first ``most`` ids that come.

    An id is known by 40 bits of a hash and the place they lie at, which another 21 decide: two
    ids are taken for one in fewer than one of a hundred million. The table is made whole at
    once, but memory that is never touched is never taken.
    """

    def __init__(self, most: int = MOST_MESSAGE_IDS) -> None:
        self._most = most
        self._kept = 0
        # In each slot 40 bits of the id's hash and 24 of the message's; 0 where it is free.
        self._slots = memoryview(mmap(-1, _SLOTS * 8)).cast("Q")

    def find_shared(self, messages: Iterable[tuple[int, int, int]]) -> list[int]:
        """Give the numbers of messages whose id was used before, by another message.

        The messages come in order, each with its number, a hash of its id, 0 where it has none,
        and a hash of all that tells it from others.
        """
        slots, most, mask = self._slots, self._most, _SLOTS - 1
        shared: list[int] = []
        for number, of_id, of_all in messages:
            if not of_id:
                continue
            entry = (of_id & _OF_ID) | (of_all & _OF_IDENTITY) or 1
            slot = of_id & mask
            while (known := slots[slot]) and known ^ entry > _OF_IDENTITY:
                slot = (slot + 1) & mask
            if known:
                if known != entry:
                    shared.append(number)
            elif self._kept < most:
                self._kept += 1
                slots[slot] = entry
        return shared
