"""Small batches as one: to map twenty lines has its price for the batch, whatever it holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pickle import PickleBuffer

from msgspec.structs import replace

from convertro_cli.reading.batch import Items, LineBatch


class JoinedBatch(LineBatch, frozen=True):
    """The lines of several batches, numbered through from 1, each with the place that it has.

    ``parts`` are the batches, and ``starts`` has the number before the first line of each.
    """

    parts: Sequence[LineBatch] = ()
    starts: Sequence[int] = ()

    def place(self, number: int) -> str:
        """Where a line is from: its own file, and its number there."""
        part, own = self._own(number)
        return part.place(own)

    def part(self, number: int) -> int:
        """Which of the ``parts`` a line is in."""
        return bisect_right(self.starts, number - 1) - 1

    def only(self, number: int, start: int, end: int) -> LineBatch:
        """Give one of the lines as a batch of its own, with its number in its own file."""
        part, own = self._own(number)
        return replace(part.only(own, 0, 0), data=self.data[start:end])

    def _own(self, number: int) -> tuple[LineBatch, int]:
        """Give the part that a line is in, and its number there."""
        index = self.part(number)
        part = self.parts[index]
        return part, number - 1 - self.starts[index] + part.first_line

    def __reduce__(self) -> tuple[object, ...]:
        """Give what a worker needs: the lines, once, and their places."""
        places = [(part.source, part.first_line, part.items) for part in self.parts]
        return _with_places, (PickleBuffer(self.data), places, self.starts)


def joined(parts: Sequence[LineBatch]) -> LineBatch:
    """Join batches, none of which holds the beginning of an overlong line; one stays as it is."""
    if len(parts) == 1:
        return parts[0]
    lines = [part.data.count(b"\n") + _is_unfinished(part.data) for part in parts]
    last = parts[-1]
    return JoinedBatch(
        last.file,
        last.source,
        1,
        b"".join(map(_finished, parts)),
        last.position,
        parts=parts,
        starts=[0, *accumulate(lines[:-1])],
    )


def parts_of(batch: LineBatch) -> Sequence[LineBatch]:
    """Give the batches that one was joined of; itself where it was not."""
    return batch.parts if isinstance(batch, JoinedBatch) else (batch,)


def _with_places(
    data: bytes, places: Iterable[tuple[str, int, Items]], starts: Sequence[int]
) -> JoinedBatch:
    parts = [LineBatch(0, source, line, b"", 0, items=items) for source, line, items in places]
    return JoinedBatch(0, "", 1, data, 0, parts=parts, starts=starts)


def _is_unfinished(data: bytes) -> bool:
    return bool(data) and not data.endswith(b"\n")


def _finished(part: LineBatch) -> bytes:
    return part.data + b"\n" if _is_unfinished(part.data) else part.data
