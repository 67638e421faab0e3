"""Which message ids were used before for a different message, found in a fixed amount of memory."""

from __future__ import annotations

from mmap import mmap

from convertro_cli.mapping.ledger_key import Identity

MOST_KEPT = 1_500_000

_SLOTS = 1 << 21
_OF_IDENTITY = (1 << 24) - 1
_64_BITS = (1 << 64) - 1


class MessageIds:
    """Remembers the first message of each id: of the first ``most`` ids that come.

    An id is known by 40 bits of a hash and the place they lie at, which another 21 decide: two
    ids are taken for one in fewer than one of a hundred million. The table is made whole at
    once, but memory that is never touched is never taken.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept = 0
        # In each slot 40 bits of the id's hash and 24 of the message's; 0 where it is free.
        self._slots = memoryview(mmap(-1, _SLOTS * 8)).cast("Q")

    def is_shared(self, identity: Identity) -> bool:
        """Whether the first message with this message's id was a different one."""
        message_id, text = identity
        if message_id is None:
            return False
        hashed = hash(message_id) & _64_BITS
        entry = (hashed & ~_OF_IDENTITY) | (hash(text) & _OF_IDENTITY) or 1
        slots, slot = self._slots, hashed & (_SLOTS - 1)
        while known := slots[slot]:
            if known == entry:
                return False
            if known ^ entry <= _OF_IDENTITY:
                return True
            slot = (slot + 1) & (_SLOTS - 1)
        if self._kept < self._most:
            self._kept += 1
            slots[slot] = entry
        return False
