"""One frame of a zstd file, unpacked block by block.

The library unpacks whatever it is fed at once, and a few bytes can unpack to gigabytes. Fed one
block at a time it cannot give more than 128 KiB, all blocks before a break are out when it comes,
and a frame that breaks off is told from one that ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from convertro_cli.reading.damage import corrupt, too_large, truncated
from convertro_cli.reading.feed import CHUNK, Feed

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE_MAGICS = tuple(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))

_REPEATED = 1  # the kind of block that is one byte and how often it stands
_WINDOW = 128 << 20  # what zstd itself unpacks without --long


def frame(feed: Feed, name: str) -> Iterator[bytes]:
    """The plain bytes of the frame that ``feed`` stands at; leaves it at the frame's end."""
    if feed.peek(4) in SKIPPABLE_MAGICS:
        _skip(feed, name)
        return
    import zstandard  # noqa: PLC0415 - only where such a file is met

    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    for part in _parts(feed, name):
        try:
            piece = decoder.decompress(part)
        except zstandard.ZstdError as error:
            if "too much memory" in str(error):
                raise too_large(name, "zstd -dc --long=31") from error
            raise corrupt(name, "zstd", feed.position, str(error)) from error
        if piece:
            yield piece


def _parts(feed: Feed, name: str) -> Iterator[bytes]:
    """The frame's header, each of its blocks, and its checksum (RFC 8878, 3.1.1).

    The part that the file breaks off in is given out as well: it may hold plain bytes.
    """
    descriptor = _whole(feed.peek(5), 5, feed, name)[4]
    single = descriptor >> 5 & 1
    sizes = (1 if single else 0, 2, 4, 8)[descriptor >> 6] + (0, 1, 2, 4)[descriptor & 3]
    yield feed.take(5 + (1 - single) + sizes)
    last = False
    while not last:
        header = _whole(feed.take(3), 3, feed, name)
        number = int.from_bytes(header, "little")
        last, kind, size = bool(number & 1), number >> 1 & 3, number >> 3
        count = 1 if kind == _REPEATED else size
        body = feed.take(count)
        yield header + body
        _whole(body, count, feed, name)
    if descriptor >> 2 & 1:
        checksum = feed.take(4)
        yield _whole(checksum, 4, feed, name)


def _skip(feed: Feed, name: str) -> None:
    """Pass over a frame that holds no data, such as pzstd's sizes or a seek table."""
    left = int.from_bytes(_whole(feed.take(8), 8, feed, name)[4:], "little")
    while left:
        count = min(left, CHUNK)
        left -= len(_whole(feed.take(count), count, feed, name))


def _whole(data: bytes, count: int, feed: Feed, name: str) -> bytes:
    if len(data) < count:
        raise truncated(name, "zstd", feed.fetched)
    return data
