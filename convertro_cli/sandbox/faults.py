"""The troubles that a rehearsal asks for: failures, a rate limit, an outage. All are decided by
numbers and a clock that is handed in, so the same numbers give the same troubles."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from msgspec import Struct

from convertro_cli.sandbox.options import PlannedOutage, SandboxOptions
from convertro_cli.token_bucket import TokenBucket

_BURST_S = 0.1


class FaultyAnswer(Struct, frozen=True):
    """The answer that a request gets in place of its own."""

    status: int
    sentence: str
    retry_after_s: int | None = None


def fails(*, seed: int, digest: bytes, attempt: int, rate: float) -> bool:
    """Whether this attempt (from 0) of the request with this digest fails.

    A hash decides, not a sequence of random numbers: requests that come in another order, as they
    do over several connections, fail all the same.
    """
    key = blake2b(str(seed).encode(), digest_size=16).digest()
    drawn = blake2b(digest + attempt.to_bytes(8, "big"), key=key, digest_size=8).digest()
    return int.from_bytes(drawn, "big") < rate * 2**64


class Faults:
    """Decides which requests get a fault. Time begins when this is made.

    Not safe from several threads: the caller holds a lock.
    """

    def __init__(self, options: SandboxOptions, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._outage: PlannedOutage | None = options.outage
        self._bucket = (
            TokenBucket(options.rate_limit, self._started, burst_s=_BURST_S, full=True)
            if options.rate_limit
            else None
        )
        self._fail_rate = options.fail_rate
        self._fail_status = options.fail_status
        self._seed = options.seed
        self._failed: dict[bytes, int] = {}

    def of_time(self) -> FaultyAnswer | None:
        """The fault that any request gets now: the outage, or the rate limit.

        What the limit refuses costs nothing: a client that hammers gets as much as a patient one.
        """
        now = self._clock()
        if self._outage is not None:
            since = now - self._started - self._outage.start_s
            if 0 <= since < self._outage.length_s:
                return FaultyAnswer(self._fail_status, "The sandbox plays an outage.")
        if self._bucket is not None:
            if not self._bucket.available(now):
                text = "Too many requests a second for the sandbox's rate limit."
                return FaultyAnswer(429, text, retry_after_s=1)
            self._bucket.take(1)
        return None

    def of_request(self, digest: bytes) -> FaultyAnswer | None:
        """The fault that this request gets, by how often it has failed here so far.

        Once it passes it is forgotten: memory holds only what failed and has not passed yet.
        """
        if not self._fail_rate:
            return None
        attempt = self._failed.get(digest, 0)
        if fails(seed=self._seed, digest=digest, attempt=attempt, rate=self._fail_rate):
            self._failed[digest] = attempt + 1
            return FaultyAnswer(
                self._fail_status, "The sandbox fails this request, as it was told to."
            )
        self._failed.pop(digest, None)
        return None
