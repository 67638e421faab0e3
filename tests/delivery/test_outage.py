"""When everything fails, the run pauses, probes, and goes on where it was; no event is blamed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from convertro_cli.delivery.outage import DETECTED_AFTER, Outage
from convertro_cli.delivery.retry import full_jitter
from tests.delivery.fakes import LOST, OK, REFUSED, TIMEOUT, MemoryLedger, Reply, Server
from tests.delivery.rig import Config, Rig, name_of, numbered

FOREVER = float("inf")
TROUBLES = [
    Reply(503, after=0.03),
    Reply(500, after=0.03),
    Reply(429, after=0.001),
    REFUSED,
    LOST,
    TIMEOUT,
]


def down(start: float, end: float, reply: Reply, otherwise: Reply = OK) -> Server:
    """A server that gives every request this reply from one time to another."""
    return lambda _, now: reply if 1000 + start <= now < 1000 + end else otherwise


def is_out(rig: Rig) -> Callable[[], bool]:
    return lambda: rig.delivery.outage.is_on(rig.clock.now())


# --- the whole loop


@pytest.mark.parametrize("reply", TROUBLES)
@pytest.mark.parametrize("max_attempts", [1, 2, 8])
def test_an_outage_makes_no_dead_letters(tmp_path: Path, reply: Reply, max_attempts: int) -> None:
    """However few attempts are allowed, what fails together with all else is not lost by it."""
    config = Config(max_attempts=max_attempts, rate_limit=100)
    rig = Rig(tmp_path, down(3, 90, reply), config).offer(numbered(500)).run()

    assert rig.letter_list() == []
    assert rig.calls()["delivered"] == 500
    assert len(set(rig.delivered)) == len(rig.delivered) == 500


@pytest.mark.parametrize(("fixed", "count"), [(None, 600), (1, 100), (64, 1500)])
@pytest.mark.parametrize("seed", range(4))
def test_an_outage_begins_in_the_middle_of_things(
    tmp_path: Path, fixed: int | None, count: int, seed: int
) -> None:
    """With requests of all ages under way nothing is blamed, even if one attempt is allowed."""
    random = Random(seed)

    def server(_: str, now: float) -> Reply:
        if 1002 <= now < 1060:
            return Reply(503, after=random.uniform(0.001, 0.4))
        return Reply(after=random.uniform(0.05, 0.2))

    rig = Rig(tmp_path, server, Config(max_attempts=1, fixed=fixed)).offer(numbered(count)).run()

    assert rig.letter_list() == []
    assert rig.calls()["delivered"] == count


@pytest.mark.parametrize("reply", [Reply(503, after=0.03), Reply(500, after=0.03), REFUSED])
@pytest.mark.parametrize(("fixed", "count"), [(None, 5000), (8, 1000), (64, 6000)])
def test_a_server_that_is_down_is_not_stormed(
    tmp_path: Path, fixed: int | None, count: int, reply: Reply
) -> None:
    """Before a run is sure of an outage it does not try all its calls in turn: each one that failed
    keeps its place until its next try, and one more has a try each tenth of a second."""
    config = Config(fixed=fixed)
    rig = Rig(tmp_path, down(3, 90, reply), config).offer(numbered(count))
    rig.run(until=lambda: rig.elapsed > 2.9)
    places = rig.delivery.pace.concurrency
    most = 14 * places + 10 * DETECTED_AFTER
    assert count - rig.tally.calls["delivered"] > 1.05 * most, "there is enough to try in vain"

    rig.run(until=is_out(rig))

    in_vain = sum(start.reply == reply for start in rig.transport.starts)
    assert in_vain < most


@pytest.mark.parametrize("fixed", [None, 1, 64])
def test_in_an_outage_few_calls_are_left_in_doubt(tmp_path: Path, fixed: int | None) -> None:
    """With ``--at-most-once`` a server that drops every request does not use up the export."""
    config = Config(fixed=fixed, at_most_once=True, outage_timeout=60)
    rig = Rig(tmp_path, lambda *_: LOST._replace(after=0.001), config).offer(numbered(2000)).run()

    assert rig.delivery.outage.is_given_up(rig.clock.now())
    assert rig.calls()["in_doubt"] < 64 + 10 * DETECTED_AFTER + 40


@pytest.mark.parametrize("fixed", [1, 2, 4])
def test_events_that_always_fail_do_not_hold_up_the_others(tmp_path: Path, fixed: int) -> None:
    """With as many of them as there are places, another call is tried within a moment."""
    poison = {f"e{number}" for number in range(fixed)}

    def server(url: str, _: float) -> Reply:
        return Reply(500) if name_of(url) in poison else OK

    config = Config(fixed=fixed, backoff=lambda _: 4.0)
    rig = Rig(tmp_path, server, config).offer(numbered(20))
    rig.run(until=lambda: rig.tally.calls["delivered"] == 20 - fixed)

    assert rig.elapsed < 2.0


def test_during_an_outage_single_requests_probe(tmp_path: Path) -> None:
    """One request at a time, at intervals that grow with the outage, from half a second to 30 s."""
    rig = Rig(tmp_path, down(2, 700, Reply(503, after=0.02))).offer(numbered(2000)).run()

    during = [start.at - 1000 for start in rig.transport.starts if 1008 < start.at < 1700]
    gaps = [later - earlier for earlier, later in pairwise(during)]
    assert min(gaps) > 0.5
    assert max(gaps) == pytest.approx(30, abs=0.5)
    assert all(later > 0.95 * earlier for earlier, later in pairwise(gaps))
    assert len(during) < 80
    assert rig.calls()["delivered"] == 2000


def test_a_probe_is_alone(tmp_path: Path) -> None:
    """While an outage lasts there is never a second request beside the probe."""
    together: list[int] = []
    rig = Rig(tmp_path, down(1, 60, Reply(503, after=0.4))).offer(numbered(500))
    rig.run(until=is_out(rig))
    while is_out(rig)():
        rig.step()
        together.append(rig.delivery.in_flight)

    assert max(together[20:]) == 1


def seconds_of(folder: Path, server: Server) -> float:
    """How long it takes to deliver 15 seconds' worth of calls."""
    return Rig(folder, server, Config(rate_limit=200)).offer(numbered(3000)).run().elapsed


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The seconds that it takes without an outage."""
    return seconds_of(tmp_path_factory.mktemp("untroubled"), lambda *_: OK)


@pytest.mark.parametrize("length", [20.0, 120.0])
def test_little_time_is_lost_once_an_outage_is_over(
    tmp_path: Path, untroubled: float, length: float
) -> None:
    """After an outage a run is done within 15 % of the ideal time, its pace found again."""
    seconds = seconds_of(tmp_path, down(7, 7 + length, Reply(503)))

    assert seconds < 1.15 * (untroubled + length)


def test_it_resumes_at_half_of_what_was_good(tmp_path: Path) -> None:
    """The concurrency of before an outage, halved, is where it goes on, not at one."""
    rig = Rig(tmp_path, down(4, 30, Reply(503, after=0.02))).offer(numbered(9000))
    rig.run(until=lambda: rig.clock.now() >= 1003.9)
    before = rig.delivery.pace.concurrency
    assert before > 20
    rig.run(until=is_out(rig))
    assert rig.delivery.pace.concurrency < before / 2

    rig.run(until=lambda: rig.clock.now() > 1030 and not is_out(rig)())

    assert rig.delivery.pace.concurrency == pytest.approx(before / 2, abs=3)


def test_an_outage_that_lasts_is_given_up(tmp_path: Path) -> None:
    """After ``outage_timeout`` the loop says so; nothing is lost, dead or in doubt."""
    ledger = MemoryLedger()
    config = Config(outage_timeout=120)
    rig = Rig(tmp_path, down(2, FOREVER, Reply(503)), config, ledger=ledger)
    rig.offer(numbered(1500)).run()

    assert rig.elapsed == pytest.approx(122, abs=3)
    assert rig.delivery.outage.is_given_up(rig.clock.now())
    assert rig.delivery.outage.reason == "http_503"
    rig.end()
    assert rig.letter_list() == []
    assert ledger.sending == set()

    later = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(1500)).run()
    assert later.calls()["delivered"] + rig.calls()["delivered"] == 1500
    assert "possibly_repeated" not in later.calls()


def test_an_outage_from_the_start_is_given_up_too(tmp_path: Path) -> None:
    """Where nothing ever succeeds, the loop gives up just so, and blames nobody."""
    rig = Rig(tmp_path, lambda *_: REFUSED, Config(outage_timeout=60, max_attempts=2))
    rig.offer(numbered(300)).run()

    assert rig.elapsed == pytest.approx(60, abs=7)
    assert rig.delivery.outage.is_given_up(rig.clock.now())
    assert rig.calls() == {"attempts": rig.calls()["attempts"]}
    assert rig.letter_list() == []


def test_attempts_do_not_count_during_an_outage(tmp_path: Path) -> None:
    """Calls that were probed again and again are as good as new when it is over."""
    rig = Rig(tmp_path, down(0, 300, Reply(503)), Config(max_attempts=3)).offer(numbered(4))
    rig.run(until=lambda: rig.clock.now() > 1301 and rig.tally.calls["delivered"] == 4)

    assert len(rig.transport.starts) > 4 * 3
    assert rig.calls()["delivered"] == 4
    assert rig.letter_list() == []


def test_an_event_that_stays_poison_after_an_outage_has_all_its_attempts(tmp_path: Path) -> None:
    """Attempts are counted anew after an outage, and then they do count."""

    def server(url: str, now: float) -> Reply:
        if now < 1060:
            return Reply(503)
        return Reply(500) if name_of(url) == "e5" else OK

    rig = Rig(tmp_path, server, Config(max_attempts=4, rate_limit=20)).offer(numbered(900)).run()

    assert rig.reasons == {"e5": "http_500"}
    assert len([at for at in rig.starts_of("e5") if at > 60]) == 4


def test_an_earlier_failure_of_its_own_does_not_count_against_a_call(tmp_path: Path) -> None:
    """During an outage nobody is blamed while calls are left that had never failed before."""
    once = iter([Reply(500)])

    def server(url: str, now: float) -> Reply:
        if 1001 <= now < 1300:
            return Reply(503)
        return next(once, OK) if name_of(url) == "e0" else OK._replace(after=0.1)

    config = Config(max_attempts=2, fixed=2, backoff=lambda _: 7.0)
    rig = Rig(tmp_path, server, config).offer(numbered(30)).run()

    assert len(rig.starts_of("e0")) > 2
    assert rig.letter_list() == []
    assert rig.calls()["delivered"] == 30


def test_a_tail_that_fails_together_is_an_outage(tmp_path: Path) -> None:
    """When the last events all begin to fail at once nobody is blamed, with nothing else left."""
    rig = Rig(tmp_path, down(2, 400, Reply(504)), Config(fixed=4)).offer(numbered(170)).run()

    assert 150 < len([start for start in rig.transport.starts if start.at < 1002]) < 170
    assert rig.letter_list() == []
    assert rig.calls()["delivered"] == 170


def test_a_short_trouble_is_no_outage(tmp_path: Path) -> None:
    """Failures that end within seconds are merely tried again."""
    rig = Rig(tmp_path, down(2, 4, Reply(503)), Config(rate_limit=50)).offer(numbered(500))
    seen = False
    while not rig.delivery.is_idle:
        rig.step()
        seen = seen or is_out(rig)()

    assert not seen
    assert rig.calls()["delivered"] == 500


def test_a_retry_after_is_obeyed_by_probes(tmp_path: Path) -> None:
    """A server that asks for 40 s of rest during an outage gets them."""
    rig = Rig(tmp_path, down(1, 200, Reply(503, retry_after=40))).offer(numbered(500)).run()

    during = [start.at for start in rig.transport.starts if 1007 < start.at < 1200]
    assert all(later - earlier >= 40 for earlier, later in pairwise(during))
    assert 3 <= len(during) <= 5
    assert rig.calls()["delivered"] == 500


def test_all_that_a_final_answer_shows_is_that_the_server_lives(tmp_path: Path) -> None:
    """A 404 for each event is no outage: every one of them is a dead letter."""
    rig = Rig(tmp_path, lambda *_: Reply(404)).offer(numbered(30)).run()

    assert len(rig.reasons) == 30
    assert rig.calls() == {"failed": 30, "attempts": 30}


def test_in_an_outage_hardly_anything_is_in_doubt(tmp_path: Path) -> None:
    """No more than the window is marked while it lasts, and the end of the run lets go of it."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, down(2, FOREVER, REFUSED), ledger=ledger).offer(numbered(3000))
    rig.run_for(60)
    assert is_out(rig)()
    assert len(ledger.sending) <= 256

    rig.end()

    assert ledger.sending == set()


