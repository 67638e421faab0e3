"""What the reader hands on: batches of whole lines, each with its place.

It stands apart from the reading itself, so that whoever gets batches need not load what reads
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict, replace

if TYPE_CHECKING:
    from convertro_cli.reading.identity import FileIdentity

MAX_LINE = 1 << 20  # a longer line is no message: Segment takes 32 KiB at most
BATCH_BYTES = 256 * 1024

Items = tuple[tuple[int, int | None], ...]
"""For each line its number in the file, and for an item of an array its index, from 0."""


PLACE = r"(?s)(?P<file>.*):(?P<line>[0-9]{1,18})(?:\[(?P<index>[0-9]{1,18})\])?"
"""A place as ``place`` writes it, as a regular expression."""


def place(source: str, line: int, index: int | None = None) -> str:
    """Write where a line is from, or an item of the array in a line."""
    return f"{source}:{line}" if index is None else f"{source}:{line}[{index}]"


class FileEnd(Struct, frozen=True):
    """How the reading of a file ended.

    ``damage`` is None if it was read to its end, else a sentence: what is wrong, where, and the
    fix. ``identity`` is there to recognise the file by; None for standard input and pipes, for
    a damaged file, and for one that changed while it was read.
    """

    damage: str | None
    identity: FileIdentity | None


class LineBatch(Struct, frozen=True):
    """Whole lines of one file; only the last line of a file may lack its newline.

    ``file`` is the file's index, ``source`` its name, ``first_line`` the number (from 1) of the
    first line in ``data``. ``position`` counts the bytes of the file consumed so far as it lies
    on disk. ``overlong`` above 0 says that ``data`` is the first ``KEPT_LINE`` bytes of one line
    of that many bytes. ``end`` is set in the last batch of a file, whose ``data`` may be empty.

    ``items`` is there if some lines of ``data`` are items of an array in the file: it has the
    place of each. Users count lines up from ``first_line`` in any case, and ask for ``place``.
    ``is_followed`` says that the next batch can be had without waiting.
    """

    file: int
    source: str
    first_line: int
    data: bytes
    position: int
    overlong: int = 0
    end: FileEnd | None = None
    items: Items = ()
    is_followed: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes with the lines beside the pickle, for they are nearly all of it."""
        fields = asdict(self)
        fields["data"] = PickleBuffer(self.data)
        return type(self), (*fields.values(),)

    def place(self, number: int) -> str:
        """Where a line is from, for people: "export.ndjson:12", or "export.ndjson:12[3]".

        ``number`` counts the lines of ``data`` up from ``first_line``.
        """
        if not self.items:  # as nearly always, and this is asked for each call of a dry run
            return f"{self.source}:{number}"
        return place(self.source, *self.locate(number))

    def part(self, number: int) -> int:
        """Which of the batches that it was joined of a line is in; it is one, so the first."""
        return 0

    def locate(self, number: int) -> tuple[int, int | None]:
        """The line of the file and the index in its array, if it has one; ``number`` as above."""
        return self.items[number - self.first_line] if self.items else (number, None)

    def only(self, number: int, start: int, end: int) -> LineBatch:
        """Give one of the lines as a batch of its own; it lies there in ``data``."""
        items = (self.locate(number),) if self.items else ()
        return LineBatch(self.file, self.source, number, self.data[start:end], 0, items=items)

    @property
    def last_line(self) -> int:
        """The number in the file of the last line in ``data``; the one before if there is none."""
        if self.items:
            return self.items[-1][0]
        unfinished = bool(self.data) and not self.data.endswith(b"\n")
        return self.first_line - 1 + self.data.count(b"\n") + unfinished

    def line_by_line(self) -> Iterator[LineBatch]:
        """Give the same as batches of one line each; the end of the file comes with the last."""
        if self.overlong:
            yield self
            return
        lines = self.data.removesuffix(b"\n").split(b"\n")
        for index, line in enumerate(lines):
            is_last = index == len(lines) - 1
            yield replace(
                self,
                first_line=self.first_line + index,
                data=line + b"\n",
                end=self.end if is_last else None,
                items=self.items[index : index + 1],
                is_followed=self.is_followed or not is_last,
            )


def line_by_line(batches: Iterable[LineBatch]) -> Iterator[LineBatch]:
    """Cut batches into such of one line each, for who wants to stop between any two."""
    for batch in batches:
        yield from batch.line_by_line()


def without_lines(batch: LineBatch, _: object = None) -> LineBatch:
    """Give a batch without its lines, for who has made of them what there is to make.

    What is left of them says only whether there were any with content.
    """
    return replace(batch, data=b"" if batch.data.isspace() else batch.data[:1] and b"-")


def with_lines_at(batch: LineBatch, spans: Iterable[tuple[int, int]]) -> LineBatch:
    """Give a batch with nothing but some of its lines, end to end; of no use by their numbers."""
    lines = b"".join(batch.data[start:end] for start, end in spans)
    return replace(batch, data=lines) if lines else without_lines(batch)
