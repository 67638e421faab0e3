"""The exports of a run: those that are known when it begins, and those found while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from msgspec import Struct, field

from convertro_cli.reading.listed import Listed
from convertro_cli.reading.raw import ExportPlace
from convertro_cli.reading.unread import Unread

_TOGETHER = 500  # files that are sifted at once


class ExportFile(Struct, frozen=True):
    """One export to read.

    ``name`` is what people and dry-run lines are shown: the path as given, for a folder's files
    the folder joined with the rest; an object's address; "stdin" for standard input. ``path`` is
    None for what is no file of this machine: standard input, or what lies in a ``place``.
    ``size`` is in bytes as it lies there, None for standard input and pipes; ``mtime_ns`` when a
    file was last changed, as far as that was seen in passing.
    """

    name: str
    path: Path | None
    size: int | None
    place: ExportPlace | None = None
    mtime_ns: int | None = None


class ExportSet(Struct):
    """The files to read, and how many were found and left unread, by reason.

    Iterate over it for all the files, once. ``files`` are those that are known at the beginning;
    of a long list these are the first ones, and ``rest`` finds the others while it is gone
    through, so that memory does not grow with the list. ``total_bytes`` is the sum of the sizes
    as they lie there, None if one of them is not known yet, or never. ``notes`` names files that
    a user would miss, a sentence each. All these grow while the rest is found.
    """

    files: tuple[ExportFile, ...]
    unread: Counter[Unread] = field(default_factory=Counter)
    total_bytes: int | None = 0
    notes: Sequence[str] = ()
    rest: Iterator[ExportFile] | None = None
    found: int = 0
    """How many files to read are known so far."""
    listed: Listed = field(default_factory=Listed)
    """How many files were come upon so far, whether they are to be read or not."""

    def __post_init__(self) -> None:
        self.found = self.found or len(self.files)

    @property
    def skipped(self) -> int:
        """How many files were left unread, as far as that is known."""
        return self.unread.total()

    @property
    def is_whole(self) -> bool:
        """Whether all files are known."""
        return self.rest is None

    def __iter__(self) -> Iterator[ExportFile]:
        yield from self.files
        if self.rest is not None:
            for file in self.rest:
                self.found += 1
                yield file
            self.rest = None

    def find_all(self) -> None:
        """Find the rest now, for whoever must know all the files before the first is read."""
        if self.rest is not None:
            self.files, self.rest = (*self.files, *self.rest), None
            self.found = len(self.files)
            self.total_bytes = total_size(self.files)

    def look_at_rest(self, look: Callable[[ExportFile], None]) -> None:
        """Have each file that is found from now on looked at; what ``look`` raises ends the run."""
        if self.rest is not None:
            self.rest = _looked_at(self.rest, look)

    def sifted(
        self, sift: Callable[[Sequence[ExportFile]], Sequence[ExportFile]], why: Unread
    ) -> ExportSet:
        """Give the files that ``sift`` leaves of some at a time; count the others as unread."""

        def left(files: Iterable[ExportFile]) -> Iterator[ExportFile]:
            every = iter(files)
            while some := tuple(islice(every, _TOGETHER)):
                kept = sift(some)
                if len(kept) < len(some):
                    self.unread[why] += len(some) - len(kept)
                yield from kept

        files = tuple(left(self.files))
        total = None if self.rest is not None else total_size(files)
        rest = None if self.rest is None else left(self.rest)
        return ExportSet(files, self.unread, total, self.notes, rest, listed=self.listed)


def _looked_at(
    files: Iterable[ExportFile], look: Callable[[ExportFile], None]
) -> Iterator[ExportFile]:
    for file in files:
        look(file)
        yield file


def total_size(files: Iterable[ExportFile]) -> int | None:
    """Give the sum of the files' sizes, None if one of them is not known."""
    total = 0
    for file in files:
        if file.size is None:
            return None
        total += file.size
    return total
