"""How long a run waits for the other side, what it says of it, and how slow troubles make it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from convertro_cli.cli.progress_text import describe
from convertro_cli.cli.watching import LineWatcher
from convertro_cli.delivery.pace import Pace
from convertro_cli.delivery.retry import full_jitter
from convertro_cli.record.tally import Tally
from convertro_cli.run.options import delivery_options
from convertro_cli.run.plan import ReplayOptions
from convertro_cli.run.progress import Progress
from convertro_cli.settings.load import load_settings
from tests.delivery.conftest import OpenTransport
from tests.delivery.fakes import OK, REFUSED, Reply, Server
from tests.delivery.network import fetch_one
from tests.delivery.raw_server import RawServer, Talk
from tests.delivery.rig import Config, Event, Rig, numbered
from tests.delivery.simulation import Client, Patient, RateLimited, Simulation


def fault(name: str) -> Reply:
    return Reply(None, fault=name, after=0.01)


# --- how long


@pytest.mark.parametrize(
    ("reply", "seconds", "words"),
    [
        (fault("host_not_found"), 60, ["name is not known", "wire.base_url"]),
        (fault("untrusted_certificate"), 60, ["not trusted", "wire.ca_bundle"]),
        (fault("connection_refused"), 60, ["nothing listens", "port"]),
        (fault("wrong_protocol"), 60, ["another protocol", "http:// or https://"]),
        (fault("timeout"), 900, ["no answer came in time"]),
        (Reply(503), 900, ["http_503", "overloaded"]),
    ],
)
def test_what_is_wrong_from_the_start_is_not_waited_for_as_long(
    tmp_path: Path, reply: Reply, seconds: float, words: list[str]
) -> None:
    """A name that nobody knows, a certificate that nobody trusts, a protocol that nobody speaks
    and a port where nobody listens end a run after a minute."""
    config = Config(waits_for_start=False)
    rig = Rig(tmp_path, lambda *_: reply, config).offer(numbered(200)).run()

    assert rig.elapsed == pytest.approx(seconds, rel=0.12)
    assert rig.problem is not None
    for word in words:
        assert word in f"{rig.problem.message} {rig.problem.hint}"
    assert rig.letter_list() == []


@pytest.mark.parametrize(("name", "seconds"), [("connection_refused", 300), ("host_not_found", 60)])
def test_a_port_is_waited_for_as_long_as_somebody_chose(
    tmp_path: Path, name: str, seconds: float
) -> None:
    """Whoever sets the timeout may mean a server that is not up yet, but not a name unknown."""
    config = Config(outage_timeout=300, waits_for_start=True)
    rig = Rig(tmp_path, lambda *_: fault(name), config).offer(numbered(200)).run()

    assert rig.elapsed == pytest.approx(seconds, rel=0.12)


@pytest.mark.parametrize(("set_to", "is_waited_for"), [("", False), ("outage_timeout = 900", True)])
def test_whether_somebody_chose_it_is_in_the_settings(
    tmp_path: Path, set_to: str, is_waited_for: bool
) -> None:
    """The timeout is somebody's choice where it stands in the file, be it the default."""
    file = tmp_path / "convertro.toml"
    file.write_text(f'[convertro]\naccount = "acme"\n[delivery]\n{set_to}\n')
    options = delivery_options(load_settings(file), ReplayOptions())
    assert options.waits_for_start == is_waited_for


@pytest.mark.parametrize("name", ["host_not_found", "connection_refused"])
def test_what_is_lost_later_is_waited_for(tmp_path: Path, name: str) -> None:
    """After a success it is an outage like others: a resolver or a server may be down a while."""

    def server(_: str, now: float) -> Reply:
        return fault(name) if 1002 <= now < 1200 else OK

    config = Config(rate_limit=100, waits_for_start=False)
    rig = Rig(tmp_path, server, config).offer(numbered(500)).run()

    assert rig.calls()["delivered"] == 500


@pytest.mark.parametrize("status", [429, 503])
def test_a_rest_that_is_too_long_ends_the_run(tmp_path: Path, status: int) -> None:
    """A Retry-After beyond ``outage_timeout`` is not waited for: 75, and the time to come again."""
    rig = Rig(tmp_path, lambda *_: Reply(status, retry_after=3600)).offer(numbered(50)).run()

    assert rig.elapsed < 10
    assert rig.problem is not None
    assert "asks to wait until" in rig.problem.message
    assert "UTC" in rig.problem.message
    assert rig.letter_list() == []


def test_a_rest_for_one_call_ends_the_run_when_all_others_are_done(tmp_path: Path) -> None:
    """The others are delivered first; the last one is left to another run."""
    asked = iter([Reply(429, retry_after=86_400)])
    rig = Rig(tmp_path, lambda *_: next(asked, OK)).offer(numbered(50)).run()

    assert rig.calls()["delivered"] == 49
    assert rig.problem is not None
    assert "asks to wait until" in rig.problem.message


