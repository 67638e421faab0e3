"""From what a user names on the command line to the files to read, in order, each once."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from convertro_cli.errors import ConvertroError, ExitCode
from convertro_cli.reading.folders import files_below, is_pattern, matches
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
class ExportSet:
    """The files to read, and how many were left unread because of their received day.

    ``total_bytes`` is the sum of the sizes on disk, None if one of them is unknown.
    """

    files: tuple[ExportFile, ...]
    skipped: int
    total_bytes: int | None


def find_exports(
    arguments: Sequence[str], *, since: float | None = None, until: float | None = None
) -> ExportSet:
    """The files that the arguments name: files, folders, patterns, "-" for standard input.

    The order given is kept, folders and patterns are sorted, and a file named twice is read
    once. Files below ``segment-logs/<source>/<received day>/`` are left out when their day lies
    outside ``since`` and ``until`` (epoch seconds) by more than a day. Raises ``ConvertroError``
    (exit code 66) that names every argument which cannot be read.
    """
    search = _Search(since, until)
    for argument in arguments:
        search.add(argument)
    search.raise_faults()
    sizes = [file.size for file in search.files]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    return ExportSet(tuple(search.files), search.skipped, total)


class _Search:
    """Collects files over all arguments, and what is wrong with the arguments."""

    def __init__(self, since: float | None, until: float | None) -> None:
        self.files: list[ExportFile] = []
        self.skipped = 0
        self._faults: list[str] = []
        self._since = since
        self._until = until
        self._seen: set[str] = set()

    def add(self, argument: str) -> None:
        if argument == "-":
            self._add_stdin()
            return
        try:
            paths = self._expand(argument)
            for path in paths:
                self._add_file(path)
        except OSError as error:
            place = "" if error.filename in {None, argument} else f"{quoted(error.filename)}: "
            self._fault(argument, place + _reason(error))

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

    def _expand(self, argument: str) -> Iterable[str]:
        try:
            mode = os.stat(argument).st_mode  # noqa: PTH116 - a Path would alter the name
        except (FileNotFoundError, NotADirectoryError):
            if not is_pattern(argument):
                raise
            return self._some(argument, _all_below(matches(argument)), "nothing matches it")
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error), argument) from error
        if stat.S_ISDIR(mode):
            return self._some(argument, files_below(argument), "no export in this folder")
        return [argument]

    def _some(self, argument: str, paths: Iterator[str], none: str) -> Iterator[str]:
        empty = True
        for path in paths:
            empty = False
            yield path
        if empty:
            self._fault(argument, none)

    def _add_file(self, path: str) -> None:
        real = os.path.realpath(path)
        if real in self._seen:
            return
        self._seen.add(real)
        if self._outside(path):
            self.skipped += 1
            return
        size = _size(path)
        if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            self._fault(path, "permission denied")
            return
        self.files.append(ExportFile(as_text(path), Path(path), size))

    def _outside(self, path: str) -> bool:
        """Whether the received day in the path lies outside the wanted time by over a day.

        The margin is there because a day is when Segment received a message, which may be after
        the message's own time.
        """
        found = _RECEIVED_DAY.search(os.path.abspath(path))  # noqa: PTH100
        if found is None:
            return False
        day = int(found[1]) / 1000
        too_early = self._since is not None and day + 2 * _DAY <= self._since
        too_late = self._until is not None and day - _DAY >= self._until
        return too_early or too_late


def _all_below(paths: Iterable[str]) -> Iterator[str]:
    """The paths, with the files of a folder in place of the folder."""
    for path in paths:
        if Path(path).is_dir():
            yield from files_below(path)
        else:
            yield path


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