# --- the watch by itself


def test_an_outage_is_noticed_after_a_while_of_nothing_but_failures() -> None:
    """It begins some seconds after the first failure, if nothing has succeeded since."""
    outage = Outage(100)
    outage.failed(10.0, "timeout")
    assert not outage.is_on(10.0 + DETECTED_AFTER - 0.01)
    assert outage.is_on(10.0 + DETECTED_AFTER)
    assert outage.length(30.0) == 20
    assert outage.reason == "timeout"


def test_a_success_ends_an_outage_and_says_so_once() -> None:
    """The success that ends it is told apart from one that merely comes."""
    outage = Outage(100)
    outage.failed(10.0, "timeout")

    assert outage.succeeded(20.0, 19.9)
    assert not outage.succeeded(20.1, 20.0)
    assert not outage.is_on(21.0)
    assert outage.length(21.0) == 0


def test_a_success_that_began_earlier_says_nothing_of_a_failure() -> None:
    """What came through just before an outage does not put the blame on what did not."""
    outage = Outage(100)
    outage.succeeded(10.1, 10.0)

    assert not outage.had_success_since(10.05)
    assert outage.had_success_since(10.0)
    outage.succeeded(10.2, 9.0)
    assert not outage.had_success_since(10.05)


def test_it_is_given_up_after_its_timeout_and_not_before_it_is_one() -> None:
    """A timeout shorter than it takes to notice an outage waits for that."""
    outage = Outage(1.0)
    outage.failed(10.0, "timeout")
    assert not outage.is_given_up(12.0)
    assert outage.is_given_up(10.0 + DETECTED_AFTER)


def test_a_new_outage_does_not_wait_for_the_last_ones_probe() -> None:
    """What an outage before had asked for is forgotten when it is over."""
    outage = Outage(1000)
    outage.failed(0.0, "http_503", retry_after=500.0)
    outage.succeeded(1.0, 0.9)
    for moment in (2.0, 2.1, 2.2):
        outage.failed(moment, "http_503")

    assert outage.is_on(10.0)
    assert outage.next_probe(10.0) == 0


# --- the backoff


@pytest.mark.parametrize("failures", range(1, 101))
def test_the_backoff_has_full_jitter(failures: int) -> None:
    """Any time from none up to a bound that doubles from half a second to a minute."""
    backoff = full_jitter(Random(failures))
    bound = min(60.0, 0.5 * 2.0 ** (failures - 1))

    waits = [backoff(failures) for _ in range(400)]

    assert all(0 <= wait <= bound for wait in waits)
    assert min(waits) < 0.1 * bound
    assert max(waits) > 0.9 * bound
    assert sum(waits) / len(waits) == pytest.approx(bound / 2, rel=0.15)
