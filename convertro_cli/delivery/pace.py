"""How many requests at once, and how many a second: as fast as the other side allows."""

from __future__ import annotations

from dataclasses import dataclass

from convertro_cli.record.ledger import Bucket

FIRST_LIMIT = 8.0
_SECONDS_AHEAD = 0.25
_USUALLY_AHEAD = 96
_FEWEST_AHEAD = 4
_PAUSE = 5.0  # what was delivered before or after a pause says nothing of what is allowed


class TokenBucket:
    """A rate in calls a second, with at most a twentieth of a second's worth at once."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._tokens = 1.0
        self._at = now

    def available(self, now: float) -> int:
        """Give how many calls may start."""
        self._refill(now)
        return int(self._tokens + 1e-9)

    def take(self, calls: int) -> None:
        """Use up the right to start calls."""
        self._tokens -= calls

    def wait(self, now: float) -> float:
        """Give the seconds until a call may start."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self.rate)

    def _refill(self, now: float) -> None:
        most = max(1.0, self.rate / 20)
        self._tokens = min(most, self._tokens + (now - self._at) * self.rate)
        self._at = now


class RateCeiling:
    """A rate that is found out: cut when the other side says 429, then raised step by step.

    What was delivered in the last second tells what the other side allows. The cut is
    proportional and the rise the same for every client, so that two clients end up with equal
    shares; the rise doubles each second, so that a limit that was lifted is soon found out.
    Where only a few calls a second are allowed it begins gently, or most would be refused.
    """

    CUT = 0.95
    FIRST_RISE = 4.0
    FIRST_RISE_SHARE = 0.02

    def __init__(self, rate: float, now: float) -> None:
        self._floor = max(1.0, rate * self.CUT)
        self._first_rise = min(self.FIRST_RISE, rate * self.FIRST_RISE_SHARE)
        self._cut_at = now
        self._bucket = TokenBucket(self._floor, now)

    def bucket(self, now: float) -> TokenBucket:
        """Give the bucket, at the rate that holds now."""
        elapsed = min(now - self._cut_at, 30.0)
        self._bucket.rate = self._floor + self._first_rise * (2.0**elapsed - 1.0)
        return self._bucket


class DeliveryMeter:
    """How many calls a second were delivered lately, over the last full second or so."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._count = 0
        self._last_rate = 0.0

    def count(self, deliveries: int, now: float) -> None:
        """Count deliveries."""
        self._roll(now)
        if not (self._count or self._last_rate):
            self._since = now  # nothing was under way before, which is no sign of slowness
        self._count += deliveries

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


@dataclass(slots=True)
class _Limit:
    """Requests at once: plus one each round trip, halved at a sign of overload."""

    value: float
    most: int
    cut_at: float

    def grow(self, answers: int) -> None:
        self.value = min(self.most, self.value + answers / self.value)

    def halve(self, started_at: float, now: float) -> bool:
        """Halve, unless the request was under way at the last cut: once a round trip is enough."""
        if started_at <= self.cut_at:
            return False
        self.value = max(1.0, self.value / 2)
        self.cut_at = now
        return True


class Pace:
    """Says whether a request may start now.

    With ``fixed`` that many requests at once, else as many as prove good, up to ``most``.
    ``rate_limit`` (calls a second) holds in any case; where others keep it, too, ``shared`` is
    the bucket of all.
    """

    def __init__(
        self,
        *,
        fixed: int | None,
        most: int,
        rate_limit: float | None,
        now: float,
        shared: Bucket | None = None,
    ) -> None:
        self._adapts = fixed is None
        self._limit = _Limit(float(fixed or min(FIRST_LIMIT, most)), fixed or most, now - 1.0)
        self._bucket: Bucket | None = shared
        if shared is None and rate_limit:
            self._bucket = TokenBucket(rate_limit, now)
        self._ceiling: RateCeiling | None = None
        self._meter = DeliveryMeter(now)

    @property
    def concurrency(self) -> int:
        """How many requests may be under way at once."""
        return int(self._limit.value)

    def rate(self, now: float) -> float | None:
        """How many calls a second may start; None for no limit."""
        rates = [bucket.rate for bucket in self._buckets(now)]
        return min(rates) if rates else None

    def allowance(self, in_flight: int, now: float) -> int:
        """Give how many more requests may start now."""
        allowed = self.concurrency - in_flight
        for bucket in self._buckets(now):
            allowed = min(allowed, bucket.available(now))
        return max(0, allowed)

    def ahead(self, now: float) -> int:
        """Give how many calls are worth getting ready: what the next moments will start.

        More would be in doubt after a crash without any need.
        """
        ahead = max(_USUALLY_AHEAD, int(self._meter.rate(now) * _SECONDS_AHEAD))
        for bucket in self._buckets(now):
            ahead = min(ahead, max(_FEWEST_AHEAD, int(bucket.rate * _SECONDS_AHEAD)))
        return ahead

    def started(self, requests: int, now: float) -> None:
        """Note that requests were started."""
        for bucket in self._buckets(now):
            bucket.take(requests)

    def wait(self, now: float) -> float:
        """Give the seconds until the rate allows a start."""
        return max((bucket.wait(now) for bucket in self._buckets(now)), default=0.0)

    def good(self, answers: int, now: float) -> None:
        """Note good answers."""
        self._meter.count(answers, now)
        if self._adapts:
            self._limit.grow(answers)

    def overloaded(self, started_at: float, now: float, *, too_many: bool) -> None:
        """Note a sign of overload (429, 503, a timeout); ``too_many`` is a 429."""
        if not self._adapts or not self._limit.halve(started_at, now):
            return
        if too_many and (rate := self._meter.rate(now)):
            self._ceiling = RateCeiling(rate, now)

    def resume(self, concurrency: int) -> None:
        """Take up a concurrency that was good before an outage."""
        if self._adapts:
            self._limit.value = float(max(1, min(concurrency, self._limit.most)))

    def _buckets(self, now: float) -> list[Bucket]:
        buckets: list[Bucket] = [self._bucket] if self._bucket else []
        if self._ceiling:
            buckets.append(self._ceiling.bucket(now))
        return buckets
