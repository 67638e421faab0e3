"""Packs bytes in each way that exports come in, and unpacks them in the plainest way there is."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from convertro_cli.reading.zstd import ZstdError, unzstd

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor
else:
    from backports.zstd import CompressionParameter, ZstdCompressor

_CHECKED: dict[int, int] = {CompressionParameter.checksum_flag: 1}

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": lambda data: zstd_packer().compress(data, ZstdCompressor.FLUSH_FRAME),
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32, preset=0),
}
PACKED = [kind for kind in PACKERS if kind != "plain"]

_UNPACKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zstd": unzstd,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


def unpack_bytewise(kind: str, packed: bytes, sound: int = 1) -> tuple[bytes, bool]:
    """All that comes out before the first byte that is refused, and whether the end was reached.

    Fed byte by byte, a decompressor can keep nothing back; the first bytes, so many as are
    ``sound``, are fed at once.
    """
    unpacker = _UNPACKERS[kind]()
    parts: list[bytes] = []
    try:
        for start, end in pairwise((0, *range(sound, len(packed) + 1))):
            if unpacker.eof:
                return b"".join(parts), False
            parts.append(unpacker.decompress(packed[start:end]))
            while parts[-1] and not unpacker.eof:  # bz2 may not give all of it at once
                parts.append(unpacker.decompress(b""))
    except (zlib.error, OSError, lzma.LZMAError, ZstdError):
        return b"".join(parts), False
    return b"".join(parts), unpacker.eof


def zstd_packer(window_log: int | None = None) -> ZstdCompressor:
    """A compressor whose frames have a checksum, and a window as wide as wanted."""
    wide: dict[int, int] = (
        {} if window_log is None else {CompressionParameter.window_log: window_log}
    )
    return ZstdCompressor(options=_CHECKED | wide)


def zstd_in_blocks(parts: list[bytes]) -> bytes:
    """One frame with a block for each part, as a program writes it that flushes."""
    packer = zstd_packer()
    blocks = [packer.compress(part, ZstdCompressor.FLUSH_BLOCK) for part in parts]
    return b"".join(blocks) + packer.flush()
