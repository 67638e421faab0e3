"""The troubles of a rehearsal: the same numbers give the same troubles."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.sandbox.faults import Faults, fails
from convertro_cli.sandbox.options import PlannedOutage, SandboxOptions
from tests.sandbox.conftest import FakeClock


def digests(count: int) -> list[bytes]:
    return [blake2b(str(n).encode(), digest_size=16).digest() for n in range(count)]


@given(
    seed=st.integers(),
    digest=st.binary(min_size=16, max_size=16),
    attempt=st.integers(0, 1000),
    rate=st.floats(0, 1),
)
def test_a_seed_always_fails_the_same_attempts(
    seed: int, digest: bytes, attempt: int, rate: float
) -> None:
    """Seed, request and attempt decide alone; never at rate 0, always at rate 1, and a request
    that fails at a rate fails at every higher one."""
    outcome = fails(seed=seed, digest=digest, attempt=attempt, rate=rate)
    assert outcome == fails(seed=seed, digest=digest, attempt=attempt, rate=rate)
    assert not fails(seed=seed, digest=digest, attempt=attempt, rate=0)
    assert fails(seed=seed, digest=digest, attempt=attempt, rate=1)
    if outcome:
        assert fails(seed=seed, digest=digest, attempt=attempt, rate=(1 + rate) / 2)


@settings(max_examples=30)
@given(seed=st.integers(), rate=st.floats(0.01, 0.99))
def test_the_share_of_failures_is_near_the_rate(seed: int, rate: float) -> None:
    """Of 2,000 requests the share that fails lies within five standard deviations of the rate."""
    failed = sum(fails(seed=seed, digest=d, attempt=0, rate=rate) for d in digests(2_000))
    assert abs(failed / 2_000 - rate) <= 5 * (rate * (1 - rate) / 2_000) ** 0.5


def test_another_seed_fails_other_requests() -> None:
    """The seed matters, and so does the attempt."""

    def failed(seed: int, attempt: int) -> list[bool]:
        return [fails(seed=seed, digest=d, attempt=attempt, rate=0.5) for d in digests(64)]

    assert failed(1, 0) != failed(2, 0)
    assert failed(1, 0) != failed(1, 1)


def test_a_request_fails_by_its_own_history(clock: FakeClock) -> None:
    """In whatever order requests come, each fails the same number of times before it passes."""

    def failures(order: list[bytes]) -> dict[bytes, int]:
        faults = Faults(SandboxOptions(fail_rate=0.5, seed=7), clock)
        counts = dict.fromkeys(order, 0)
        waiting = list(order)
        while waiting:
            again = [digest for digest in waiting if faults.of_request(digest) is not None]
            for digest in again:
                counts[digest] += 1
            waiting = again[::-1]
        return counts

    forth = failures(digests(200))
    assert forth == failures(digests(200)[::-1])
    assert max(forth.values()) > 1


def test_a_fault_has_the_status_asked_for(clock: FakeClock) -> None:
    """Failures and outages are answered with the fail status."""
    faults = Faults(SandboxOptions(fail_rate=1, fail_status=500, outage=PlannedOutage(1)), clock)
    failure, outage = faults.of_request(b"x" * 16), faults.of_time()
    assert failure is not None
    assert outage is not None
    assert (failure.status, outage.status, failure.retry_after_s) == (500, 500, None)


def test_an_outage_begins_and_ends_on_time(clock: FakeClock) -> None:
    """10 seconds at 20 seconds: everything fails from 20 up to, not including, 30."""
    faults = Faults(SandboxOptions(outage=PlannedOutage(10, 20)), clock)
    failing = []
    for _ in range(80):
        failing.append(faults.of_time() is not None)
        clock.go(0.5)
    assert failing == [False] * 40 + [True] * 20 + [False] * 20


def test_a_rate_limit_is_answered_429_with_retry_after(clock: FakeClock) -> None:
    """Beyond the burst of a tenth of a second a request is told to come back in a second."""
    faults = Faults(SandboxOptions(rate_limit=500), clock)
    answers = [faults.of_time() for _ in range(60)]
    assert answers[:50] == [None] * 50
    for fault in answers[50:]:
        assert fault is not None
        assert (fault.status, fault.retry_after_s) == (429, 1)


def test_an_outage_uses_up_no_rate(clock: FakeClock) -> None:
    """Requests in an outage never get as far as the rate limit."""
    faults = Faults(SandboxOptions(rate_limit=10, outage=PlannedOutage(1)), clock)
    assert all(faults.of_time() is not None for _ in range(100))
    clock.go(1)
    assert faults.of_time() is None


@settings(max_examples=50)
@given(
    rate=st.floats(0.5, 5_000),
    gaps=st.lists(st.floats(0, 0.05), min_size=50, max_size=400),
)
def test_a_rate_limit_never_passes_more_than_its_rate(rate: float, gaps: list[float]) -> None:
    """In any time span no more pass than the rate allows plus one burst."""
    clock = FakeClock()
    faults = Faults(SandboxOptions(rate_limit=rate), clock)
    begun = clock()
    passed = 0
    for gap in gaps:
        clock.go(gap)
        passed += faults.of_time() is None
        assert passed <= (clock() - begun) * rate + max(1.0, rate / 10) + 1e-6


@pytest.mark.parametrize("rate", [0.5, 3, 500])
def test_a_rate_limit_passes_its_whole_rate(rate: float) -> None:
    """A client that asks ten times as often as allowed gets just the rate."""
    clock = FakeClock()
    faults = Faults(SandboxOptions(rate_limit=rate), clock)
    passed = 0
    for _ in range(10_000):
        clock.go(0.1 / rate)
        passed += faults.of_time() is None
    assert passed == pytest.approx(1_000 + max(1, rate / 10), abs=2)
