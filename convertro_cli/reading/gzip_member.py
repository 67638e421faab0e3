"""One gzip member, unpacked with the interface of the standard library's other decompressors."""

from __future__ import annotations

import zlib

_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """Like ``bz2.BZ2Decompressor``: input that has not been used yet is kept inside."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=_GZIP)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` bytes. ``data`` counts only where input is needed."""
        return self._inflate.decompress(self._inflate.unconsumed_tail or data, max_length)
