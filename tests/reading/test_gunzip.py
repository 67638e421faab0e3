"""Gzip members are unpacked up to a break, whatever the sizes of input and output."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import example, given
from hypothesis import strategies as st

from convertro_cli.reading.gunzip import Gunzip
from tests.reading.packing import unpack_bytewise

DATA = b"".join(b'{"n":%d,"s":"%s"}\n' % (n, b"ab" * (n * n)) for n in range(25))
PACKED = gzip.compress(DATA, mtime=0)


@given(st.integers(10, len(PACKED) - 1), st.integers(1, 255), st.integers(1, 700), st.booleans())
@example(len(PACKED) - 1, 1, 1, True)
@example(len(PACKED) - 8, 1, 258, True)
def test_no_output_is_lost_at_a_break(at: int, flip: int, limit: int, at_once: bool) -> None:
    """All that a decoder gives which is fed byte by byte comes out, and then the error."""
    spoiled = PACKED[:at] + bytes([PACKED[at] ^ flip]) + PACKED[at + 1 :]
    gunzip = Gunzip()
    slices = [spoiled] if at_once else [spoiled[n : n + 40] for n in range(0, len(spoiled), 40)]
    output = b""
    failed = False
    try:
        for data in slices:
            output += (piece := gunzip.decompress(data, limit))
            while not gunzip.eof and (piece or not gunzip.needs_input):
                output += (piece := gunzip.decompress(b"", limit))
    except zlib.error:
        failed = True
    expected, whole = unpack_bytewise("gzip", spoiled)
    assert (output, gunzip.eof, failed) == (expected, whole, failed)
