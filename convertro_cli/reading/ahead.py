"""The next exports, got ready while one is read: opening an object takes a round trip."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from convertro_cli.reading.export_set import ExportFile

_MOST: Final = 32
_BYTES: Final = 16 << 20


def read_ahead(files: Iterable[ExportFile]) -> Iterator[tuple[ExportFile, bool]]:
    """Give each file, and whether the one after it can be read without waiting.

    Up to 32 objects are got ready ahead of the one that is read, and no more than some 16 MB of
    them, so that memory stays bounded and other runs find something to do. Of files on this
    machine one is looked at ahead.
    """
    every = iter(files)
    waiting: deque[ExportFile] = deque()
    size = 0  # of all that wait
    is_there = True
    while True:
        while is_there and _has_room(waiting, size):
            following = next(every, None)
            if following is None:
                is_there = False
                break
            if following.place is not None:
                following.place.begin()
            waiting.append(following)
            size += following.size or 0
        if not waiting:
            return
        file = waiting.popleft()
        size -= file.size or 0
        yield file, bool(waiting) and waiting[0].size is not None


def _has_room(waiting: deque[ExportFile], size: int) -> bool:
    """Whether another file may be got ready, besides the first one that waits."""
    if len(waiting) < 2:
        return True
    return waiting[-1].place is not None and len(waiting) <= _MOST and size < _BYTES
