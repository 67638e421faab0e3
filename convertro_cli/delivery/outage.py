"""Telling an outage from events that fail: when nothing succeeds, it is not the events' fault."""

from __future__ import annotations

from math import ceil, log

DETECTED_AFTER = 5.0
_SHORTEST_PROBE = 0.5
_LONGEST_PROBE = 30.0
_PROBE_SHARE = 0.1
_CHANCE = 1e-4
_SHORT_TIMEOUT = 60.0
_WRONG_FROM_THE_START = {
    "host_not_found",
    "proxy_not_found",
    "untrusted_certificate",
    "wrong_protocol",
}
_NOT_THERE = "connection_refused"
_REMEMBERED = 2000
_SUPPOSED_GOOD = 20


class Outage:
    """Watches outcomes; while nothing has succeeded for a while, only probes may start.

    Probes come at intervals of a tenth of the outage so far, so that little is lost once it is
    over. Times are the delivery clock's, in seconds. ``waits_for_start`` says that somebody chose
    the timeout, to wait so long also for a port where nothing has ever answered.
    """

    def __init__(self, timeout: float, *, waits_for_start: bool = True) -> None:
        self._timeout = timeout
        self._waits_for_start = waits_for_start
        self._failing_since: float | None = None
        self._next_probe = 0.0
        self._last_good_start = float("-inf")
        self._was_answered = False
        self._in_a_row = 0
        self._good = 0.0
        self._own = 0.0
        self.reason = ""

    @property
    def is_failing(self) -> bool:
        """Whether the latest request that ended has failed, be it an outage or not."""
        return self._failing_since is not None

    def succeeded(self, now: float, started_at: float, answers: int = 1) -> bool:
        """Note that requests were dealt with, the latest of them started then.

        Gives whether that ended an outage. If it did not, the failures before were the events' own.
        """
        ended = self.is_on(now)
        self._was_answered = True
        if not ended:
            self._own += self._in_a_row
        self._good += answers
        if self._good + self._own > _REMEMBERED:
            self._good, self._own = self._good / 2, self._own / 2
        self._in_a_row = 0
        self._failing_since = None
        self._next_probe = 0.0
        self._last_good_start = max(self._last_good_start, started_at)
        return ended

    def failed(
        self, now: float, reason: str, retry_after: float | None = None, *, fresh: bool = True
    ) -> None:
        """Note a failure that may pass, and the seconds that the other side asks to wait.

        Only a ``fresh`` one, of a call that had not failed before, can begin an outage: a call that
        failed before may well do so again.
        """
        self._in_a_row += fresh
        self._was_answered = self._was_answered or reason.startswith("http_")
        if self._failing_since is None and not fresh:
            return
        self.reason = reason
        if self._failing_since is None:
            self._failing_since = now
        elif self.is_on(now):
            self._next_probe = now + self._interval(now)
        if retry_after:
            self._next_probe = max(self._next_probe, now + retry_after)

    def is_on(self, now: float) -> bool:
        """Whether everything has failed for so long that it must be an outage."""
        return self._has_failed_long(now) and self._in_a_row >= self._unusual

    def is_usual(self, now: float) -> bool:
        """Whether all that was tried for a while failed, but no more than may by chance.

        That is so when the last events of all are among those that always fail.
        """
        return self._has_failed_long(now) and self._in_a_row < self._unusual

    def slept(self, seconds: float) -> None:
        """Note that the program stood still for so long: nothing failed in that time."""
        if self._failing_since is not None:
            self._failing_since += seconds

    def length(self, now: float) -> float:
        """Give how long everything has failed."""
        return now - self._failing_since if self._failing_since is not None else 0.0

    def next_probe(self, now: float) -> float:
        """Give the seconds until a single request may try whether it is over."""
        return max(0.0, self._next_probe - now)

    def is_given_up(self, now: float) -> bool:
        """Whether the outage has lasted longer than the run may wait.

        A name that nobody knows, a certificate that nobody trusts, a protocol that nobody speaks,
        before any answer at all, are more likely faults of the settings, and not waited for as
        long. Nor is a port where nothing listens: a server that is being started again is there
        within a minute, and whoever knows of a longer pause sets the timeout.
        """
        return self.is_on(now) and self.patience(now) <= 0

    def patience(self, now: float) -> float:
        """Give the seconds for which an outage is still waited for."""
        longest = self._timeout
        if not self._was_answered and self._is_wrong_from_the_start:
            longest = min(longest, _SHORT_TIMEOUT)
        return longest - self.length(now)

    @property
    def _is_wrong_from_the_start(self) -> bool:
        if self.reason == _NOT_THERE:
            return not self._waits_for_start
        return self.reason in _WRONG_FROM_THE_START

    def had_success_since(self, moment: float) -> bool:
        """Whether a request that was started since then succeeded.

        One that was started before says nothing: it may have come through just before an outage.
        """
        return self._last_good_start >= moment

    def _has_failed_long(self, now: float) -> bool:
        return self._failing_since is not None and now - self._failing_since >= DETECTED_AFTER

    @property
    def _unusual(self) -> int:
        """How many failures in a row come by chance in one run of ten thousand at the most."""
        share = min(self._own / (self._own + self._good + _SUPPOSED_GOOD), 0.95)
        return max(1, ceil(log(_CHANCE) / log(share))) if share else 1

    def _interval(self, now: float) -> float:
        return min(_LONGEST_PROBE, max(_SHORTEST_PROBE, self.length(now) * _PROBE_SHARE))
