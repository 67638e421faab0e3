"""Compressed files as a stream of plain bytes, told by their content and never by their name."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterator

from convertro_cli.reading.damage import DamagedExport, corrupt, truncated
from convertro_cli.reading.feed import CHUNK, Feed
from convertro_cli.reading.gunzip import Gunzip
from convertro_cli.reading.members import member
from convertro_cli.reading.raw import RawExport
from convertro_cli.reading.zstd import SKIPPABLE_MAGICS, ZSTD_MAGIC, frame

__all__ = ["DamagedExport", "Stream", "open_stream"]

_XZ_MEMORY = 160 << 20  # xz -9 needs 65 MiB to unpack

# Gives out one member or frame of a file, for a file of this name.
_Decoder = Callable[[Feed, str], Iterator[bytes]]


def _gzip(feed: Feed, name: str) -> Iterator[bytes]:
    return member(feed, name, "gzip", Gunzip, loses=False)


def _bzip2(feed: Feed, name: str) -> Iterator[bytes]:
    return member(feed, name, "bzip2", bz2.BZ2Decompressor, loses=True)


def _xz(feed: Feed, name: str) -> Iterator[bytes]:
    return member(feed, name, "xz", _xz_decompressor, loses=True)


def _xz_decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


# By the bytes at the start: the kind, the command that unpacks it, and the decoder.
_MAGICS: dict[bytes, tuple[str, str, _Decoder]] = {
    b"\x1f\x8b": ("gzip", "gzip -dc", _gzip),
    b"BZh": ("bzip2", "bzip2 -dc", _bzip2),
    b"\xfd7zXZ\x00": ("xz", "xz -dc", _xz),
    ZSTD_MAGIC: ("zstd", "zstd -dc", frame),
    **dict.fromkeys(SKIPPABLE_MAGICS, ("zstd", "zstd -dc", frame)),
}


_LONGEST = max(map(len, _MAGICS))


class Stream:
    """The plain bytes of a file: iterate over it for pieces of up to ``CHUNK`` or somewhat more.

    Raises ``DamagedExport`` at a break, after everything before the break was given out, and
    ``OSError`` where the file cannot be read. ``unpack`` is the shell command that unpacks such
    a file, None for a plain one.
    """

    def __init__(self, raw: RawExport, name: str) -> None:
        self._feed = Feed(raw)
        self._name = name
        self._furthest = 0
        self.unpack: str | None = None

    @property
    def steady(self) -> bool:
        """Whether it is read from a file, which never keeps a reader waiting."""
        return self._feed.steady

    @property
    def position(self) -> int:
        """Bytes of the file, as it lies on disk, consumed so far; never goes back."""
        self._furthest = max(self._furthest, self._feed.position)
        return self._furthest

    def __iter__(self) -> Iterator[bytes]:
        pieces = self._pieces()
        # A pipe's reader must not hold on to what has arrived; a file's can join small pieces.
        return _joined(pieces) if self._feed.steady else pieces

    def _pieces(self) -> Iterator[bytes]:
        kind = self._sniff()
        if kind is None:
            while piece := self._feed.read():
                yield piece
            return
        self.unpack = kind[1]
        while kind is not None:
            yield from kind[2](self._feed, self._name)
            _skip_zeros(self._feed)
            if not self._feed.peek(1):
                return
            previous, kind = kind, self._sniff()
        raise corrupt(self._name, previous[0], self._feed.position, "something else follows")

    def _sniff(self) -> tuple[str, str, _Decoder] | None:
        """What the next bytes announce; None if they are plain."""
        if self._feed.steady and len(head := self._feed.peek(_LONGEST)) == _LONGEST:
            return next((kind for magic, kind in _MAGICS.items() if head.startswith(magic)), None)
        for length in range(1, _LONGEST + 1):
            head = self._feed.peek(length)
            if len(head) < length:
                break
            if head in _MAGICS:
                return _MAGICS[head]
            if not any(magic.startswith(head) for magic in _MAGICS):
                return None  # decided without waiting for more bytes than needed
        if not (head.isascii() and head.decode("ascii").isprintable()):  # else a short line
            for magic, (kind, _, _) in _MAGICS.items():
                if magic.startswith(head):
                    raise truncated(self._name, kind, self._feed.fetched)
        return None


def open_stream(raw: RawExport, name: str) -> Stream:
    """The plain bytes of an open export that is plain or packed with gzip, zstd, bzip2 or xz.

    Several packed files one after another are read as one. Memory stays bounded whatever the
    file unpacks to. ``raw`` is not closed.
    """
    return Stream(raw, name)


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of ``CHUNK`` and more."""
    held: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= CHUNK:
                yield held[0] if len(held) == 1 else b"".join(held)
                held, size = [], 0
    except (DamagedExport, OSError):
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def _skip_zeros(feed: Feed) -> None:
    """Pass over the zeros that pad a file to a whole number of blocks."""
    while data := feed.read():
        rest = len(data.lstrip(b"\0"))
        if rest:
            feed.back(rest)
            return
