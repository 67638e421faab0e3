"""Events that always fail, among good ones: they take no room, and end as dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from convertro_cli.delivery.clock import MonotonicClock
from convertro_cli.delivery.transport import TransportOptions
from convertro_cli.delivery.transports import open_transport
from tests.delivery.conftest import Name
from tests.delivery.fakes import LOST, OK, MemoryLedger, Reply, Server
from tests.delivery.raw_server import RawServer, Talk, answer
from tests.delivery.rig import Config, Event, Rig, name_of, numbered
from tests.soaking import usually

MANY = usually(10_000, in_soak=60_000)
SOME = usually(5_000, in_soak=60_000)


def batches(count: int, size: int = 500) -> Iterator[list[Event]]:
    for start in range(0, count, size):
        yield numbered(min(size, count - start), start)


def some(count: int, share: float) -> set[str]:
    random = Random(int(share * 1000))
    return {f"e{number}" for number in range(count) if random.random() < share}


def poisoned(poison: set[str], reply: Reply) -> Server:
    return lambda url, _: reply if name_of(url) in poison else OK


@pytest.mark.parametrize(
    ("share", "count"), [(0.005, MANY), (0.02, MANY), (0.1, SOME), (0.4, SOME)]
)
def test_any_share_of_poison_is_survived(tmp_path: Path, share: float, count: int) -> None:
    """Of thousands every good one is delivered, and every poison one is a dead letter."""
    poison = some(count, share)
    config = Config(max_attempts=3)
    rig = Rig(tmp_path, poisoned(poison, Reply(500)), config).feed(batches(count))

    assert rig.problem is None
    assert set(rig.reasons) == poison
    assert rig.calls()["delivered"] == count - len(poison)
    assert rig.calls()["attempts"] == count + 2 * len(poison)


def test_poison_that_gets_all_its_attempts_is_no_outage(tmp_path: Path) -> None:
    """With the attempts that are usual, and over a thousand that wait at a time, nothing is
    given up."""
    count = usually(3000, in_soak=8000)
    poison = some(count, 0.4)
    rig = Rig(tmp_path, poisoned(poison, Reply(500))).feed(batches(count))

    assert rig.problem is None
    assert set(rig.reasons) == poison
    tries = Counter(rig.tried)
    assert {tries[name] for name in poison} == {8}
    assert rig.elapsed < 200


@pytest.mark.parametrize("reply", [Reply(429), Reply(503), LOST])
def test_poison_of_other_kinds(tmp_path: Path, reply: Reply) -> None:
    """Refused for the moment, each time; or lost, each time: the others are delivered."""
    poison = some(3000, 0.1)
    rig = Rig(tmp_path, poisoned(poison, reply), Config(max_attempts=4)).feed(batches(3000))

    assert set(rig.reasons) == poison
    assert rig.calls()["delivered"] == 3000 - len(poison)


def test_what_waits_takes_no_room_in_memory(tmp_path: Path) -> None:
    """Of thousands of calls that wait for their next try a few hundred are in memory, no more."""
    poison = some(6000, 0.5)
    config = Config(backoff=lambda _: 500.0, max_attempts=2)
    rig = Rig(tmp_path, poisoned(poison, Reply(500)), config)
    rig.feed(batches(6000), until=lambda: rig.tally.calls["delivered"] == 6000 - len(poison))

    assert rig.calls()["attempts"] == 6000
    assert len(rig.open_calls) < 600
    assert not list(tmp_path.glob("waiting*")), "it has no name, and goes with the process"


def test_what_waits_on_disk_keeps_its_message_and_its_followers(tmp_path: Path) -> None:
    """Messages of several calls, and with one id, end as they do where nothing waits on disk."""
    export = [Event(f"m{number}", (f"m{number}/a", f"m{number}/b")) for number in range(1500)]
    config = Config(max_attempts=2, backoff=lambda _: 30.0)

    def server(url: str, now: float) -> Reply:
        return Reply(500) if url.endswith("/a") and int(url.split("/m")[1][:-2]) % 3 else OK

    rig = Rig(tmp_path, server, config)
    rig.feed([export[start : start + 100] for start in range(0, 1500, 100)] + [export[:300]])

    assert rig.calls() == {
        "delivered": 2000,
        "already_delivered": 400,
        "failed": 1000,
        "already_failed": 200,
        "attempts": 4000,
    }
    assert rig.messages() == {
        "read": 1800,
        "delivered": 500,
        "already_delivered": 100,
        "already_failed": 200,
        "failed": 1000,
    }
    assert len(rig.letter_list()) == 1000
    assert rig.file.open_messages == 0


def test_a_crash_loses_nothing_of_what_waits(tmp_path: Path) -> None:
    """What waited on disk when a run died is tried again by the next, from the export."""
    poison = some(3000, 0.5)
    ledger = MemoryLedger()
    config = Config(backoff=lambda _: 500.0)
    died = Rig(tmp_path, poisoned(poison, Reply(500)), config, ledger=ledger)
    died.feed(batches(3000), until=lambda: died.tally.calls["attempts"] == 3000)
    assert died.file.open_messages >= len(poison)

    rig = Rig(tmp_path, lambda *_: OK, ledger=ledger).feed(batches(3000))

    assert rig.calls()["delivered"] + rig.calls()["already_delivered"] == 3000
    assert poison <= set(rig.tried)


def test_fresh_calls_and_retries_take_turns(tmp_path: Path) -> None:
    """However many retries are due, every second call in line is a fresh one."""
    poison = {f"e{number}" for number in range(500)}
    config = Config(fixed=4, backoff=lambda _: 0.0, max_attempts=100)
    rig = Rig(tmp_path, poisoned(poison, Reply(500, after=0.01)), config)
    rig.feed(batches(1500), until=lambda: rig.tally.calls["delivered"] == 900)

    tries = Counter(rig.tried)
    retries = sum(times - 1 for times in tries.values())
    assert retries < 1.3 * len(tries)


def test_an_outage_among_poison_is_told_apart(tmp_path: Path) -> None:
    """With 10 % poison a server that goes away for a minute is an outage, and blames nobody."""
    poison = some(4000, 0.1)

    def server(url: str, now: float) -> Reply:
        if 1005 <= now < 1065:
            return Reply(503)
        return Reply(500) if name_of(url) in poison else OK

    seen: list[bool] = []
    rig = Rig(tmp_path, server, Config(rate_limit=200, max_attempts=3))

    def look() -> bool:
        seen.append(rig.delivery.outage.is_on(rig.clock.now()))
        return False

    rig.feed(batches(4000), until=look)

    assert any(seen)
    assert set(rig.reasons) == poison


@pytest.mark.parametrize("share", [0.02, 0.4])
def test_poison_over_real_connections(tmp_path: Path, name: Name, share: float) -> None:
    """Both transports: the good ones arrive once, the poison ones as often as they are tried.

    That is three times, and more often where so many fail in a row that it is taken for an outage.
    """
    count = 400
    poison = some(count, share)

    def script(talk: Talk) -> None:
        while (request := talk.read()) is not None:
            bad = request.target.removeprefix("/") in poison
            talk.send(answer(500, body=b"no") if bad else answer(204))

    with ExitStack() as opened:
        server = opened.enter_context(RawServer(script))
        transport = open_transport(name, TransportOptions(30.0, 8))
        opened.callback(transport.close)
        config = Config(fixed=8, max_attempts=3, backoff=lambda _: 0.02)
        rig = Rig(
            tmp_path,
            poisoned(set(), OK),
            config,
            transport=transport,
            clock=MonotonicClock(),
            host=f"{server.url}/",
        ).feed(batches(count, 50))

        assert set(rig.reasons) == poison
        assert rig.letter_list()[0]["answer"] == {"status": 500, "body": "no"}
        assert rig.calls()["delivered"] == count - len(poison)
        arrived = Counter(request.target.removeprefix("/") for request in server.requests)
    assert min(arrived[name] for name in poison) == 3
    assert {arrived[name] for name in arrived.keys() - poison} == {1}
    assert sum(arrived.values()) == rig.calls()["attempts"]
