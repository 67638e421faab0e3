"""Files that are no text, told by how they begin, each with the way to make lines of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from convertro_cli.reading.arrays import begins_array
from convertro_cli.reading.compression import Stream
from convertro_cli.reading.cutting import KEPT_LINE
from convertro_cli.reading.damage import DamagedExport
from convertro_cli.reading.paths import for_shell
from convertro_cli.text import visible

_UTF8_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_TAR = slice(257, 262)
_ENOUGH = 512  # bytes that tell a file's kind: a tar archive's first block
_PIECE = 1 << 20  # what was held back is given out so, as all else is in small pieces
_BLANK_LEAD = 64 * 1024  # of blank lines before the first that counts

# What a file that begins so is, and the command that makes lines of it.
_CONVERTED = {
    b"\xff\xfe\x00\x00": ("text in UTF-32, not UTF-8", "iconv -f UTF-32 -t UTF-8"),
    b"\x00\x00\xfe\xff": ("text in UTF-32, not UTF-8", "iconv -f UTF-32 -t UTF-8"),
    b"\xff\xfe": ("text in UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"),
    b"\xfe\xff": ("text in UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"),
    b"PK\x03\x04": ("a ZIP archive", "unzip -p"),
    b"Obj\x01": ("an Avro file", "avro-tools tojson"),
    b"\x04\x22\x4d\x18": ("packed with LZ4", "lz4 -dc"),
    # The outer packing is gone by now.
    b"\x1f\x8b": ("packed twice", "gzip -dc"),
    b"\x28\xb5\x2f\xfd": ("packed twice", "zstd -dc"),
}
# The same where no single command does it.
_LINES_INSTEAD = "export the messages as newline-delimited JSON instead"
_EXTRACT = "extract it and replay the files in it"
_OTHERS = {
    b"PAR1": ("a Parquet file", _LINES_INSTEAD),
    b"ORC": ("an ORC file", _LINES_INSTEAD),
    b"SQLite format 3\x00": ("an SQLite database", _LINES_INSTEAD),
    b"PK\x05\x06": ("an empty ZIP archive", _EXTRACT),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _EXTRACT),
}

_MAGICS = (*_CONVERTED, *_OTHERS)


def text(stream: Stream, name: str) -> Iterator[bytes]:
    """The stream's pieces without a UTF-8 byte order mark.

    Raises ``DamagedExport`` in place of the first piece if the file is of another kind. The first
    piece is held back until that is clear, and whether the file begins with an array of objects.
    """
    pieces = iter(stream)
    first = next(pieces, b"")
    if first.startswith(b"{") and b"\n" in first:  # as in nearly every file: all is clear
        _refuse(first, name, stream.unpack)
        yield first
        yield from pieces
    else:
        yield from _held_back(chain((first,), pieces), name, stream)


def _held_back(pieces: Iterator[bytes], name: str, stream: Stream) -> Iterator[bytes]:
    head = bytearray()
    fault: DamagedExport | OSError | None = None
    try:
        for piece in pieces:
            head += piece
            if _is_clear(head):
                break
    except (DamagedExport, OSError) as error:
        fault = error
    start = bytes(head)
    _refuse(start, name, stream.unpack)
    start = start.removeprefix(_UTF8_BOM)
    for at in range(0, len(start), _PIECE):
        yield start[at : at + _PIECE]
    if fault is not None:
        raise fault
    yield from pieces


def _is_clear(head: bytearray) -> bool:
    """Whether these bytes suffice to tell a file of lines from any other."""
    if b"\n" not in head and len(head) < _ENOUGH:
        return False
    line = head.removeprefix(_UTF8_BOM).lstrip(_BLANK)
    if not line:
        return len(head) > _BLANK_LEAD
    return begins_array(bytes(line)) is not None or len(line) > KEPT_LINE


def may_be_text(head: bytes) -> bool:
    """Whether a file that begins so is of no kind that is known and is no text."""
    return not head.startswith(_MAGICS) and head[_TAR] != b"ustar"


def _refuse(head: bytes, name: str, unpack: str | None) -> None:
    if may_be_text(head):
        return  # as nearly every file, and there may be a great many
    for magic, (what, command) in _CONVERTED.items():
        if head.startswith(magic):
            raise _foreign(name, f"is {what}", "Convert it: " + shell(command, name, unpack))
    for magic, (what, advice) in _OTHERS.items():
        if head.startswith(magic):
            raise _foreign(name, f"is {what}", advice.capitalize())
    if head[_TAR] == b"ustar":
        raise _foreign(name, "is a tar archive", _EXTRACT.capitalize())


def _foreign(name: str, what: str, fix: str) -> DamagedExport:
    return DamagedExport(f"{visible(name)} {what}; nothing of it was used. {fix}")


def shell(command: str, name: str, unpack: str | None) -> str:
    """The line for a shell that makes lines of the file, unpacking it first where it is packed."""
    file, lines = for_shell(name), for_shell(f"{name}.ndjson")
    if unpack is None:
        return f"{command} {file} > {lines}"
    return f"{unpack} {file} | {command} > {lines}"
