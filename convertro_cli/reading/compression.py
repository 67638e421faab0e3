"""Compressed files as a stream of plain bytes, told by their content and never by their name."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator

from convertro_cli.reading.damage import DamagedExport, corrupt, truncated
from convertro_cli.reading.feed import Feed
from convertro_cli.reading.gzip_member import Gunzip
from convertro_cli.reading.members import Codec, member
from convertro_cli.reading.raw import CHUNK, RawExport

_SMALL = 32 << 10
_XZ_MEMORY = 160 << 20  # xz -9 needs 65 MiB to unpack

_ZSTD_MAGICS = (
    b"\x28\xb5\x2f\xfd",
    # Frames that hold no data, such as pzstd's sizes or a seek table.
    *(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60)),
)


def _gzip() -> Codec:
    return Codec("gzip", "gzip -dc", Gunzip, (zlib.error,))


def _bzip2() -> Codec:
    return Codec("bzip2", "bzip2 -dc", bz2.BZ2Decompressor, (OSError, ValueError))


def _xz() -> Codec:
    return Codec("xz", "xz -dc", _unxz, (lzma.LZMAError,), "xz -dc")


def _unxz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def _zstd() -> Codec:
    # Only where such a file is met: importing it takes as long as starting without it.
    from convertro_cli.reading.zstd import ZstdError, unzstd  # noqa: PLC0415

    return Codec("zstd", "zstd -dc", unzstd, (ZstdError,), "zstd -dc --long=31")


# By the bytes at the start.
_MAGICS: dict[bytes, Callable[[], Codec]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ\x00": _xz,
    **dict.fromkeys(_ZSTD_MAGICS, _zstd),
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
        self._whole: bytes | None = None
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

    def whole(self) -> bytes | None:
        """All the plain bytes of a small file that is sound, in one step; else None.

        Whoever iterates gets them all the same. There may be a hundred thousand such files, and
        step by step each takes longer than what is in it.
        """
        packed = self._feed.whole(_SMALL)
        if packed is None or len(packed) < _LONGEST:
            return None
        codec = _codec_of(packed)
        data = packed if codec is None else _at_once(packed, codec)
        if data is not None:
            self.unpack = None if codec is None else codec.unpack
            self._feed.take(len(packed))
            self._whole = data
        return data

    def __iter__(self) -> Iterator[bytes]:
        if self._whole is not None:
            return iter((self._whole,) if self._whole else ())
        pieces = self._pieces()
        # A pipe's reader must not hold on to what has arrived; a file's can join small pieces.
        return _joined(pieces) if self._feed.steady else pieces

    def _pieces(self) -> Iterator[bytes]:
        codec = self._sniff()
        if codec is None:
            while piece := self._feed.read():
                yield piece
            return
        self.unpack = codec.unpack
        while codec is not None:
            yield from member(self._feed, self._name, codec)
            _skip_zeros(self._feed)
            if not self._feed.peek(1):
                return
            previous, codec = codec, self._sniff()
        raise corrupt(self._name, previous.kind, self._feed.position, "something else follows")

    def _sniff(self) -> Codec | None:
        """What the next bytes announce; None if they are plain."""
        if self._feed.steady and len(head := self._feed.peek(_LONGEST)) == _LONGEST:
            return _codec_of(head)
        for length in range(1, _LONGEST + 1):
            head = self._feed.peek(length)
            if len(head) < length:
                break
            if head in _MAGICS:
                return _MAGICS[head]()
            if not any(magic.startswith(head) for magic in _MAGICS):
                return None  # decided without waiting for more bytes than needed
        if not (head.isascii() and head.decode("ascii").isprintable()):  # else a short line
            for magic, kind in _MAGICS.items():
                if magic.startswith(head):
                    raise truncated(self._name, kind().kind, self._feed.fetched)
        return None


def _at_once(packed: bytes, codec: Codec) -> bytes | None:
    """Give what one member unpacks to; None where it is damaged, large, or not all there is."""
    current = codec.decompressor()
    try:
        data = current.decompress(packed, CHUNK)
    except codec.errors:
        return None  # step by step it is found out where
    return data if current.eof and not current.unused_data else None


def _codec_of(head: bytes) -> Codec | None:
    """Give what the first bytes of a file announce; they are all of them that may be needed."""
    for magic, codec in _MAGICS.items():
        if head.startswith(magic):
            return codec()
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
