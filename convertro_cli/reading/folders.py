"""Which files a folder or a pattern means; what is hidden, a marker or our own is no export."""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field

from convertro_cli.reading.listed import Listed
from convertro_cli.reading.unread import Unread, why_unread

_SETTINGS = "convertro.toml"


class Entry(NamedTuple):
    """A file that a folder or a pattern means; ``unread`` says why it is no export, if so.

    ``status`` is there where it was looked at. ``by_link`` says that a link led to it, so that
    it may lie anywhere.
    """

    path: str
    unread: Unread | None = None
    status: os.stat_result | None = None
    by_link: bool = False


class Walk(Struct):
    """Goes through a folder and its folders, each folder's entries in order of name.

    It holds the names of one folder at each depth, however many files there are, and looks at
    each file once. Links are followed, but each folder is entered once, so a loop of links ends.
    One that leads to what is found at its own place in one of the ``roots`` (real paths) is not
    followed. Pipes and sockets are passed over: nobody may ever write to them. What is our own is
    left out, the settings file and the folders ``own``, unless one of these is the folder itself.
    Each file is counted in ``listed`` as it is come upon.
    """

    own: Collection[str] = ()
    roots: Collection[str] = ()
    listed: Listed = field(default_factory=Listed)
    _entered: set[tuple[int, int]] = field(default_factory=set)

    def files_below(self, folder: str) -> Iterator[Entry]:
        """The files there, also those to pass over, which are then marked.

        Raises ``OSError`` for a folder that cannot be listed, unless it would be passed over.
        """
        self._entered.clear()
        open_folders = [iter((Entry(folder),))]
        while open_folders:
            entry = next(open_folders[-1], None)
            if entry is None:
                open_folders.pop()
                continue
            try:
                status = os.stat(entry.path)  # noqa: PTH116 - there may be a great many
                inner = self._look_at(entry, status)
            except OSError as error:
                found = _of_error(entry, error)
                if found is not None:
                    yield found
                continue
            if inner is None:
                self.listed.add()
                unread = entry.unread
                if unread is None and not stat.S_ISREG(status.st_mode):
                    unread = Unread.NO_FILE
                yield entry._replace(unread=unread, status=status)
            else:
                open_folders.append(inner)

    def leads_back(self, path: str) -> bool:
        """Whether a link leads to what is found at its own place as well."""
        if not self.roots or not os.path.exists(path):  # noqa: PTH110
            return False
        real = os.path.realpath(path)
        return any(_is_found_below(root, real) for root in self.roots)

    def _look_at(self, entry: Entry, status: os.stat_result) -> Iterator[Entry] | None:
        """The entries of a folder, None for what is no folder."""
        if not stat.S_ISDIR(status.st_mode):
            return None
        if entry.unread is not None:
            # What lies here is only counted, and may be read by way of a link from elsewhere.
            if entry.by_link and os.path.islink(entry.path):  # noqa: PTH114
                return None
        elif (status.st_dev, status.st_ino) in self._entered:
            return iter(())
        else:
            self._entered.add((status.st_dev, status.st_ino))
        names, links = [], set()
        with os.scandir(entry.path) as found:
            for each in found:
                names.append(each.name)
                if each.is_symlink():
                    links.add(each.name)
        names.sort()
        return self._inner(entry, names, links)

    def _inner(self, folder: Entry, names: Sequence[str], links: set[str]) -> Iterator[Entry]:
        for name in names:
            path = os.path.join(folder.path, name)  # noqa: PTH118
            if self.is_own(name, path):
                continue
            unread = folder.unread or why_unread(name)
            is_link = name in links
            if is_link and unread is None and self.leads_back(path):
                continue
            yield Entry(path, unread, None, is_link or folder.by_link)

    def is_own(self, name: str, path: str) -> bool:
        """Whether a file or folder is our own, and no export."""
        if name == _SETTINGS:
            return True
        # Resolving each path would take longer than all else.
        return any(each.endswith(f"/{name}") for each in self.own) and (
            os.path.realpath(path) in self.own
        )


def _is_found_below(root: str, real: str) -> bool:
    """Whether a real path is the root, or lies below it without being hidden or a marker."""
    if real == root:
        return True
    prefix = root.rstrip("/") + "/"
    below = real.removeprefix(prefix)
    return real.startswith(prefix) and not any(map(why_unread, below.split("/")))


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
            if fits(below, tail):
                yield entry if cut > 0 else entry._replace(path="/".join(below))


def _folders(pattern: str, *, rooted: bool) -> list[str]:
    """The folders named by what stands before ``**``."""
    if not pattern:
        return ["/" if rooted else "."]
    found = [pattern] if Path(pattern).is_dir() else sorted(glob.glob(pattern))  # noqa: PTH207
    return [path for path in found if Path(path).is_dir()]


def fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the pattern names this path or a folder above it; ``**`` stands for any folders."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(fits(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and fits(parts[1:], pattern[1:])
