"""From what a user names on the command line to the files to read, in order, each once."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.folders import Entry, Unread, Walk, is_pattern, matches
from convertro_cli.reading.paths import as_text, quoted

_DAY = 86_400.0
# segment-logs/<source>/<received day, epoch ms>/…, as Segment's page on its S3 destination has it.
_RECEIVED_DAY = re.compile(r"(?:^|/)segment-logs/[^/]+/(\d{12,14})/")
_NAMED_FAULTS = 20  # a folder full of forbidden files must not fill the terminal


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file to read.

    ``name`` is what people and dry-run lines are shown: the path as given, for a folder's files
    the folder joined with the rest; "stdin" for standard input. ``path`` is None for standard
    input. ``size`` is in bytes on disk, None for standard input and pipes.
    """

    name: str
    path: Path | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Days:
    """The days that are wanted, in epoch seconds, by what they bound.

    ``since`` bounds the messages' own times from below: a message is received after it happened,
    but for a day's margin that clocks may be wrong by. Nothing bounds them from above, since a
    message can be received any time later. ``received_since`` and ``received_until`` bound the
    received days themselves.
    """

    since: float | None = None
    received_since: float | None = None
    received_until: float | None = None

    def why_unread(self, path: str) -> Unread | None:
        """Why a file below ``segment-logs/<source>/<received day>/`` is not wanted, if so."""
        found = _RECEIVED_DAY.search(os.path.abspath(path))  # noqa: PTH100
        if found is None:
            return None
        day = int(found[1]) / 1000
        if self.since is not None and day + 2 * _DAY <= self.since:
            return Unread.DAY_BEFORE_SINCE
        too_early = self.received_since is not None and day + _DAY <= self.received_since
        too_late = self.received_until is not None and day >= self.received_until
        return Unread.NOT_RECEIVED_THEN if too_early or too_late else None


@dataclass(frozen=True, slots=True)
class ExportSet:
    """The files to read, and how many were found and left unread, by reason.

    ``total_bytes`` is the sum of the sizes on disk, None if one of them is unknown. ``notes``
    names files that a user would miss, a sentence each.
    """

    files: tuple[ExportFile, ...]
    unread: Counter[Unread] = field(default_factory=Counter)
    total_bytes: int | None = 0
    notes: tuple[str, ...] = ()

    @property
    def skipped(self) -> int:
        """How many files were left unread."""
        return self.unread.total()


def find_exports(
    arguments: Sequence[str], *, days: Days | None = None, own: Collection[str] = ()
) -> ExportSet:
    """The files that the arguments name: files, folders, patterns, "-" for standard input.

    The order given is kept, folders and patterns are sorted, and a file named twice is read
    once. Files of other ``days`` are left out. ``own`` are real paths of our own files and
    folders, which are no exports where they lie in one. Raises ``ConvertroError`` (exit code 66)
    that names every argument which cannot be read.
    """
    search = _Search(days or Days(), own)
    for argument in arguments:
        search.add(argument)
    search.raise_faults()
    sizes = [file.size for file in search.files]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    return ExportSet(tuple(search.files), search.unread, total, tuple(search.notes()))


class _Search:
    """Collects files over all arguments, and what is wrong with the arguments."""

    def __init__(self, days: Days, own: Collection[str]) -> None:
        self.files: list[ExportFile] = []
        self._unread: dict[str, tuple[Unread, str]] = {}
        self._walk = Walk(own)
        self._days = days
        self._faults: list[str] = []
        self._seen: set[str] = set()

    def add(self, argument: str) -> None:
        if argument == "-":
            self._add_stdin()
            return
        try:
            for entry in self._expand(argument):
                self._add_file(entry)
        except OSError as error:
            place = "" if error.filename in {None, argument} else f"{quoted(error.filename)}: "
            self._fault(argument, place + _reason(error))

    @property
    def unread(self) -> Counter[Unread]:
        """How many files are left unread, by reason."""
        return Counter(unread for unread, _ in self._unread.values())

    def notes(self) -> Iterator[str]:
        """Name the links to nothing: an export may be missing behind each."""
        broken = [path for why, path in self._unread.values() if why is Unread.BROKEN_LINK]
        if broken:
            named = ", ".join(map(quoted, broken[:_NAMED_FAULTS]))
            more = len(broken) - _NAMED_FAULTS
            yield f"Passed over, for they are links to nothing: {named}" + (
                f", and {more:,} more." if more > 0 else "."
            )

    def raise_faults(self) -> None:
        if not self._faults:
            return
        named = ", ".join(self._faults[:_NAMED_FAULTS])
        more = len(self._faults) - _NAMED_FAULTS
        raise ConvertroError(
            f"Cannot read {named}" + (f", and {more} more." if more > 0 else "."),
            hint="Check the names and the permissions. An export is a file, a folder, a quoted "
            "pattern such as 'logs/**/*.gz', or - for standard input.",
            exit_code=ExitCode.UNREADABLE_EXPORT,
        )

    def _fault(self, argument: str, reason: str) -> None:
        self._faults.append(f"{quoted(argument)} ({reason})")

    def _add_stdin(self) -> None:
        if "-" in self._seen:
            self._fault("-", "standard input can be read only once")
        else:
            self._seen.add("-")
            self.files.append(ExportFile("stdin", None, None))

    def _expand(self, argument: str) -> Iterable[Entry]:
        try:
            mode = os.stat(argument).st_mode  # noqa: PTH116 - a Path would alter the name
        except (FileNotFoundError, NotADirectoryError):
            if not is_pattern(argument):
                raise
            found = self._all_below(matches(argument, self._walk))
            return self._some(argument, found, "nothing matches it")
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error), argument) from error
        if stat.S_ISDIR(mode):
            below = self._walk.files_below(argument)
            return self._some(argument, below, "no export in this folder")
        return [Entry(argument)]

    def _all_below(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries, with the files of a folder in place of the folder."""
        for path, unread in entries:
            if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114
                yield Entry(path, unread or Unread.BROKEN_LINK)
            elif Path(path).is_dir():
                below = self._walk.files_below(path)
                yield from (Entry(each, unread or why) for each, why in below)
            else:
                yield Entry(path, unread)

    def _some(self, argument: str, entries: Iterator[Entry], none: str) -> Iterator[Entry]:
        empty = True
        for entry in entries:
            empty = empty and entry.unread is not None
            yield entry
        if empty:
            self._fault(argument, none)

    def _add_file(self, entry: Entry) -> None:
        path = entry.path
        real = os.path.realpath(path)
        if real in self._seen:
            return
        unread = entry.unread or self._days.why_unread(path)
        if unread is not None:
            self._unread[real if unread is not Unread.BROKEN_LINK else path] = (unread, path)
            return
        self._seen.add(real)
        self._unread.pop(real, None)  # passed over in a folder, and now named by itself
        size = _size(path)
        if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            self._fault(path, "permission denied")
            return
        self.files.append(ExportFile(as_text(path), Path(path), size))


def _size(path: str) -> int | None:
    """The size of a regular file; None for a pipe or a device of characters."""
    status = os.stat(path)  # noqa: PTH116 - as above
    if stat.S_ISREG(status.st_mode):
        return status.st_size
    if stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
        return None
    raise OSError(errno.EINVAL, "neither a file nor a folder nor a pipe", path)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        if error.filename and os.path.islink(error.filename):  # noqa: PTH114
            return "a link to nothing"
        return "no such file or folder"
    return (error.strerror or str(error)).lower()
