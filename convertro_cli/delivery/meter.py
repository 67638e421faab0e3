"""How many of something there are a second: deliveries, starts."""

from __future__ import annotations

_PAUSE = 5.0  # what was counted before or after a pause says nothing of what is usual


class Meter:
    """How many a second there were lately, over the last full second or so."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._count = 0
        self._last_rate = 0.0

    def count(self, number: int, now: float) -> None:
        """Count so many more."""
        self._roll(now)
        if not (self._count or self._last_rate):
            self._since = now  # nothing was under way before, which is no sign of slowness
        self._count += number

    def rate(self, now: float) -> float:
        """Give the rate: of the last full second, or of the current one if that is higher.

        It is 0 where too little was seen lately to tell.
        """
        self._roll(now)
        elapsed = now - self._since
        enough = 0.25 if self._last_rate else 0.02  # a rough idea is better than none
        return max(self._last_rate, self._count / elapsed if elapsed >= enough else 0.0)

    def _roll(self, now: float) -> None:
        elapsed = now - self._since
        if elapsed >= 1.0:
            self._last_rate = self._count / elapsed if elapsed < _PAUSE else 0.0
            self._since, self._count = now, 0
