"""Packs bytes in each way that exports come in, and unpacks them in the plainest way there is."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import Any

import zstandard

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, check=lzma.CHECK_CRC32, preset=0),
}
PACKED = [kind for kind in PACKERS if kind != "plain"]

_UNPACKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zstd": lambda: zstandard.ZstdDecompressor(max_window_size=128 << 20).decompressobj(),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


def unpack_bytewise(kind: str, packed: bytes) -> tuple[bytes, bool]:
    """All that comes out before the first byte that is refused, and whether the end was reached.

    Fed byte by byte, a decompressor can keep nothing back.
    """
    unpacker = _UNPACKERS[kind]()
    parts: list[bytes] = []
    try:
        for at in range(len(packed)):
            if unpacker.eof:
                return b"".join(parts), False
            parts.append(unpacker.decompress(packed[at : at + 1]))
            while parts[-1] and not unpacker.eof:  # bz2 may not give all of it at once
                parts.append(unpacker.decompress(b""))
    except (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError):
        return b"".join(parts), False
    return b"".join(parts), unpacker.eof


def zstd_in_blocks(parts: list[bytes]) -> bytes:
    """One frame with a block for each part, as a program writes it that flushes."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    blocks = [
        packer.compress(part) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for part in parts
    ]
    return b"".join(blocks) + packer.flush()
