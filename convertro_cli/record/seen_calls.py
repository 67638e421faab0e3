"""The calls that came before in a run, however many: exact, in a fixed amount of memory."""

from __future__ import annotations

from array import array
from mmap import mmap

from convertro_cli.mapping.ledger_key import KEY_BYTES
from convertro_cli.record.key_file import KeyFile

MOST_IN_MEMORY = 1_500_000


class SeenCalls:
    """The keys of calls, each with whether it failed; 127 of its 128 bits are looked at.

    ``most`` of them lie in a table, of 32 MiB by default (open addressing, so that a key takes 16
    bytes where a Python object takes 49); memory that is never touched is never taken. Further ones
    go to a temporary file. Raises ConvertroError where that cannot be written.
    """

    def __init__(self, most: int = MOST_IN_MEMORY) -> None:
        self._most = most
        self._kept = 0
        slots = 1 << (most * 4 // 3).bit_length()
        self._mask = slots - 1
        # Two words a slot: the second one is never 0 where it is taken, as its last two bits
        # are 10 for a call and 11 for one that failed.
        self._words = memoryview(mmap(-1, slots * KEY_BYTES)).cast("Q")
        self._overflow: KeyFile | None = None

    def add(self, key: bytes, *, failed: bool = False) -> bool | None:
        """Take a call in if it is new. Gives None then, else whether the one before failed."""
        first = int.from_bytes(key[:8], "little")
        second = (int.from_bytes(key[8:], "little") | 3) ^ 1
        return self._add(first, second, failed=failed)

    def find(self, key: bytes) -> bool | None:
        """Tell whether a call failed that came before; None where none did."""
        first = int.from_bytes(key[:8], "little")
        second = (int.from_bytes(key[8:], "little") | 3) ^ 1
        words, slot = self._words, (first & self._mask) << 1
        while known := words[slot | 1]:
            if words[slot] == first and known & ~1 == second:
                return bool(known & 1)
            slot = (slot + 2) & (2 * self._mask + 1)
        return self._overflow.find(first, second) if self._overflow is not None else None

    def add_all(self, keys: bytes) -> list[tuple[int, bool]]:
        """Take in calls, their keys end to end. Gives the index of each that came before.

        With it stands whether that one failed.
        """
        pairs = array("Q")
        pairs.frombytes(keys)
        words, mask = self._words, self._mask
        top = 2 * mask + 1
        before: list[tuple[int, bool]] = []
        halves = iter(pairs)
        for index, (first, rest) in enumerate(zip(halves, halves, strict=True)):
            slot, second = (first & mask) << 1, (rest | 3) ^ 1
            while known := words[slot | 1]:
                if words[slot] == first and known & ~1 == second:
                    before.append((index, bool(known & 1)))
                    break
                slot = (slot + 2) & top
            else:
                if self._kept < self._most:
                    self._kept += 1
                    words[slot], words[slot | 1] = first, second
                elif (known_failed := self._beyond.add(first, second, failed=False)) is not None:
                    before.append((index, known_failed))
        return before

    def _add(self, first: int, second: int, *, failed: bool) -> bool | None:
        words, slot = self._words, (first & self._mask) << 1
        while known := words[slot | 1]:
            if words[slot] == first and known & ~1 == second:
                return bool(known & 1)
            slot = (slot + 2) & (2 * self._mask + 1)
        if self._kept >= self._most:
            return self._beyond.add(first, second, failed=failed)
        self._kept += 1
        words[slot], words[slot | 1] = first, second | failed
        return None

    @property
    def _beyond(self) -> KeyFile:
        if self._overflow is None:
            self._overflow = KeyFile()
        return self._overflow
