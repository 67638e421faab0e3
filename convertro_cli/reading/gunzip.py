"""One gzip member, unpacked with the interface of the standard library's other decompressors."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """Like ``bz2.BZ2Decompressor``, except that no output is lost where the data is corrupt."""

    def __init__(self) -> None:
        self._inflate = _fresh()
        self._begun = False
        self._tail = b""
        self._fault: zlib.error | None = None

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._tail and self._fault is None

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` bytes; raises ``zlib.error`` at, and not before, a break."""
        if self._fault is not None:
            raise self._fault
        data = self._tail or data
        # A copy takes as long as to unpack a small file, and at the beginning there is none needed.
        before = self._inflate.copy() if self._begun else None
        self._begun = True
        try:
            output = self._inflate.decompress(data, max_length)
        except zlib.error as error:
            self._tail, self._fault = b"", error
            return _up_to_break(before or _fresh(), data, max_length)
        self._tail = self._inflate.unconsumed_tail
        return output


def _fresh() -> _Decompress:
    return zlib.decompressobj(wbits=_GZIP)


def _up_to_break(before: _Decompress, data: bytes, max_length: int) -> bytes:
    """What the part of ``data`` before the break unpacks to: a search for the last good byte."""
    good, bad = -1, len(data)  # even without more input there may be output left
    output = b""
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            output = before.copy().decompress(data[:middle], max_length)
        except zlib.error:
            bad = middle
        else:
            good = middle
    return output
