"""Sums by name that cannot fill the memory, however many different names an export has."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from heapq import nlargest
from typing import Generic, TypeVar

from convertro_cli.review.inspect.sums import Sum

Name = TypeVar("Name", bound=Hashable)


class BoundedSums(Generic[Name]):
    """A sum for each name, exact up to ``2 * limit`` names.

    Beyond that the rarest names are let go, down to ``limit`` of them, and what they had goes to
    ``rest``. From then on each sum that is kept says "at least": its name may have been among
    the rare ones before. All sums and ``rest`` together are exact, always.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sums: dict[Name, Sum] = {}
        self.rest = Sum()
        self.is_exact = True

    def __len__(self) -> int:
        return len(self._sums)

    def __iter__(self) -> Iterator[tuple[Name, Sum]]:
        return iter(self._sums.items())

    def add(self, name: Name, more: Sum) -> None:
        """Add to the sum of a name."""
        self._of(name).add(more)

    def add_count(self, name: Name, count: int) -> None:
        """Add to the count of a name that has no amounts."""
        self._of(name).count += count

    def counts(self) -> dict[Name, int]:
        """Give the counts, largest first."""
        ranked = sorted(self._sums.items(), key=lambda item: -item[1].count)
        return {name: total.count for name, total in ranked}

    def _of(self, name: Name) -> Sum:
        known = self._sums.get(name)
        if known is None:
            if len(self._sums) >= 2 * self._limit:
                self._let_go()
            known = self._sums[name] = Sum()
        return known

    def _let_go(self) -> None:
        self.is_exact = False
        kept = dict(nlargest(self._limit, self._sums.items(), key=lambda item: item[1].count))
        for name, total in self._sums.items():
            if name not in kept:
                self.rest.add(total)
        self._sums = kept
