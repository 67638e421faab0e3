"""How many files a search came upon so far, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_TELL_EVERY: Final = 100

TellCount = Callable[[int], None]
"""Hears how many files were found so far. May raise ConvertroError to end the search."""


class Listed:
    """Counts files as they are come upon, whether they are to be read or not.

    ``tell`` hears of it every hundred files or so, in the thread that searches, until the run
    begins: from then on another thread searches, and whoever wants to know looks at ``count``.
    """

    def __init__(self, tell: TellCount | None = None) -> None:
        self.count = 0
        self.tell = tell
        self._next = 0

    def add(self, count: int = 1) -> None:
        """Count files that were just found."""
        self.count += count
        if self.tell is not None and self.count >= self._next:
            self._next = self.count + _TELL_EVERY
            self.tell(self.count)
