"""From what a user names on the command line to the exports to read, in order, each once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.days import WantedDays
from convertro_cli.reading.export_set import ExportFile, ExportSet, total_size
from convertro_cli.reading.folders import Entry, Walk, is_pattern, matches
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.reading.listed import Listed, TellCount
from convertro_cli.reading.paths import as_text, is_address, quoted
from convertro_cli.reading.raw import RawExport
from convertro_cli.reading.seen import Seen
from convertro_cli.reading.unread import Unread

if TYPE_CHECKING:
    from convertro_cli.storage.options import StorageOptions

AT_ONCE = 5_000
"""So many files are found before a run begins; of a longer list the others while it goes on."""

_NAMED_FAULTS = 20  # a folder full of forbidden files must not fill the terminal


def find_exports(
    arguments: Sequence[str],
    *,
    days: WantedDays | None = None,
    own: Collection[str] = (),
    storage: StorageOptions | None = None,
    at_once: int = AT_ONCE,
    tell: TellCount | None = None,
) -> ExportSet:
    """The exports that the arguments name.

    These are files, folders, patterns, places in object storage, "-" for standard input. The
    order given is kept, folders and patterns are sorted, and a file named twice is read once.
    Files of other ``days`` are left out. ``own`` are real paths of our own files and folders,
    which are no exports where they lie in one. ``storage`` says how to reach object storage.
    ``tell`` hears how many were found, until it returns.

    Raises ``ConvertroError`` (exit code 66) that names every argument which cannot be read. What
    is wrong beyond the first ``at_once`` files is told when its turn comes to be read.
    """
    listed = Listed(tell)
    search = _Search(arguments, days or WantedDays(), own, storage, listed)
    found = search.files()
    files = tuple(islice(found, at_once))
    listed.tell = None
    unread = search.seen.unread
    if len(files) < at_once:
        search.raise_faults()
        return ExportSet(files, unread, total_size(files), tuple(search.notes), listed=listed)
    search.check_arguments_left()
    search.raise_faults()
    search.is_late = True
    return ExportSet(files, unread, None, search.notes, found, listed=listed)


class _Search:
    """Goes through all arguments, and notes what is wrong with them."""

    def __init__(
        self,
        arguments: Sequence[str],
        days: WantedDays,
        own: Collection[str],
        storage: StorageOptions | None,
        listed: Listed,
    ) -> None:
        local = [each for each in arguments if each != "-" and not is_address(each)]
        self.seen = Seen(local)
        self.notes: list[str] = []
        self.is_late = False
        self._left = list(reversed(arguments))
        self._walk = Walk(own, self.seen.roots, listed)
        self._days = days
        self._storage = storage
        self._listed = listed
        self._faults: list[str] = []
        self._late: list[ExportFile] = []
        self._has_stdin = False
        self._broken: dict[str, None] = {}

    def files(self) -> Iterator[ExportFile]:
        """The exports, found while they are asked for."""
        find_objects: Callable[[str], Iterable[ExportFile]] | None = None
        while self._left:
            argument = self._left.pop()
            if is_address(argument):
                if find_objects is None:
                    find_objects = self._open_storage()
                yield from find_objects(argument)
            else:
                yield from self._files_of(argument)
            yield from self._take_late()
        self._name_broken_links()

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

    def check_arguments_left(self) -> None:
        """Note the arguments not gone through yet that are not there."""
        for argument in reversed(self._left):
            if argument != "-" and not is_address(argument) and not is_pattern(argument):
                try:
                    os.stat(argument)  # noqa: PTH116 - a Path would alter the name
                except (OSError, ValueError) as error:
                    self._fault(argument, _reason(error))

    def _open_storage(self) -> Callable[[str], Iterable[ExportFile]]:
        # Only where it is used: what reads object storage takes its time to load.
        from convertro_cli.storage.find import ObjectSearch  # noqa: PLC0415

        return ObjectSearch(self._storage, self._days, self.seen.unread, self._listed).files

    def _files_of(self, argument: str) -> Iterator[ExportFile]:
        if argument == "-":
            if self._has_stdin:
                self._fault("-", "standard input can be read only once")
            else:
                self._has_stdin = True
                yield ExportFile("stdin", None, None)
            return
        try:
            for entry in self._expand(argument):
                file = self._file(entry)
                if file is not None:
                    yield file
                yield from self._take_late()
        except OSError as error:
            place = "" if error.filename in {None, argument} else f"{quoted(error.filename)}: "
            self._fault(argument, place + _reason(error))

    def _fault(self, argument: str, reason: str) -> None:
        self._faults.append(f"{quoted(argument)} ({reason})")
        if self.is_late:
            place = _Unreadable(reason)
            self._late.append(ExportFile(as_text(argument), None, None, place))

    def _take_late(self) -> Iterator[ExportFile]:
        late, self._late = self._late, []
        yield from late

    def _expand(self, argument: str) -> Iterable[Entry]:
        try:
            status = os.stat(argument)  # noqa: PTH116 - a Path would alter the name
        except (FileNotFoundError, NotADirectoryError):
            if not is_pattern(argument):
                raise
            found = self._all_below(matches(argument, self._walk))
            return self._some(argument, found, "nothing matches it")
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error), argument) from error
        if stat.S_ISDIR(status.st_mode):
            below = self._walk.files_below(argument)
            return self._some(argument, below, "no export in this folder")
        self._listed.add()
        return [Entry(argument, None, status, by_link=not self.seen.roots)]

    def _all_below(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries, with the files of a folder in place of the folder."""
        for entry in entries:
            path = entry.path
            if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114
                yield Entry(path, entry.unread or Unread.BROKEN_LINK)
            elif entry.status is None and Path(path).is_dir():
                for each in self._walk.files_below(path):
                    yield each._replace(unread=entry.unread or each.unread)
            else:
                self._listed.add(int(entry.status is None))  # else it was counted on the way
                yield entry

    def _some(self, argument: str, entries: Iterator[Entry], none: str) -> Iterator[Entry]:
        empty = True
        for entry in entries:
            empty = empty and entry.unread is not None
            yield entry
        if empty:
            self._fault(argument, none)

    def _file(self, entry: Entry) -> ExportFile | None:
        path = entry.path
        unread = entry.unread or self._days.why_unread(path)
        if unread is Unread.BROKEN_LINK and len(self._broken) < _NAMED_FAULTS:
            self._broken.setdefault(path)
        if not self.seen.is_new(entry, unread):
            return None
        status = entry.status or os.stat(path)  # noqa: PTH116 - as above
        size = _size(path, status)
        # Of a long list each file is only looked at once: reading it will tell.
        if not self.is_late and not _may_read(path):
            self._fault(path, "permission denied")
            return None
        return ExportFile(as_text(path), Path(path), size, None, status.st_mtime_ns)

    def _name_broken_links(self) -> None:
        """Name the links to nothing: an export may be missing behind each."""
        if self._broken:
            named = ", ".join(map(quoted, self._broken))
            more = self.seen.unread[Unread.BROKEN_LINK] - len(self._broken)
            self.notes.append(
                f"Passed over, for they are links to nothing: {named}"
                + (f", and {more:,} more." if more > 0 else ".")
            )


class _Unreadable:
    """The place of an export of which it is known that it cannot be read."""

    identity: FileIdentity | None = None

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def begin(self) -> None:
        """There is nothing to get ready."""

    def open(self) -> AbstractContextManager[RawExport]:
        """Tell what is wrong with it."""
        raise OSError(errno.EIO, self._reason)


def _may_read(path: str) -> bool:
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


def _size(path: str, status: os.stat_result) -> int | None:
    """The size of a regular file; None for a pipe or a device of characters."""
    if stat.S_ISREG(status.st_mode):
        return status.st_size
    if stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
        return None
    raise OSError(errno.EINVAL, "neither a file nor a folder nor a pipe", path)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        if error.filename and os.path.islink(error.filename):  # noqa: PTH114
            return "a link to nothing"
        return "no such file or folder"
    if isinstance(error, ValueError):
        return str(error)
    return (error.strerror or str(error)).lower()
