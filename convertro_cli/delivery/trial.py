"""What was answered while a cut of the pace is tried."""

from __future__ import annotations

from msgspec import Struct

MANY_FAULTS = 4
"""From so many faults on their share tells something."""


class Answers(Struct):
    """How many answers were good, and how many may be signs of overload."""

    good: float = 0
    faults: float = 0

    @property
    def answers(self) -> float:
        return self.good + self.faults

    @property
    def share(self) -> float:
        return self.faults / self.answers if self.answers else 0.0

    @property
    def is_mostly_refused(self) -> bool:
        """Whether more was refused than not, and not by chance."""
        return self.faults >= MANY_FAULTS and self.faults >= 2 * self.good

    def add(self, good: int, faults: int) -> None:
        self.good += good
        self.faults += faults

    def fade(self, most: float) -> None:
        """Let half of it go where it is more than ``most``: it is to speak of lately."""
        if self.answers > most:
            self.good /= 2
            self.faults /= 2


class Trial(Answers, kw_only=True):
    """What was answered since a cut. ``good_share`` is that of before, None if not known.

    ``rate_before`` and ``starts_before`` are how many requests a second were good before the cut,
    and how many were started; ``starts`` counts those that were started since.
    """

    began_at: float
    rate_before: float
    starts_before: float
    good_share: float | None = None
    starts: int = 0
    odds: float = 0.0
    has_settled: bool = False
