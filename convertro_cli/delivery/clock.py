"""Time, as the delivery loop sees it: it never goes back, and tests can wind it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A clock in seconds from some fixed point."""

    def now(self) -> float:
        """Give the time; never less than before, whatever happens to the wall clock."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class MonotonicClock:
    """The machine's own."""

    def now(self) -> float:
        """Give the time since some fixed point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; a signal may be handled meanwhile."""
        time.sleep(seconds)
