"""Which exports were found already, so that each is read once however it is named."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from convertro_cli.reading.folders import Entry, is_pattern
from convertro_cli.reading.unread import Unread

_MOST_ROOTS = 64


class Seen:
    """Remembers what was found, as far as it could be found a second time.

    Files and folders that lie apart from each other (``roots`` has their real paths) cannot have
    a file in common but by a link, so that only what a link led to is remembered: memory does not
    grow with the number of files. Else every file is.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.roots = _apart(arguments)
        self.unread: Counter[Unread] = Counter()
        self._files: set[str] = set()
        self._left: dict[str, Unread] = {}
        self._parent = ("", "")

    def is_new(self, entry: Entry, unread: Unread | None) -> bool:
        """Note a file; tell whether it is to be read: not for the second time, not ``unread``."""
        if self.roots and not entry.by_link:
            if unread is not None:
                self.unread[unread] += 1
            return unread is None
        real = self._real(entry) if unread is not Unread.BROKEN_LINK else entry.path
        if real in self._files:
            return False
        if unread is not None:
            if real not in self._left:
                self.unread[unread] += 1
                self._left[real] = unread
            return False
        self._files.add(real)
        # Passed over in a folder, and now named by itself.
        passed = self._left.pop(real, None)
        if passed is not None:
            self.unread[passed] -= 1
            if not self.unread[passed]:
                del self.unread[passed]
        return True

    def _real(self, entry: Entry) -> str:
        """Resolve a path; a folder's is resolved once for all the files in it."""
        folder, name = os.path.split(entry.path)
        if entry.by_link or entry.status is None or name in {"", ".", ".."}:
            return os.path.realpath(entry.path)
        if folder != self._parent[0]:
            self._parent = (folder, os.path.realpath(folder))
        return os.path.join(self._parent[1], name)  # noqa: PTH118


def _apart(arguments: Sequence[str]) -> tuple[str, ...]:
    """Give the real paths of files and folders that lie apart; none where some do not."""
    if len(arguments) > _MOST_ROOTS:
        return ()
    if any(is_pattern(each) and not os.path.exists(each) for each in arguments):  # noqa: PTH110
        return ()
    found = sorted(f"{os.path.realpath(each)}/" for each in arguments if "\0" not in each)
    if any(after.startswith(before) for before, after in pairwise(found)):
        return ()
    return tuple(each.removesuffix("/") or "/" for each in found)
