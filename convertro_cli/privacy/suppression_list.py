"""A list of user ids to look up in, of any length, shared by all processes of a run.

It is one file, mapped into each process. Its parts, one after another:

- ``starts``: where the records of each bucket begin, as 32-bit offsets into the file; one more
  than there are buckets. An id's bucket is the first bits of its digest.
- ``seen``: a bitmap by the CRC-32 of the ids. Nearly all users are not on the list, and this
  tells so of 8 in 9 of them, for a third of what a look at the records costs.
- the records: the last 14 bytes of each id's digest of 16 (BLAKE2b), sorted.

So an id costs some 16 bytes, once for all processes. A user who is not on the list is taken for
one who is only where 112 bits agree: for a list of a million, once in 10^28 users.
"""

from __future__ import annotations

import mmap
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import crc32

from convertro_cli.workers.inherited import InheritedFile

DIGEST_BYTES = 16
RECORD_BYTES = 14

_LEAST_BITS, _MOST_BITS = 8, 22
_IDS_A_BUCKET_BITS = 2
_SEEN_BITS_A_BUCKET = 5  # 32 bits for a bucket of 2 to 4 ids


class Layout(NamedTuple):
    """Where the parts of a list's file are, for a list of up to so many ids.

    A bucket is ``first three bytes of the digest >> bucket_shift``, a bit of ``seen`` is
    ``CRC-32 >> seen_shift``; the others are offsets in bytes.
    """

    bucket_shift: int
    seen_shift: int
    seen: int
    records: int

    @property
    def buckets(self) -> int:
        """The number of buckets."""
        return 1 << (24 - self.bucket_shift)

    @classmethod
    def of(cls, ids: int) -> Layout:
        """Give the layout for a number of ids."""
        bits = min(max(ids.bit_length() - _IDS_A_BUCKET_BITS, _LEAST_BITS), _MOST_BITS)
        seen_bits = bits + _SEEN_BITS_A_BUCKET
        seen = ((1 << bits) + 1) * 4
        return cls(24 - bits, 32 - seen_bits, seen, seen + (1 << seen_bits) // 8)


def digest_of(encoded: bytes) -> bytes:
    """Give the digest of an id's UTF-8."""
    return blake2b(encoded, digest_size=DIGEST_BYTES).digest()


def encode_id(user_id: str) -> bytes:
    """Give an id's UTF-8. What no UTF-8 can hold, half of a surrogate pair, is never alike."""
    return user_id.encode("utf-8", "surrogatepass")


class SuppressionList:
    """The user ids whose messages are not sent: ``user_id in suppressed``.

    Ids are compared whole, as text. A pickle of it is a few bytes: see ``InheritedFile``.
    """

    def __init__(self, file: InheritedFile, ids: int, most: int) -> None:
        """Take a file that ``ListBuilder`` wrote: for up to ``most`` ids, with ``ids`` in it."""
        self._file = file
        self._ids = ids
        self._most = most
        layout = Layout.of(most)
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._find = mapped.find
        self._starts = memoryview(mapped)[: layout.seen].cast("I")
        self._seen = memoryview(mapped)[layout.seen : layout.records]
        self._bucket_shift = layout.bucket_shift
        self._seen_shift = layout.seen_shift

    def __reduce__(self) -> tuple[type[SuppressionList], tuple[InheritedFile, int, int]]:
        return SuppressionList, (self._file, self._ids, self._most)

    def __len__(self) -> int:
        """The number of different ids."""
        return self._ids

    def __contains__(self, user_id: Any) -> bool:
        encoded = user_id.encode("utf-8", "surrogatepass")
        bit = crc32(encoded) >> self._seen_shift
        if not self._seen[bit >> 3] >> (bit & 7) & 1:
            return False
        digest = blake2b(encoded, digest_size=DIGEST_BYTES).digest()
        bucket = (digest[0] << 16 | digest[1] << 8 | digest[2]) >> self._bucket_shift
        starts = self._starts
        return self._find(digest[-RECORD_BYTES:], starts[bucket], starts[bucket + 1]) >= 0
