"""A rate that is kept: for the calls that start, and for the requests that the sandbox takes."""

from __future__ import annotations

_DUST = 1e-9  # what adding fractions of seconds may lose of a whole token


class TokenBucket:
    """A rate a second, with at most ``burst_s`` seconds' worth of it at once, but always one.

    It begins with one, or ``full``. Times are in seconds, of any clock that goes on steadily.
    """

    def __init__(
        self, rate: float, now: float, *, burst_s: float = 0.05, full: bool = False
    ) -> None:
        self.rate = rate
        self._burst_s = burst_s
        self._tokens = self._most() if full else 1.0
        self._at = now

    def available(self, now: float) -> int:
        """Give how many may pass now."""
        self._refill(now)
        return int(self._tokens + _DUST)

    def take(self, number: int) -> None:
        """Use up the right of so many to pass."""
        self._tokens -= number

    def wait(self, now: float) -> float:
        """Give the seconds until one may pass."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self.rate)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._most(), self._tokens + (now - self._at) * self.rate)
        self._at = now

    def _most(self) -> float:
        return max(1.0, self.rate * self._burst_s)
