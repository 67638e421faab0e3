"""How many requests at once, and how many a second: as fast as the other side allows."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from msgspec import Struct

from convertro_cli.delivery.meter import Meter
from convertro_cli.delivery.overload import OverloadSense, Sign
from convertro_cli.record.ledger import Bucket
from convertro_cli.token_bucket import TokenBucket

FIRST_LIMIT = 8.0
_SECONDS_AHEAD = 0.25
_USUALLY_AHEAD = 96
_FEWEST_AHEAD = 4
_TELLING = 30.0
_LATELY = 10.0
_CHANCE = 0.001
_LEAST_BACKGROUND = 0.01
_TOO_MANY = "429"


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

    def __init__(self, rate: float, now: float, *, first_rise: float = 0.0) -> None:
        self._floor = max(1.0, rate * self.CUT)
        self._first_rise = first_rise or min(self.FIRST_RISE, rate * self.FIRST_RISE_SHARE)
        self._cut_at = now
        self._bucket = TokenBucket(self._floor, now)

    def hold(self, now: float) -> None:
        """Rise no further yet."""
        self._cut_at = now

    def bucket(self, now: float) -> TokenBucket:
        """Give the bucket, at the rate that holds now."""
        elapsed = min(now - self._cut_at, 30.0)
        self._bucket.rate = self._floor + self._first_rise * (2.0**elapsed - 1.0)
        return self._bucket


class _Limit(Struct):
    """Requests at once: plus one each round trip, halved at a sign of overload."""

    value: float
    most: int
    cut_at: float

    def grow(self, answers: int) -> None:
        self.value = min(self.most, self.value + answers / self.value)

    def halve(self, now: float) -> None:
        self.value = max(1.0, self.value / 2)
        self.cut_at = now


class _Level(NamedTuple):
    """A pace that was kept before it was cut."""

    at: float
    concurrency: float
    ceiling: RateCeiling | None
    load: float


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
        self._meter = Meter(now)
        self._sense = OverloadSense(now)
        self._before_cuts = _Level(now, self._limit.value, None, 0.0)
        self._cut_by = ""
        self._allowed = 0.0

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
        if self._adapts and requests:
            self._sense.started(requests, now)

    def wait(self, now: float) -> float:
        """Give the seconds until the rate allows a start."""
        return max((bucket.wait(now) for bucket in self._buckets(now)), default=0.0)

    def good(self, started_at: Sequence[float], now: float) -> None:
        """Note good answers, by when their requests were started."""
        self.answered(started_at, (), now)

    def overloaded(self, started_at: float, now: float, why: str) -> None:
        """Note what may be a sign of overload: ``429``, ``503`` or ``timeout``."""
        self.answered((), [(started_at, why)], now)

    def answered(
        self, good: Sequence[float], signs: Sequence[tuple[float, str]], now: float
    ) -> None:
        """Note answers that came together: when their requests were started, and signs of overload.

        What was under way at the last cut speaks of before it: one cut a round trip is enough. In
        which order answers came that were found together says nothing.
        """
        self._meter.count(len(good), now)
        if not self._adapts:
            return
        if not self._sense.is_trying:  # what a cut comes to shows only while it is kept
            self._limit.grow(len(good))
        cut_at = self._limit.cut_at
        since_cut = sum(1 for at in good if at > cut_at)
        reasons = [why for at, why in signs if at > cut_at]
        self._sense.note_earlier(len(good) - since_cut, len(signs) - len(reasons))
        if not since_cut and not reasons:
            return
        was_trying = self._sense.is_trying
        sign = self._sense.note(since_cut, len(reasons), now, self._meter.rate(now))
        if sign is Sign.CUT and reasons:
            self._cut_by = reasons[-1]
            if not was_trying:
                self._remember_level(now)
                self._allowed = self._meter.rate(now)
        self._follow(sign, now)

    def held_back_by(self, now: float) -> str:
        """Name the sign of overload that keeps the pace down, empty if none does."""
        lately = now - self._limit.cut_at < _TELLING
        return self._cut_by if lately or self._ceiling is not None else ""

    @property
    def chance_failures(self) -> int:
        """How many failures of one call in a row are chance, where faults come at any pace.

        The chance of more is below one in a thousand. It is 0 where no such faults are known.
        """
        share = self._sense.background
        return int(log(_CHANCE) / log(share)) if _LEAST_BACKGROUND <= share < 1 else 0

    def _follow(self, sign: Sign, now: float) -> None:
        if sign is Sign.CUT:
            self._limit.halve(now)
            if self._cut_by == _TOO_MANY and (rate := self._meter.rate(now)):
                # To tell the load from a background takes more than the usual small cut.
                share = 0.6 if self._sense.is_comparing else 1.0
                self._ceiling = RateCeiling(rate * share, now)
        elif sign is Sign.HELPED:
            if self._ceiling is not None and self._allowed:
                self._ceiling = RateCeiling(self._allowed, now)
        elif sign is Sign.UNDO:
            self._limit.value = max(self._limit.value, self._before_cuts.concurrency)
            self._ceiling = self._before_cuts.ceiling
            if self._ceiling and self._cut_by == _TOO_MANY and self._before_cuts.load:
                # Where it was, and up from there: another client may be what kept the refusals up.
                sent = self._before_cuts.load / (1 - min(self._sense.background, 0.5))
                self._ceiling = RateCeiling(sent / RateCeiling.CUT, now, first_rise=sent / 20)
            self._cut_by = ""

    def _remember_level(self, now: float) -> None:
        """Note what to go back to; the highest of the latest levels, for each cut may be undone."""
        before = self._before_cuts
        if now - before.at > _LATELY or self._limit.value >= before.concurrency:
            load = self._meter.rate(now)
            self._before_cuts = _Level(now, self._limit.value, self._ceiling, load)

    def resume(self, concurrency: int) -> None:
        """Take up a concurrency that was good before an outage."""
        if self._adapts:
            self._limit.value = float(max(1, min(concurrency, self._limit.most)))

    def _buckets(self, now: float) -> list[Bucket]:
        buckets: list[Bucket] = [self._bucket] if self._bucket else []
        if self._ceiling:
            if self._sense.is_trying:
                self._ceiling.hold(now)
            buckets.append(self._ceiling.bucket(now))
        return buckets
