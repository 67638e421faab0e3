"""One member or frame of a packed file, unpacked in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from convertro_cli.reading.damage import corrupt, too_large, truncated
from convertro_cli.reading.feed import Feed
from convertro_cli.reading.raw import CHUNK

_SLICE = 32 * 1024
_REREAD = 32 << 20  # some seconds of unpacking; longer would hold up the whole run
_MEMORY_LIMIT = ("limit exceeded", "too much memory")  # xz's words, and zstd's


class Decompressor(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Codec(NamedTuple):
    """A kind of packed file: its name, the command that unpacks one, and how it is done here.

    ``errors`` are what the decompressor raises where the data is spoiled; ``unpack_large`` is
    the command for a file that takes more memory than a run may have.
    """

    kind: str
    unpack: str
    decompressor: Callable[[], Decompressor]
    errors: tuple[type[Exception], ...]
    unpack_large: str = ""


def member(feed: Feed, name: str, codec: Codec) -> Iterator[bytes]:
    """The plain bytes of the member that ``feed`` stands at; leaves it at the member's end."""
    start, given = feed.position, 0
    current = codec.decompressor()
    while not current.eof:
        before = feed.position
        data = feed.read(_SLICE)
        try:
            for piece in _unpacked(current, data):
                if piece:
                    given += len(piece)
                    yield piece
        except codec.errors as error:
            if any(words in str(error) for words in _MEMORY_LIMIT):
                raise too_large(name, codec.unpack_large) from error
            if feed.steady:
                yield from _up_to_break(feed, start, before, given, codec)
            raise corrupt(name, codec.kind, before, str(error)) from error
        if not data and not current.eof:
            raise truncated(name, codec.kind, feed.position)
    feed.back(len(current.unused_data))


def _unpacked(decompressor: Decompressor, data: bytes) -> Iterator[bytes]:
    """All that ``data`` unpacks to, in pieces of at most ``CHUNK``.

    Some say that they need input while they still have output, so the output is what tells.
    """
    yield (piece := decompressor.decompress(data, CHUNK))
    while not decompressor.eof and (piece or not decompressor.needs_input):
        yield (piece := decompressor.decompress(b"", CHUNK))


def _up_to_break(feed: Feed, start: int, before: int, given: int, codec: Codec) -> Iterator[bytes]:
    """What lies between the bytes given out and the break.

    A decompressor that meets an error keeps to itself what it had unpacked in the same call. So
    the member is unpacked once more, byte by byte in the slice with the break, which shows all
    of it. Where that is impossible (a pipe) or would take too long, the rest of this slice is
    lost.
    """
    if before - start > _REREAD:
        return
    decompressor = codec.decompressor()
    try:
        while start < before:
            data = feed.reread(start, min(start + _SLICE, before))
            start += len(data)
            given -= sum(map(len, _unpacked(decompressor, data)))
        for byte in feed.reread(before, feed.position):
            for piece in _unpacked(decompressor, bytes([byte])):
                yield piece[given:]
                given = max(0, given - len(piece))
    except codec.errors:
        return
