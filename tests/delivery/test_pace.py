"""The pace finds out what the other side allows: simulated servers, simulated time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertro_cli.delivery.pace import FIRST_LIMIT, Pace
from tests.delivery.simulation import Client, Crowded, Patient, RateLimited, Simulation

WARM_UP = 10.0


def adaptive(*, most: int = 256, rate_limit: float | None = None, now: float = 0.0) -> Pace:
    return Pace(fixed=None, most=most, rate_limit=rate_limit, now=now)


# --- a server that allows so many calls a second


@pytest.mark.parametrize(
    ("capacity", "latency", "seconds"),
    [
        (50, 0.001, 60),
        (50, 0.05, 60),
        (500, 0.001, 30),
        (500, 0.05, 30),
        (5000, 0.001, 20),
        (5000, 0.02, 10),
    ],
)
def test_a_servers_capacity_is_found_and_kept_to(
    capacity: float, latency: float, seconds: int
) -> None:
    """Within a few seconds it delivers what a server allows, to 5 %, with few 429s, and goes on."""
    client = Client(RateLimited(capacity), latency, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)

    simulation.run(WARM_UP + seconds)

    good = client.good.between(WARM_UP, WARM_UP + seconds)
    bad = client.bad.between(WARM_UP, WARM_UP + seconds)
    assert good / seconds == pytest.approx(capacity, rel=0.05)
    assert bad / (good + bad) < 0.05
    for start in range(int(WARM_UP), int(WARM_UP) + seconds, 10):
        assert client.good.between(start, start + 10) / 10 > 0.9 * capacity


@pytest.mark.parametrize("capacity", [5, 10, 20])
def test_even_a_few_calls_a_second_are_found(capacity: float) -> None:
    """Where little is allowed most of it is used, and few calls are refused."""
    client = Client(RateLimited(capacity), 0.05, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)

    simulation.run(90)

    good, bad = client.good.between(30, 90), client.bad.between(30, 90)
    assert good / 60 > 0.85 * capacity
    assert bad / (good + bad) < 0.15


def test_the_capacity_is_found_within_seconds() -> None:
    """A burst that is allowed at first does not mislead it for long."""
    client = Client(RateLimited(500), 0.001, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)

    simulation.run(6)

    assert client.good.between(2, 6) / 4 > 0.9 * 500
    assert client.bad.between(0, 6) < 0.1 * client.good.between(0, 6)


def test_a_limit_that_is_lifted_is_soon_found_out() -> None:
    """When ten times as much is allowed, ten times as much is sent within a quarter minute."""
    server = RateLimited(50)
    client = Client(server, 0.02, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)
    simulation.run(30)

    server.capacity = 500
    simulation.run(55)

    assert client.good.between(45, 55) / 10 > 0.9 * 500


def test_a_limit_that_is_lowered_is_obeyed_at_once() -> None:
    """When a tenth is allowed, no more than a tenth is sent within seconds."""
    server = RateLimited(500)
    client = Client(server, 0.02, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)
    simulation.run(20)

    server.capacity = 50
    simulation.run(40)

    refused = client.bad.between(25, 40)
    assert refused < 0.2 * client.good.between(25, 40)
    assert client.good.between(25, 40) / 15 > 0.9 * 50


def test_a_late_start_is_not_taken_for_slowness() -> None:
    """Until the first calls are ready time may pass; it does not count against the server."""
    client = Client(RateLimited(500), 0.01, pace=adaptive(now=-0.6))
    simulation = Simulation()
    simulation.join(client)

    simulation.run(5)

    assert client.good.between(1, 5) / 4 > 0.92 * 500


def test_a_pause_does_not_spoil_what_was_found_out() -> None:
    """After a long pause the little that was delivered in it is not taken for the limit."""
    pace = adaptive()
    pace.good([0.4] * 100, 0.5)

    pace.overloaded(30.0, 30.1, "429")

    assert pace.rate(30.1) is None


@pytest.mark.parametrize(("capacity", "latency"), [(50, 0.05), (400, 0.05)])
def test_two_clients_share_fairly(capacity: float, latency: float) -> None:
    """A second client that comes later has its half after two minutes, within 20 %."""
    server = RateLimited(capacity)
    first = Client(server, latency, pace=adaptive(), seed=1)
    simulation = Simulation()
    simulation.join(first)
    simulation.run(20)
    second = Client(server, latency, pace=adaptive(now=20.0), seed=2)
    simulation.join(second)

    simulation.run(180)

    shares = [client.good.between(140, 180) / 40 for client in (first, second)]
    assert min(shares) > 0.8 * max(shares)
    assert sum(shares) > 0.95 * capacity


# --- a server that allows so many requests at once


def test_an_overloaded_server_is_not_overrun() -> None:
    """Where 20 at once are too many, the limit stays about there, and most answers are good."""
    client = Client(Crowded(20), 0.05, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)

    simulation.run(60)

    good, bad = client.good.total, client.bad.total
    assert good / 60 > 0.65 * 20 / 0.05  # what additive increase and halving come to
    assert bad / (good + bad) < 0.05
    assert client.most_in_flight <= 20 + 8


def test_the_limit_halves_at_most_once_a_round_trip_and_grows_by_one() -> None:
    """No cut follows another within a round trip; no rise is faster than one a round trip."""
    latency = 0.05
    client = Client(Crowded(20), latency, pace=adaptive())
    simulation = Simulation()
    simulation.join(client)

    simulation.run(30)

    cuts = [at for (_, before), (at, after) in pairwise(client.limits) if after < before]
    rises = [at for (_, before), (at, after) in pairwise(client.limits) if after > before]
    assert len(cuts) > 3
    assert all(later - earlier > 0.8 * latency for earlier, later in pairwise(cuts))
    assert all(later - earlier > 0.5 * latency for earlier, later in pairwise(rises))
    for (_, before), (_, after) in pairwise(client.limits):
        assert after <= before + 1
        assert after >= before // 2


def test_a_cut_waits_for_a_request_that_started_after_the_last() -> None:
    """All that was under way at a cut speaks of before it: many failures, one halving."""
    pace = adaptive()
    pace.good([-0.5] * 64 * 64, 0.0)
    before = pace.concurrency

    for number in range(40):
        pace.overloaded(1.0, 1.05 + number / 1000, "503")
    assert pace.concurrency == before // 2

    for number in range(5):
        assert pace.concurrency == before // 2
        pace.overloaded(1.06, 1.2 + number / 1000, "503")
    assert pace.concurrency == before // 4


@given(
    st.lists(
        st.tuples(st.sampled_from(["good", "429", "503"]), st.floats(0, 0.5), st.floats(0, 1)),
        max_size=200,
    ),
    st.integers(1, 256),
)
@settings(max_examples=50)
def test_the_limit_stays_between_one_and_the_most(
    answers: list[tuple[str, float, float]], most: int
) -> None:
    """Whatever is answered, at least one and at most ``max_concurrency`` are at once."""
    pace = adaptive(most=most)
    now = 0.0
    for kind, pause, age in answers:
        now += pause
        if kind == "good":
            pace.good([now], now)
        else:
            pace.overloaded(now - age, now, kind)
        assert 1 <= pace.concurrency <= most
        assert 0 <= pace.allowance(0, now) <= most
        assert pace.allowance(most, now) == 0


def test_an_unhindered_client_reaches_the_most() -> None:
    """While all is well the limit grows up to ``max_concurrency``."""
    client = Client(Patient(), 0.01, pace=adaptive(most=64))
    simulation = Simulation()
    simulation.join(client)
    assert client.pace.concurrency == FIRST_LIMIT

    simulation.run(2)

    assert client.pace.concurrency == 64
    assert client.most_in_flight == 64


# --- what was asked for


def test_a_fixed_concurrency_never_changes() -> None:
    """A number stays that number, whatever is answered."""
    pace = Pace(fixed=12, most=256, rate_limit=None, now=0.0)

    pace.good([0.5] * 1000, 1.0)
    pace.overloaded(2.0, 2.1, "429")
    pace.resume(3)

    assert pace.concurrency == 12
    assert pace.allowance(5, 3.0) == 7
    assert pace.rate(3.0) is None


@pytest.mark.parametrize("rate", [0.5, 3, 47, 1000])
@pytest.mark.parametrize("fixed", [None, 64])
def test_a_rate_limit_is_exact(rate: float, fixed: int | None) -> None:
    """Over any span no more starts than the rate allows, plus its twentieth of a second; and
    no less, where nothing else holds it up."""
    pace = Pace(fixed=fixed, most=256, rate_limit=rate, now=0.0)
    started: list[float] = []
    now = 0.0
    while now < 10:
        allowed = pace.allowance(0, now)
        pace.started(allowed, now)
        started += [now] * allowed
        pace.good([now] * allowed, now)
        now += max(0.0005, pace.wait(now))

    assert len(started) == pytest.approx(10 * rate, rel=0.01, abs=1)
    burst = max(1.0, rate / 20)
    for first in range(0, len(started), max(1, len(started) // 50)):
        for span in (0.1, 1.0, 5.0):
            within = sum(1 for at in started[first:] if at < started[first] + span)
            assert within <= span * rate + burst + 1


def test_a_rate_limit_holds_beside_what_is_found_out() -> None:
    """Of the limit asked for and the one found out the lower counts."""
    client = Client(RateLimited(500), 0.01, pace=adaptive(rate_limit=100))
    simulation = Simulation()
    simulation.join(client)

    simulation.run(10)

    assert client.good.total == pytest.approx(1000, rel=0.02)
    assert client.bad.total == 0
    assert client.pace.rate(10.0) == 100


def test_an_outage_is_resumed_from_at_the_concurrency_that_was_good() -> None:
    """After an outage it goes on at the number given, within its bounds."""
    pace = adaptive(most=40)

    for wanted, given_ in ((20, 20), (0, 1), (1000, 40)):
        pace.resume(wanted)
        assert pace.concurrency == given_
