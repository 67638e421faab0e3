"""Telling an outage from events that fail: when nothing succeeds, it is not the events' fault."""

from __future__ import annotations

DETECTED_AFTER = 5.0
_SHORTEST_PROBE = 0.5
_LONGEST_PROBE = 30.0
_PROBE_SHARE = 0.1


class Outage:
    """Watches outcomes; while nothing has succeeded for a while, only probes may start.

    Probes come at intervals of a tenth of the outage so far, so that little is lost once it is
    over. Times are the delivery clock's, in seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._failing_since: float | None = None
        self._next_probe = 0.0
        self._last_good_start = float("-inf")
        self.reason = ""

    @property
    def is_failing(self) -> bool:
        """Whether the latest request that ended has failed, be it an outage or not."""
        return self._failing_since is not None

    def succeeded(self, now: float, started_at: float) -> bool:
        """Note that a request started then was dealt with; whether that ended an outage."""
        ended = self.is_on(now)
        self._failing_since = None
        self._next_probe = 0.0
        self._last_good_start = max(self._last_good_start, started_at)
        return ended

    def failed(self, now: float, reason: str, retry_after: float | None = None) -> None:
        """Note a failure that may pass, and the seconds that the other side asks to wait."""
        self.reason = reason
        if self._failing_since is None:
            self._failing_since = now
        elif self.is_on(now):
            self._next_probe = now + self._interval(now)
        if retry_after:
            self._next_probe = max(self._next_probe, now + retry_after)

    def is_on(self, now: float) -> bool:
        """Whether everything has failed for so long that it must be an outage."""
        return self._failing_since is not None and now - self._failing_since >= DETECTED_AFTER

    def length(self, now: float) -> float:
        """Give how long everything has failed."""
        return now - self._failing_since if self._failing_since is not None else 0.0

    def next_probe(self, now: float) -> float:
        """Give the seconds until a single request may try whether it is over."""
        return max(0.0, self._next_probe - now)

    def is_given_up(self, now: float) -> bool:
        """Whether the outage has lasted longer than the run may wait."""
        return self.is_on(now) and self.length(now) >= self._timeout

    def had_success_since(self, moment: float) -> bool:
        """Whether a request that was started since then succeeded.

        One that was started before says nothing: it may have come through just before an outage.
        """
        return self._last_good_start >= moment

    def _interval(self, now: float) -> float:
        return min(_LONGEST_PROBE, max(_SHORTEST_PROBE, self.length(now) * _PROBE_SHARE))