def test_standing_still_is_no_outage(tmp_path: Path) -> None:
    """The time in which the program was stopped is none in which anything failed."""
    broken = iter([REFUSED] * 3)
    rig = Rig(tmp_path, lambda *_: next(broken, OK), Config(fixed=2, backoff=lambda _: 2.0))
    rig.offer(numbered(20))
    rig.run_for(0.5)
    rig.fake_clock.sleep(2000)

    rig.run()

    assert rig.problem is None
    assert rig.calls()["delivered"] == 20


@pytest.mark.parametrize(
    ("head", "more", "expected"),
    [
        (b"HTTP/1.1 ", b" ", {(None, "timeout"), (None, "wrong_protocol")}),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", {(200, None), (None, "timeout")}),
    ],
)
def test_a_head_that_trickles_is_not_waited_for(
    transport_of: OpenTransport, head: bytes, more: bytes, expected: set[tuple[int | None, str]]
) -> None:
    """However steadily a byte of it comes now and then, the timeout is for the whole of it.

    A status line that came whole is an answer, whatever became of the rest.
    """

    def script(talk: Talk) -> None:
        talk.read()
        talk.send(head)
        talk.trickle(more)

    started = time.monotonic()
    with RawServer(script) as server:
        outcome = fetch_one(transport_of(timeout=0.4), server.url + "/")

    assert (outcome.status, outcome.fault) in expected
    assert time.monotonic() - started < 3


# --- what is said


def test_the_progress_shows_retries_and_what_holds_back() -> None:
    """How many tries failed and why, the most frequent reason first."""
    progress = Progress(Tally(), None, concurrency=8)
    assert "retr" not in describe(progress, 0.0)

    progress.retries = {"timeout": 3, "503": 9}
    progress.held_back_by = "503"

    assert "12 retries: 9 × 503, 3 × timeout" in describe(progress, 0.0)
    assert "held back by 503" in describe(progress, 0.0)


def test_an_outage_is_told_when_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log gets a line at once, with the reason and how long it is waited for: once, and again
    only after half a minute."""
    rig = Rig(tmp_path, lambda *_: Reply(500)).offer(numbered(50))
    progress = Progress(Tally(), None, concurrency=8)
    watcher = LineWatcher()
    for _ in range(30):
        rig.run_for(0.5)
        progress.follow(rig.delivery.state(), stopping=False)
        watcher.tick(progress)

    (line,) = capsys.readouterr().err.splitlines()
    assert "unreachable for 5 s (http_500)" in line
    assert "waits 895 s more at most" in line


def test_a_slow_pace_names_its_reason(tmp_path: Path) -> None:
    """While a rate limit of the other side holds, the state says so; and counts the retries."""
    server = RateLimited(100)

    def reply(_: str, now: float) -> Reply:
        return OK if server.accept(1, now - 1000, 0.05) else Reply(429)

    rig = Rig(tmp_path, reply).offer(numbered(1500))
    rig.run_for(8)

    state = rig.delivery.state()
    assert state.held_back_by == "429"
    assert set(state.retries) == {"429"}


# --- how slow


def batches(count: int) -> Iterator[list[Event]]:
    for start in range(0, count, 500):
        yield numbered(500, start)


def faulty(share: float, reply: Reply, seed: int = 3) -> Server:
    random = Random(seed)

    def server(_: str, now: float) -> Reply:
        after = random.uniform(0.04, 0.06)
        return reply if random.random() < share else Reply(after=after)

    return server


MOMENTS = (1000, 4800)
"""When a fifth of 5,000 calls has been delivered, and when nearly all."""


def moments(folder: Path, share: float, reply: Reply) -> tuple[float, float]:
    """When so many were delivered, in seconds since the run began."""
    rig = Rig(folder, faulty(share, reply))
    source = batches(5000)
    found = []
    for count in MOMENTS:
        rig.feed(source, until=lambda count=count: rig.tally.calls["delivered"] >= count)  # type: ignore[misc]
        found.append(rig.elapsed)
    return found[0], found[1]


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    """The moments of a run without any faults."""
    return moments(tmp_path_factory.mktemp("untroubled"), 0, OK)


@pytest.mark.parametrize(
    "reply",
    [Reply(429), Reply(503), Reply(None, fault="timeout", after=0.05, maybe_received=True)],
)
def test_random_faults_hardly_slow_it_down(
    tmp_path: Path, untroubled: tuple[float, float], reply: Reply
) -> None:
    """With 10 % of them at 50 ms it takes a few seconds until it is clear that they come at any
    pace; from then on it takes no more than 1.25 times as long as without any.

    That is without the few calls that failed four times over, whose backoff outlasts the rest.
    """
    begun, done = moments(tmp_path, 0.1, reply)

    assert begun < untroubled[0] + 4
    assert done - begun < 1.25 * (untroubled[1] - untroubled[0])


def seconds_of_10_000(folder: Path, share: float, reply: Reply, seed: int) -> float:
    folder.mkdir()
    config = Config(backoff=full_jitter(Random(seed)))
    return Rig(folder, faulty(share, reply, seed), config).feed(batches(10_000)).elapsed


@pytest.fixture(scope="module")
def ideal(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The seconds that 10,000 calls take without any faults."""
    return seconds_of_10_000(tmp_path_factory.mktemp("ideal") / "run", 0, OK, 0)


