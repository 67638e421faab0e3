"""A dry run that was saved earlier, as the old side: its lines, beside the batches they are of.

Both are in the order of the export, so they are read side by side and neither is ever held
whole. What only one of them has is for the comparison to tell.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
from msgspec.structs import asdict

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.batch import PLACE, LineBatch, place
from convertro_cli.reading.export_set import ExportFile
from convertro_cli.reading.lines import read_batches
from convertro_cli.reading.paths import as_text, quoted

_LINE = re.compile(
    rb'\{"source":"([^"\\]*):(\d{1,18})(?:\[(\d{1,18})\])?","message_id":(?:null|"[^"\\]*"),'
    rb'"(?:mode|skip|invalid)":"'
)
"""How a line begins that nobody re-formatted since, and that needs no parsing to be placed."""

_MOST_TOGETHER = 256
_HOW = "`convertro replay --dry-run EXPORT... > FILE` writes what --against takes."
_WHAT = frozenset({"call", "skip", "invalid"})


At = tuple[int, int]
"""The order of places in a file: by line, then by index in an array; -1 is the line itself."""


def at(line: int, index: int | None) -> At:
    """Tell where in the order of a file a place is."""
    return line, -1 if index is None else index


class SavedLine(NamedTuple):
    """A line of a dry run, with the file and the line of the export that it is of.

    ``item`` is the index of an item in the array of that line.
    """

    file: str
    number: int
    content: bytes
    item: int | None = None

    @property
    def at(self) -> At:
        """Where in its file it is of."""
        return at(self.number, self.item)

    def is_beside(self, other: SavedLine) -> bool:
        """Whether both are of one message."""
        return self.file == other.file and self.at == other.at

    @property
    def place(self) -> str:
        """What a dry run says that it is of."""
        return place(self.file, self.number, self.item)


class SavedBatch(LineBatch, frozen=True):
    """A batch of the export with the saved lines that are of it.

    One without any data of an export has saved lines that are of nothing that this run reads.
    """

    saved: tuple[SavedLine, ...] = ()


class SavedLines:
    """The saved lines beside a batch, to be taken in their order."""

    def __init__(self, lines: Iterable[SavedLine]) -> None:
        self._lines = deque(lines)

    def take(self, end: At) -> list[SavedLine]:
        """Take the lines before a place in the file."""
        taken = []
        while self._lines and self._lines[0].at < end:
            taken.append(self._lines.popleft())
        return taken

    def rest(self) -> list[SavedLine]:
        """Give the lines that are left."""
        return list(self._lines)


def saved_beside(batch: LineBatch) -> SavedLines:
    """Give the saved lines beside a batch."""
    return SavedLines(batch.saved if isinstance(batch, SavedBatch) else ())


def saved_of(batch: LineBatch, number: int) -> list[SavedLine]:
    """Give the saved lines of one message of a batch, by the number of its line."""
    place = at(*batch.locate(number))
    found = batch.saved if isinstance(batch, SavedBatch) else ()
    return [line for line in found if line.at == place]


class SavedRun:
    """The output of an earlier dry run, plain or compressed, with or without skipped lines.

    ``first`` is the place in the export that its first line is of, once that was read.
    """

    def __init__(self, path: Path) -> None:
        """Name the file. Raises ConvertroError where it cannot be read."""
        self.name = as_text(str(path))
        self.first: str | None = None
        try:
            with path.open("rb"):
                size = path.stat().st_size
        except OSError as error:
            raise ConvertroError(
                f"The saved dry run {quoted(str(path))} cannot be read: {error.strerror}.",
                exit_code=ExitCode.UNREADABLE_EXPORT,
            ) from None
        self._file = ExportFile(self.name, path, size)

    def beside(self, batches: Iterable[LineBatch], names: Sequence[str]) -> Iterator[SavedBatch]:
        """Give each batch with its saved lines. ``names`` are the export's files, in order.

        Lines of nothing that this run reads come in batches without data, a few at a time.

        Raises ConvertroError for a line that is of no dry run, and where the saved run read the
        files in another order.
        """
        lines = _Ahead(self._lines(), {name: index for index, name in enumerate(names)}, self.name)
        for batch in batches:
            yield from lines.before(batch.file)
            yield _beside(batch, lines.until(batch.file, _after(batch)))
        yield from lines.before(len(names))

    def fault(self, problem: str) -> ConvertroError:
        """Tell what is wrong with one of its lines."""
        return ConvertroError(f"The saved dry run {quoted(self.name)} {problem}.", hint=_HOW)

    def _lines(self) -> Iterator[SavedLine]:
        for batch in read_batches([self._file]):
            for number, line in enumerate(batch.data.split(b"\n"), batch.first_line):
                if line and not line.isspace():
                    located = _locate(line.rstrip(), f"{self.name}:{number}")
                    self.first = self.first or located.place
                    yield located
            if batch.end is not None and batch.end.damage is not None:
                raise ConvertroError(batch.end.damage, exit_code=ExitCode.UNREADABLE_EXPORT)


class _Ahead:
    """The saved lines, seen one ahead, checked to be in the order of this run's files."""

    def __init__(self, lines: Iterator[SavedLine], order: dict[str, int], name: str) -> None:
        self._lines = lines
        self._order = order
        self._name = name
        self._next: SavedLine | None = None
        self._furthest = -1
        self._left: set[str] = set()
        self._advance()

    def before(self, file: int) -> Iterator[SavedBatch]:
        """Give the saved lines of files that this run does not read, or has read before."""
        together: list[SavedLine] = []
        while self._next is not None and self._order.get(self._next.file, -1) < file:
            if len(together) >= _MOST_TOGETHER and not self._next.is_beside(together[-1]):
                yield _beside(_NOTHING, together)
                together = []
            together.append(self._next)
            self._advance()
        if together:
            yield _beside(_NOTHING, together)

    def until(self, file: int, end: At) -> Iterator[SavedLine]:
        """Give the saved lines of a file before a place in it."""
        while (
            self._next is not None
            and self._order.get(self._next.file) == file
            and self._next.at < end
        ):
            yield self._next
            self._advance()

    def _advance(self) -> None:
        last, self._next = self._next, next(self._lines, None)
        if self._next is None:
            return
        if last is not None and last.file == self._next.file:
            if self._next.at < last.at:
                raise self._disorder(self._next, f"after line {last.number:,}")
            return
        if last is not None:
            self._left.add(last.file)
        if self._next.file in self._left:
            raise self._disorder(self._next, "a second time")
        index = self._order.get(self._next.file)
        if index is not None:
            if index < self._furthest:
                raise self._disorder(self._next, "later than this run reads that file")
            self._furthest = index

    def _disorder(self, found: SavedLine, where: str) -> ConvertroError:
        return ConvertroError(
            f"The saved dry run {quoted(self._name)} has {quoted(found.place)} {where}.",
            hint="Compare with the output of one dry run, and name the exports in its order.",
        )


