"""Time, as the delivery loop sees it: it never goes back, and tests can wind it."""

from __future__ import annotations

import time
from typing import Protocol

LONGEST_LOOK = 1.0
"""Who has not looked for longer than this was asleep, in seconds."""


class Clock(Protocol):
    """A clock in seconds from some fixed point."""

    def now(self) -> float:
        """Give the time; never less than before, whatever happens to the wall clock."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class WakingTime:
    """Time that passes only while somebody looks at it: for limits that a sleep must not use up.

    A program that was stopped and goes on, or a machine that was, finds no more of it gone than a
    look's distance. Whoever uses it looks at least twice a second.
    """

    def __init__(self) -> None:
        self._looked_at = time.monotonic()
        self._passed = 0.0

    def now(self) -> float:
        """Give the time since some fixed point."""
        at = time.monotonic()
        self._passed += min(at - self._looked_at, LONGEST_LOOK)
        self._looked_at = at
        return self._passed


class MonotonicClock:
    """The machine's own."""

    def now(self) -> float:
        """Give the time since some fixed point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; a signal may be handled meanwhile."""
        time.sleep(seconds)
