"""Which files a folder or a pattern means; what is hidden, a marker or our own is no export."""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple


class Unread(StrEnum):
    """Why a file that was found is not read."""

    DAY_BEFORE_SINCE = "day_before_since"
    NOT_RECEIVED_THEN = "not_received_then"
    ALREADY_REPLAYED = "already_replayed"
    HIDDEN = "hidden"
    MARKER = "marker"
    BROKEN_LINK = "broken_link"


# Left in export folders by Finder, Windows and checksumming file systems, and by Segment, which
# writes dummy-object.txt to see whether it may write to a bucket; never data.
_MARKERS = ("*.crc", "Thumbs.db", "desktop.ini", "dummy-object.txt")
_SETTINGS = "convertro.toml"


class Entry(NamedTuple):
    """A file that a folder or a pattern means; ``unread`` says why it is no export, if so."""

    path: str
    unread: Unread | None = None


def why_unread(name: str) -> Unread | None:
    """Why a file or folder of this name is passed over, None if it is not.

    Names that begin with "_" are markers of jobs (Spark, Hadoop, Databricks), whose own readers
    pass over them, too.
    """
    if name.startswith("."):
        return Unread.HIDDEN
    if name.startswith("_") or any(fnmatchcase(name, marker) for marker in _MARKERS):
        return Unread.MARKER
    return None


@dataclass(slots=True)
class Walk:
    """Goes through a folder and its folders, each folder's entries in order of name.

    Links are followed, but each folder is entered once, so a loop of links ends. Pipes and
    sockets are left out: nobody may ever write to them. So is what is our own, the settings file
    and the folders ``own``, unless one of these is the folder itself.
    """

    own: Collection[str] = ()
    _entered: set[tuple[int, int]] = field(default_factory=set)

    def files_below(self, folder: str) -> Iterator[Entry]:
        """The files there, also those to pass over, which are then marked.

        Raises ``OSError`` for a folder that cannot be listed, unless it would be passed over.
        """
        self._entered.clear()
        waiting = [Entry(folder)]
        while waiting:
            entry = waiting.pop()
            try:
                inner = self._look_at(entry)
            except OSError as error:
                found = _of_error(entry, error)
                if found is not None:
                    yield found
                continue
            if inner is None:
                yield entry
            else:
                waiting.extend(reversed(inner))  # the last one in is the first one out

    def _look_at(self, entry: Entry) -> list[Entry] | None:
        """The entries of a folder, None for a file."""
        status = os.stat(entry.path)  # noqa: PTH116 - there may be a great many
        if stat.S_ISREG(status.st_mode):
            return None
        if not stat.S_ISDIR(status.st_mode):
            return []
        if entry.unread is not None:
            # What lies here is only counted, and may be read by way of a link from elsewhere.
            if os.path.islink(entry.path):  # noqa: PTH114
                return None
        elif (status.st_dev, status.st_ino) in self._entered:
            return []
        else:
            self._entered.add((status.st_dev, status.st_ino))
        names = sorted(os.listdir(entry.path))  # noqa: PTH208
        paths = ((name, os.path.join(entry.path, name)) for name in names)  # noqa: PTH118
        return [
            Entry(path, entry.unread or why_unread(name))
            for name, path in paths
            if not self.is_own(name, path)
        ]

    def is_own(self, name: str, path: str) -> bool:
        """Whether a file or folder is our own, and no export."""
        if name == _SETTINGS:
            return True
        # Resolving each path would take longer than all else.
        return any(each.endswith(f"/{name}") for each in self.own) and (
            os.path.realpath(path) in self.own
        )


def _of_error(entry: Entry, error: OSError) -> Entry | None:
    """What becomes of an entry that cannot be looked at."""
    if entry.unread is not None:
        return entry
    if os.path.islink(entry.path) and (  # noqa: PTH114
        isinstance(error, FileNotFoundError) or error.errno == errno.ELOOP
    ):
        return Entry(entry.path, Unread.BROKEN_LINK)
    if isinstance(error, FileNotFoundError):  # it was removed meanwhile
        return None
    raise error


def is_pattern(argument: str) -> bool:
    """Whether the argument has a character that is special in a pattern: one of ``*?[``."""
    return glob.has_magic(argument)


def matches(pattern: str, walk: Walk) -> Iterator[Entry]:
    """The files and folders that a pattern names, sorted; ``**`` stands for any folders.

    What follows ``**`` is matched while walking the folder, not by the glob module, which would
    follow loops of links until the system refuses. A pattern that spells out the beginning of a
    marker's name, as ``_*`` does, means the marker.
    """
    parts = pattern.split("/")
    spelt = parts[-1][:1]
    if "**" not in parts:
        for path in sorted(glob.glob(pattern), key=lambda path: path.split("/")):  # noqa: PTH207
            name = Path(path).name
            if name == parts[-1] or not walk.is_own(name, path):
                yield Entry(path, None if name.startswith(spelt) else why_unread(name))
        return
    cut = parts.index("**")
    tail = [part for part in parts[cut:] if part]
    for folder in _folders("/".join(parts[:cut]), rooted=cut > 0):
        for entry in walk.files_below(folder):
            below = os.path.relpath(entry.path, folder).split("/")
            if _fits(below, tail):
                yield entry if cut > 0 else Entry("/".join(below), entry.unread)


def _folders(pattern: str, *, rooted: bool) -> list[str]:
    """The folders named by what stands before ``**``."""
    if not pattern:
        return ["/" if rooted else "."]
    found = [pattern] if Path(pattern).is_dir() else sorted(glob.glob(pattern))  # noqa: PTH207
    return [path for path in found if Path(path).is_dir()]


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the pattern names this path or a folder above it."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_fits(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])
