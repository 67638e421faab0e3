"""Which files a folder or a pattern means; hidden files and job markers are no exports."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

# Left in export folders by Spark, Hadoop, Databricks, Finder and Windows; never data.
_MARKERS = (
    "_SUCCESS",
    "_FAILURE",
    "_started*",
    "_committed*",
    "_temporary",
    "_metadata",
    "_common_metadata",
    "_delta_log",
    "_spark_metadata",
    "*.crc",
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
)


def is_marker(name: str) -> bool:
    """Whether a file or folder of this name is left out: it is hidden or a job's marker."""
    return name.startswith(".") or any(fnmatchcase(name, marker) for marker in _MARKERS)


def files_below(folder: str) -> Iterator[str]:
    """The regular files in a folder and its folders, each folder's entries in order of name.

    Links are followed, but each folder is entered once, so a loop of links ends. A link to
    nothing is among them, for its reader to complain of. Pipes and sockets are left out: nobody
    may ever write to them. Raises ``OSError`` for a folder that cannot be listed.
    """
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 - there may be a great many
        except OSError as error:
            if os.path.islink(path):  # noqa: PTH114
                yield path
            elif not isinstance(error, FileNotFoundError):  # that one was removed meanwhile
                raise
            continue
        if stat.S_ISREG(status.st_mode):
            yield path
        elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in entered:
            entered.add((status.st_dev, status.st_ino))
            names = (name for name in os.listdir(path) if not is_marker(name))  # noqa: PTH208
            # The last one in is the first one out.
            waiting.extend(os.path.join(path, name) for name in sorted(names, reverse=True))  # noqa: PTH118


def is_pattern(argument: str) -> bool:
    """Whether the argument has a character that is special in a pattern: one of ``*?[``."""
    return glob.has_magic(argument)


def matches(pattern: str) -> Iterator[str]:
    """The files and folders that a pattern names, sorted; ``**`` stands for any folders.

    What follows ``**`` is matched while walking the folder, not by the glob module, which would
    follow loops of links until the system refuses.
    """
    parts = pattern.split("/")
    if "**" not in parts:
        found = (path for path in glob.glob(pattern) if not is_marker(Path(path).name))  # noqa: PTH207
        yield from sorted(found, key=lambda path: path.split("/"))
        return
    cut = parts.index("**")
    tail = [part for part in parts[cut:] if part]
    for folder in _folders("/".join(parts[:cut]), rooted=cut > 0):
        for path in files_below(folder):
            below = os.path.relpath(path, folder).split("/")
            if _fits(below, tail):
                yield path if cut > 0 else "/".join(below)


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