_NOTHING = LineBatch(-1, "", 1, b"", 0, is_followed=True)


def _beside(batch: LineBatch, lines: Iterable[SavedLine]) -> SavedBatch:
    return SavedBatch(**asdict(batch), saved=tuple(lines))


def _after(batch: LineBatch) -> At:
    """The place after the last one of a batch."""
    if batch.items:
        line, index = batch.items[-1]
        return (line + 1, -1) if index is None else (line, index + 1)
    return batch.first_line + batch.data.count(b"\n") + (not batch.data.endswith(b"\n")), -1


def _locate(line: bytes, where: str) -> SavedLine:
    """Tell which line of which file a saved line is of."""
    match = _LINE.match(line)
    if match is not None:
        index = None if match[3] is None else int(match[3])
        return SavedLine(match[1].decode("utf-8", "replace"), int(match[2]), line, index)
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _no_dry_run(where, "is no JSON object") from None
    source = told.get("source") if isinstance(told, dict) else None
    if not isinstance(source, str) or not _WHAT & told.keys():
        raise _no_dry_run(where, "is no line of a dry run")
    found = re.fullmatch(PLACE, source)
    if found is None:
        raise _no_dry_run(where, "has a source without a line number")
    index = None if found["index"] is None else int(found["index"])
    return SavedLine(found["file"], int(found["line"]), line, index)


def _no_dry_run(where: str, why: str) -> ConvertroError:
    return ConvertroError(f"{quoted(where)} {why}.", hint=_HOW)
