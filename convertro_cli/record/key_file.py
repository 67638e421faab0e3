"""Keys for which there is no room in memory, in a temporary file that is a hash table."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.mapping.ledger_key import KEY_BYTES

_BUCKET_BYTES = 4096
_BUCKET_KEYS = _BUCKET_BYTES // KEY_BYTES
_FIRST_BUCKETS = 1 << 12


class KeyFile:
    """A set of keys of two 64-bit words, each with whether it is of a call that failed.

    The words are those of ``SeenCalls``. A key's bucket is a page of the file, so that finding
    one and adding it take one read and one write, whatever the number of keys. Where a bucket is
    full, there are twice as many from then on. The file has no name: nobody else can open it,
    and it is gone with the process. Raises ConvertroError where it cannot be written.
    """

    def __init__(self, buckets: int = _FIRST_BUCKETS) -> None:
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as this is
        except OSError as error:
            raise _cannot_be_written(error) from None
        weakref.finalize(self, self._file.close)
        self._descriptor = self._file.fileno()
        self._taken = array("H", [0] * buckets)  # how many keys each bucket holds

    def find(self, first: int, second: int) -> bool | None:
        """Tell whether the call of a key failed; None where the key is not there."""
        try:
            return _find(self._read(self._bucket_of(first)), first, second)
        except OSError as error:
            raise _cannot_be_written(error) from None

    def add(self, first: int, second: int, *, failed: bool) -> bool | None:
        """Add a key if it is new. Gives None then, else whether the call there failed."""
        try:
            return self._add(first, second, failed=failed)
        except OSError as error:
            raise _cannot_be_written(error) from None

    def _add(self, first: int, second: int, *, failed: bool) -> bool | None:
        bucket = self._bucket_of(first)
        known = _find(self._read(bucket), first, second)
        if known is not None:
            return known
        if self._taken[bucket] == _BUCKET_KEYS:
            self._double()
            return self._add(first, second, failed=failed)
        key = first | (second | failed) << 64
        self._write(bucket, self._taken[bucket], key.to_bytes(KEY_BYTES, "little"))
        return None

    def _bucket_of(self, first: int) -> int:
        return (first >> 32) & (len(self._taken) - 1)

    def _read(self, bucket: int) -> bytes:
        size = self._taken[bucket] * KEY_BYTES
        return os.pread(self._descriptor, size, bucket * _BUCKET_BYTES)

    def _write(self, bucket: int, start: int, keys: bytes) -> None:
        """Write keys into a bucket from a place on, the last of it."""
        self._taken[bucket] = start + len(keys) // KEY_BYTES
        place = bucket * _BUCKET_BYTES + start * KEY_BYTES
        while keys:
            written = os.pwrite(self._descriptor, keys, place)
            keys, place = keys[written:], place + written

    def _double(self) -> None:
        """Divide each bucket in two, by the next bit of its keys."""
        old = len(self._taken)
        self._taken.extend([0] * old)
        for bucket in range(old):
            page, stay, go = self._read(bucket), bytearray(), bytearray()
            for start in range(0, len(page), KEY_BYTES):
                key = page[start : start + KEY_BYTES]
                first = int.from_bytes(key[:8], "little")
                (stay if self._bucket_of(first) == bucket else go).extend(key)
            self._write(bucket, 0, bytes(stay))
            self._write(old + bucket, 0, bytes(go))


def _find(page: bytes, first: int, second: int) -> bool | None:
    wanted = first.to_bytes(8, "little")
    start = page.find(wanted)
    while start >= 0:
        if start % KEY_BYTES == 0:
            found = int.from_bytes(page[start + 8 : start + KEY_BYTES], "little")
            if found & ~1 == second:
                return bool(found & 1)
        start = page.find(wanted, start + 1)
    return None


def _cannot_be_written(error: OSError) -> ConvertroError:
    return ConvertroError(
        f"The temporary file that finds repeated calls cannot be written: {error.strerror}.",
        hint="Free some space, or set TMPDIR to a folder with more of it.",
        exit_code=ExitCode.CANNOT_WRITE_STATE,
    )