@pytest.mark.parametrize("reply", [Reply(429), Reply(503)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_run_bears_random_faults(
    tmp_path: Path, ideal: float, reply: Reply, seed: int
) -> None:
    """10,000 calls at 50 ms, of which 10 % fail, take 1.5 times as long as without any, with the
    last call's backoff: little is lost before it is clear that the faults come at any pace."""
    assert seconds_of_10_000(tmp_path / "run", 0.1, reply, seed) < 1.5 * ideal


def test_a_calls_backoff_grows_with_what_chance_does_not_explain() -> None:
    """Where faults come at any pace, a few of them in a row say nothing of a call: with 10 % of
    them three in a row are chance, one call in a thousand apart. Without any none is."""
    tired = simulate(Tired(0.1, 503), 10)
    well = simulate(Patient(), 10)

    assert tired.pace.chance_failures in {2, 3}
    assert well.pace.chance_failures == 0


class Tired:
    """Fails now and then, at any pace."""

    def __init__(self, share: float, refusal: int, seed: int = 4) -> None:
        self.refusal = refusal
        self._share = share
        self._random = Random(seed)

    def accept(self, requests: int, now: float, latency: float) -> int:
        return sum(self._random.random() >= self._share for _ in range(requests))


class TiredAndLimited(RateLimited):
    """Fails now and then, and lets only so many pass."""

    def __init__(self, capacity: float, share: float) -> None:
        super().__init__(capacity)
        self._tired = Tired(share, 429)

    def accept(self, requests: int, now: float, latency: float) -> int:
        return super().accept(self._tired.accept(requests, now, latency), now, latency)


def simulate(server: object, seconds: float, *, seed: int = 0) -> Client:
    pace = Pace(fixed=None, most=256, rate_limit=None, now=0.0)
    client = Client(server, 0.05, pace=pace, seed=seed)  # type: ignore[arg-type]
    simulation = Simulation()
    simulation.join(client)
    simulation.run(seconds)
    return client


@pytest.mark.parametrize(
    ("make", "least"),
    [
        (lambda: Tired(0.1, 503), 3800),
        (lambda: Tired(0.1, 429), 3800),
        (lambda: Tired(0.02, 503), 3000),
        (lambda: Tired(0.005, 429), 800),
    ],
)
def test_the_pace_grows_in_spite_of_a_background(make: Callable[[], Tired], least: int) -> None:
    """After half a minute most of what 256 at once can do is done: 5,120 a second."""
    client = simulate(make(), 30)

    assert client.good.between(20, 30) / 10 > least


def test_a_rate_behind_a_background_is_still_found() -> None:
    """A limit of 500 a second with 10 % that fail anyway is used, and not overrun for ever."""
    client = simulate(TiredAndLimited(500, 0.1), 40)

    assert client.good.between(10, 40) / 30 > 0.9 * 500
    assert client.bad.between(10, 40) < 0.5 * client.good.between(10, 40)


@pytest.mark.parametrize("refusal", [429, 503])
@pytest.mark.parametrize(("calls", "ideal"), [(10_000, 6.7), (40_000, 13.9)])
def test_random_faults_cost_little_whatever_the_number_of_calls(
    refusal: int, calls: int, ideal: float
) -> None:
    """By whatever luck of the first faults, 10 % of them cost at most 1.5 times the time that the
    limit on requests at once takes to grow without any."""
    clients = [simulate(Tired(0.1, refusal, seed), 1.5 * ideal) for seed in range(6)]

    assert min(client.good.total for client in clients) > calls


@pytest.mark.parametrize("seed", range(3))
def test_a_limit_is_no_background(seed: int) -> None:
    """What a rate limit refuses goes away with less load, and is not taken for chance."""
    client = simulate(RateLimited(500), 20, seed=seed)

    assert client.pace.chance_failures == 0
    assert client.good.between(5, 20) / 15 > 0.95 * 500
