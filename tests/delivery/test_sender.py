"""The delivery loop, before a fake network and a fake clock."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.delivery.fakes import LOST, OK, REFUSED, TIMEOUT, FakeClock, MemoryLedger, Reply
from tests.delivery.rig import Config, Event, Rig, events, key_of, name_of, numbered


class Flaky:
    """Gives each call these replies, one after the other, and success when they are used up."""

    def __init__(self, *replies: Reply, only: str = "") -> None:
        self._replies = replies
        self._only = only
        self._seen: Counter[str] = Counter()

    def __call__(self, url: str, now: float) -> Reply:
        name = name_of(url)
        if self._only and name != self._only:
            return OK
        self._seen[name] += 1
        before = self._seen[name] - 1
        return self._replies[before] if before < len(self._replies) else OK


class Poison:
    """Gives these calls always the same reply, and all others success."""

    def __init__(self, reply: Reply, *names: str) -> None:
        self._reply = reply
        self._names = names

    def __call__(self, url: str, now: float) -> Reply:
        return self._reply if name_of(url) in self._names else OK


# --- answers


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_settles_a_call_at_the_first_try(tmp_path: Path, status: int) -> None:
    """A 2xx is delivered: one request, one count, marked sent in the ledger."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, lambda *_: Reply(status), ledger=ledger).offer(events("a")).run()

    assert rig.calls() == {"delivered": 1, "attempts": 1}
    assert rig.messages() == {"read": 1, "delivered": 1}
    assert list(ledger.calls) == [key_of("a")]
    assert ledger.sending == set()


@pytest.mark.parametrize(
    "reply",
    [*(Reply(status) for status in (408, 425, 429, 500, 502, 503, 504)), LOST, REFUSED, TIMEOUT],
)
def test_what_may_pass_is_tried_until_it_has_passed(tmp_path: Path, reply: Reply) -> None:
    """Each passing trouble is tried again, and the call is delivered in the end, once."""
    rig = Rig(tmp_path, Flaky(reply, reply, reply)).offer(numbered(5)).run()

    assert rig.calls()["delivered"] == 5
    assert rig.calls()["attempts"] == 20
    assert Counter(rig.delivered) == Counter(f"e{number}" for number in range(5))
    assert rig.letter_list() == []


@pytest.mark.parametrize("status", [301, 302, 304, 307, 400, 401, 403, 404, 410, 422, 501, 505])
def test_a_final_answer_makes_a_dead_letter_at_once(tmp_path: Path, status: int) -> None:
    """Any other answer is not tried again: the event becomes a dead letter, with its reason."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, Poison(Reply(status), "b"), ledger=ledger)
    rig.offer(events("a", "b", "c")).run()

    assert rig.tried == ["a", "b", "c"]
    assert rig.calls() == {"delivered": 2, "failed": 1, "attempts": 3}
    assert rig.messages() == {"read": 3, "delivered": 2, "failed": 1}
    (letter,) = rig.letter_list()
    assert letter["reason"] == f"http_{status}"
    assert letter["source"] == "export.ndjson:2"
    assert letter["event"] == {"messageId": "b"}
    assert ledger.failures[key_of("b")].reason == f"http_{status}"
    assert dict(rig.tally.failed) == {f"http_{status}": 1}


def test_an_event_that_always_fails_becomes_a_dead_letter(tmp_path: Path) -> None:
    """While others pass, one that gets 500 each time is tried ``max_attempts`` times, no more."""
    rig = Rig(tmp_path, Poison(Reply(500), "e3"), Config(max_attempts=5, rate_limit=20))
    rig.offer(numbered(900)).run()

    assert len(rig.starts_of("e3")) == 5
    assert rig.reasons == {"e3": "http_500"}
    assert rig.calls() == {"delivered": 899, "failed": 1, "attempts": 904}


@pytest.mark.parametrize("reply", [Reply(500), Reply(503), LOST, REFUSED])
def test_a_poison_event_starts_no_outage(tmp_path: Path, reply: Reply) -> None:
    """However an event fails, as long as others pass there is no pause."""
    rig = Rig(tmp_path, Poison(reply, "e0", "e7"), Config(rate_limit=20))
    rig.offer(numbered(900))
    rig.run(until=lambda: rig.delivery.outage.is_on(rig.clock.now()) and rig.delivery.in_flight > 1)

    assert rig.delivery.is_idle
    assert set(rig.reasons) == {"e0", "e7"}
    assert rig.calls()["delivered"] == 898


@pytest.mark.parametrize("max_attempts", [1, 2, 8])
def test_the_last_event_of_all_may_be_poison(tmp_path: Path, max_attempts: int) -> None:
    """When only one call is left and its answers are 500, it is the event's own fault."""
    rig = Rig(tmp_path, Poison(Reply(500), "e9"), Config(max_attempts=max_attempts))
    rig.offer(numbered(10)).run()

    assert rig.reasons == {"e9": "http_500"}
    assert len(rig.starts_of("e9")) == max_attempts
    assert rig.elapsed < 200


@pytest.mark.parametrize("status", [500, 503, 504])
def test_the_last_events_of_all_may_be_poison(tmp_path: Path, status: int) -> None:
    """Several poison events that outlast all others are dead letters too, not an outage."""
    rig = Rig(tmp_path, Poison(Reply(status), "e10", "e20", "e30"))
    rig.offer(numbered(60)).run()

    assert set(rig.reasons) == {"e10", "e20", "e30"}
    assert rig.calls()["delivered"] == 57


# --- when again


def test_the_backoff_is_waited_for(tmp_path: Path) -> None:
    """The n-th try comes as long after the failure before as the backoff says."""
    waits = [0.3, 0.7, 1.9]
    config = Config(backoff=lambda failures: waits[failures - 1])
    rig = Rig(tmp_path, Flaky(*[Reply(500, after=0.25)] * 3), config).offer(events("a")).run()

    expected = [0.0]
    for wait in waits:
        expected.append(expected[-1] + 0.25 + wait)
    assert rig.starts_of("a") == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(("asked", "waited"), [(7.5, 7.5), (0.1, 2.0), (None, 2.0), (0.0, 2.0)])
def test_retry_after_is_obeyed(tmp_path: Path, asked: float | None, waited: float) -> None:
    """A call waits as long as it is asked to, and never less than its backoff."""
    server = Flaky(Reply(429, after=0.0, retry_after=asked))
    rig = Rig(tmp_path, server, Config(backoff=lambda _: 2.0)).offer(events("a")).run()

    first, second = rig.starts_of("a")
    assert second - first == pytest.approx(waited, abs=0.01)


def test_while_one_call_waits_others_go_on(tmp_path: Path) -> None:
    """A long wait of one call holds up no other."""
    server = Flaky(Reply(503, retry_after=3600), only="e0")
    rig = Rig(tmp_path, server).offer(numbered(50))
    rig.run(until=lambda: len(rig.delivered) == 49)
    assert rig.elapsed < 10

    rig.run()

    assert rig.calls()["delivered"] == 50
    assert rig.elapsed > 3600


# --- how many, how fast, in which order


@pytest.mark.parametrize("fixed", [1, 2, 7, 64, 256])
def test_a_fixed_concurrency_is_used_and_never_exceeded(tmp_path: Path, fixed: int) -> None:
    """As many requests as asked for are under way, never more."""
    latency = Random(2)
    rig = Rig(tmp_path, lambda *_: Reply(after=latency.uniform(0.01, 0.1)), Config(fixed=fixed))
    rig.offer(numbered(1000)).run()

    assert rig.transport.most_in_flight == fixed
    assert rig.calls() == {"delivered": 1000, "attempts": 1000}


def test_a_fixed_concurrency_is_kept_busy(tmp_path: Path) -> None:
    """With 64 connections and answers after 50 ms, 64 / 0.05 s calls a second are delivered."""
    rig = Rig(tmp_path, lambda *_: Reply(after=0.05), Config(fixed=64))
    rig.offer(numbered(12_800)).run()

    assert rig.elapsed == pytest.approx(12_800 / 64 * 0.05, rel=0.05)


@pytest.mark.parametrize("rate", [2.0, 33.0, 400.0])
def test_a_rate_limit_is_exact(tmp_path: Path, rate: float) -> None:
    """Calls start as often as the limit says: no more in any second, and no less in all."""
    count = int(rate * 15)
    config = Config(rate_limit=rate, fixed=64)
    rig = Rig(tmp_path, lambda *_: OK, config).offer(numbered(count)).run()

    starts = [start.at for start in rig.transport.starts]
    assert starts[-1] - starts[0] == pytest.approx((count - 1) / rate, rel=0.01)
    burst = int(max(1.0, rate / 20)) + 1
    for earlier, later in zip(starts, starts[int(rate) + burst :], strict=False):
        assert later - earlier > 0.999


def test_retries_count_for_the_rate_limit(tmp_path: Path) -> None:
    """A try is a request, whether the first or not."""
    config = Config(rate_limit=10, backoff=lambda _: 0.01)
    rig = Rig(tmp_path, Flaky(Reply(500), Reply(500)), config).offer(numbered(12)).run()

    assert len(rig.transport.starts) == 36
    assert rig.elapsed == pytest.approx(3.6, rel=0.05)


@given(
    seed=st.integers(0, 1000),
    fixed=st.sampled_from([None, 1, 3, 40]),
    share=st.sampled_from([0.0, 0.1, 0.5]),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_first_tries_come_in_the_order_of_the_export(
    tmp_path: Path, seed: int, fixed: int | None, share: float
) -> None:
    """Whatever fails and however long it takes, no call is first tried before an earlier one."""
    random = Random(seed)

    def server(url: str, now: float) -> Reply:
        status = 503 if random.random() < share else 200
        return Reply(status, after=random.uniform(0.001, 0.3))

    rig = Rig(tmp_path, server, Config(fixed=fixed, max_attempts=100)).offer(numbered(150)).run()

    first_tries = list(dict.fromkeys(rig.tried))
    assert first_tries == [f"e{number}" for number in range(150)]
    assert rig.calls()["delivered"] == 150


def test_more_is_wanted_only_while_little_waits(tmp_path: Path) -> None:
    """What waits is bounded, so memory does not grow with the export."""
    rig = Rig(tmp_path, lambda *_: Reply(503, after=0.01))
    offered = 0
    for _ in range(300):
        if rig.delivery.wants_more:
            rig.offer(numbered(200, offered))
            offered += 200
        rig.step()

    assert offered <= 1024 + 256 + 200
    assert not rig.delivery.wants_more


# --- repeats and doubt


def test_duplicates_share_one_request_and_its_fate(tmp_path: Path) -> None:
    """Messages with one id are sent once; the others count as already delivered, or failed."""
    rig = Rig(tmp_path, Poison(Reply(400), "bad"))
    rig.offer(events("a", "bad", "a", "bad", "a"))
    rig.offer(events("a", "bad"))
    rig.run()
    rig.offer(events("bad", "a")).run()

    assert sorted(rig.tried) == ["a", "bad"]
    assert rig.calls() == {
        "delivered": 1,
        "already_delivered": 4,
        "failed": 1,
        "already_failed": 3,
        "attempts": 2,
    }
    assert rig.messages() == {
        "read": 9,
        "delivered": 1,
        "already_delivered": 4,
        "failed": 1,
        "already_failed": 3,
    }
    assert len(rig.letter_list()) == 1


def test_duplicates_that_cannot_be_sent_share_their_fate(tmp_path: Path) -> None:
    """A call that is too long is one dead letter, however often its message comes."""
    long = Event("long", fault="request_too_long")
    rig = Rig(tmp_path, lambda *_: OK).offer([long, long]).offer([long]).run()

    assert rig.calls() == {"failed": 1, "already_failed": 2}
    assert rig.reasons == {"long": "request_too_long"}
    assert len(rig.letter_list()) == 1


def test_a_message_may_have_one_call_twice(tmp_path: Path) -> None:
    """Two equal calls of one message are one request, and the message is delivered."""
    rig = Rig(tmp_path, lambda *_: OK).offer([Event("a", ("x", "x"))]).run()

    assert rig.tried == ["x"]
    assert rig.calls() == {"delivered": 1, "already_delivered": 1, "attempts": 1}
    assert rig.messages() == {"read": 1, "delivered": 1}


def test_a_message_has_the_worst_fate_of_its_calls(tmp_path: Path) -> None:
    """One failed call makes a failed message, and one dead letter, whatever became of the rest."""
    rig = Rig(tmp_path, Poison(Reply(404), "b1", "b2"))
    rig.offer([Event("a", ("a1", "a2")), Event("b", ("b1", "b2", "b3"))]).run()

    assert rig.calls() == {"delivered": 3, "failed": 2, "attempts": 5}
    assert rig.messages() == {"read": 2, "delivered": 1, "failed": 1}
    assert len(rig.letter_list()) == 1


@pytest.mark.parametrize("reply", [LOST, TIMEOUT])
def test_a_doubtful_call_is_counted_as_possibly_repeated_once(tmp_path: Path, reply: Reply) -> None:
    """A call that may have arrived is sent again, and counted once however often."""
    rig = Rig(tmp_path, Flaky(reply, reply, reply, only="e1")).offer(numbered(40)).run()

    assert rig.calls() == {"delivered": 40, "possibly_repeated": 1, "attempts": 43}


@pytest.mark.parametrize("reply", [Reply(500), Reply(429), REFUSED])
def test_a_call_that_surely_did_not_arrive_is_no_repeat(tmp_path: Path, reply: Reply) -> None:
    """An answer that says no, or no connection, leaves no doubt."""
    rig = Rig(tmp_path, Flaky(reply, reply)).offer(numbered(20)).run()

    assert rig.calls() == {"delivered": 20, "attempts": 60}


def test_after_a_crash_the_marked_calls_are_sent_again_and_counted(tmp_path: Path) -> None:
    """What was marked when a run died is in doubt: the next run repeats it and says so."""
    ledger = MemoryLedger()
    crashed = Rig(tmp_path, lambda *_: OK, Config(fixed=4), ledger=ledger).offer(numbered(10))
    crashed.run(until=lambda: len(crashed.delivered) > 4)
    marked = set(ledger.sending)
    assert 0 < len(marked) <= 256

    rig = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(10)).run()

    again = {key_of(name) for name in rig.tried}
    assert marked <= again
    assert rig.calls()["possibly_repeated"] == len(marked)
    assert rig.calls()["delivered"] + rig.calls().get("already_delivered", 0) == 10
    assert ledger.sending == set()


def test_at_most_once_leaves_what_may_have_arrived_alone(tmp_path: Path) -> None:
    """With ``--at-most-once`` a doubtful call is never sent again, in this run or a later one."""
    ledger = MemoryLedger()
    config = Config(at_most_once=True, fixed=8)
    first = Rig(tmp_path, Poison(LOST, "e1", "e5"), config, ledger=ledger)
    first.offer(numbered(10)).offer(events("e1")).run()
    first.offer(events("e5")).run()

    assert Counter(first.tried) == Counter(f"e{number}" for number in range(10))
    assert first.calls() == {"delivered": 8, "in_doubt": 4, "attempts": 10}
    assert first.messages() == {"read": 12, "delivered": 8, "skipped": 4}
    assert dict(first.tally.skipped) == {"in_doubt": 4}
    assert not first.file.clean
    assert ledger.sending == {key_of("e1"), key_of("e5")}

    second = Rig(tmp_path, lambda *_: OK, config, ledger=ledger).offer(numbered(10)).run()
    assert second.tried == []
    assert second.calls() == {"already_delivered": 8, "in_doubt": 2}
    assert ledger.sending == {key_of("e1"), key_of("e5")}

    third = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(10)).run()
    assert third.tried == ["e1", "e5"]
    assert third.calls() == {
        "delivered": 2,
        "already_delivered": 8,
        "possibly_repeated": 2,
        "attempts": 2,
    }
    assert ledger.sending == set()


def test_at_most_once_still_tries_again_what_surely_did_not_arrive(tmp_path: Path) -> None:
    """Answers that say no and connections that were refused are no reason for doubt."""
    server = Flaky(Reply(503), REFUSED, Reply(429))
    rig = Rig(tmp_path, server, Config(at_most_once=True)).offer(numbered(10)).run()

    assert rig.calls() == {"delivered": 10, "attempts": 40}


def test_a_run_that_ends_early_lets_go_of_what_it_did_not_start(tmp_path: Path) -> None:
    """After an interrupt only the requests under way are in doubt, not what waited for its turn."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, lambda *_: Reply(after=60), Config(fixed=3), ledger=ledger)
    rig.offer(numbered(100))
    rig.run_for(5)
    assert len(ledger.sending) > 3

    rig.end()

    assert rig.delivery.count_in_doubt() == 3
    assert ledger.sending == {key_of(name) for name in ("e0", "e1", "e2")}


def test_what_waits_in_doubt_for_another_try_stays_marked(tmp_path: Path) -> None:
    """A call that may have arrived is in doubt at the end of a run though nothing is under way."""
    ledger = MemoryLedger()
    config = Config(fixed=4, backoff=lambda _: 500.0)
    rig = Rig(tmp_path, Poison(LOST, "e1", "e2"), config, ledger=ledger).offer(numbered(10))
    rig.run_for(3)

    rig.end()

    assert rig.delivery.count_in_doubt() == 2
    assert ledger.sending == {key_of("e1"), key_of("e2")}


# --- what earlier runs did


def test_a_second_run_sends_nothing(tmp_path: Path) -> None:
    """What was delivered is known, what failed for good is left alone."""
    ledger = MemoryLedger()
    server = Poison(Reply(400), "e3")
    Rig(tmp_path, server, ledger=ledger).offer(numbered(20)).run()

    rig = Rig(tmp_path, server, ledger=ledger).offer(numbered(20)).run()

    assert rig.tried == []
    assert rig.calls() == {"already_delivered": 19, "already_failed": 1}
    assert len(rig.letter_list()) == 1


def test_a_dead_letter_is_tried_again(tmp_path: Path) -> None:
    """An event from a dead-letter file is sent though it had failed, not what was delivered."""
    ledger = MemoryLedger()
    Rig(tmp_path, Poison(Reply(400), "b"), ledger=ledger).offer(
        [Event("m", ("a", "b")), Event("n")]
    ).run()

    again = [Event("m", ("a", "b"), again=True), Event("n", again=True)]
    rig = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(again).run()

    assert rig.tried == ["b"]
    assert rig.calls() == {"delivered": 1, "already_delivered": 2, "attempts": 1}
    assert rig.messages() == {"read": 2, "delivered": 1, "already_delivered": 1}


def test_a_dead_letter_that_fails_again_is_one_again(tmp_path: Path) -> None:
    """What fails once more becomes a dead letter once more, with its first place."""
    ledger = MemoryLedger()
    server = Poison(Reply(400), "b")
    Rig(tmp_path, server, ledger=ledger).offer(events("b")).run()

    rig = Rig(tmp_path, server, ledger=ledger).offer([Event("b", again=True)] * 2).run()

    assert rig.calls() == {"failed": 1, "already_failed": 1, "attempts": 1}
    assert [letter["source"] for letter in rig.letter_list()] == [
        "export.ndjson:1",
        "export.ndjson:b",
    ]


def test_resend_ignores_what_earlier_runs_did(tmp_path: Path) -> None:
    """With ``--resend`` all is sent again, once in this run."""
    ledger = MemoryLedger()
    Rig(tmp_path, Poison(Reply(400), "e1"), ledger=ledger).offer(numbered(5)).run()

    rig = Rig(tmp_path, lambda *_: OK, Config(resend=True), ledger=ledger)
    rig.offer(numbered(5)).run()
    rig.offer(numbered(5)).run()

    assert rig.tried == [f"e{number}" for number in range(5)]
    assert rig.calls() == {"delivered": 5, "already_delivered": 5, "attempts": 5}


def test_an_invalid_line_becomes_a_dead_letter_once(tmp_path: Path) -> None:
    """The same bad line, read again by a later run, is counted again but not kept again."""
    ledger = MemoryLedger()
    bad = Event("bad", is_invalid=True)
    first = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer([*events("a"), bad]).run()
    second = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer([*events("a"), bad]).run()

    assert first.messages() == {"read": 2, "delivered": 1, "invalid": 1}
    assert second.messages() == {"read": 2, "already_delivered": 1, "invalid": 1}
    (letter,) = second.letter_list()
    assert (letter["reason"], letter["source"]) == ("invalid_json", "export.ndjson:2")


# --- odds and ends


def test_nothing_to_do_is_idle(tmp_path: Path) -> None:
    """Without calls the loop is idle, and a step neither waits nor commits."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer([])

    rig.step()

    assert rig.delivery.is_idle
    assert rig.elapsed == 0
    assert ledger.commits == 0


def test_commits_are_few(tmp_path: Path) -> None:
    """A transaction serves many calls: far fewer commits than calls, at any concurrency."""
    for fixed in (8, 64, 256):
        ledger = MemoryLedger()
        Rig(tmp_path, lambda *_: OK, Config(fixed=fixed), ledger=ledger).offer(numbered(2000)).run()
        assert ledger.commits < 2000 / 20


def test_what_was_delivered_is_on_disk_within_a_second_or_two(tmp_path: Path) -> None:
    """Even when answers trickle in, they do not wait long for a commit."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, lambda *_: OK, Config(rate_limit=2), ledger=ledger).offer(numbered(100))

    for _ in range(400):
        rig.step()
        unknown = len(rig.delivered) - len(ledger.calls) - rig.delivery.in_flight
        assert unknown <= 2 * 1.5

    assert len(ledger.calls) > 30


def test_latencies_are_those_of_the_answers(tmp_path: Path) -> None:
    """The percentiles speak of how long answers took, within their 5 %."""
    rig = Rig(tmp_path, lambda url, _: Reply(after=int(name_of(url)[1:]) / 1000), Config(fixed=50))
    rig.offer(numbered(101)).run()

    assert rig.delivery.latency.percentile(0.5) == pytest.approx(0.050, rel=0.06)
    assert rig.delivery.latency.percentile(0.95) == pytest.approx(0.095, rel=0.06)


def test_the_next_try_is_told(tmp_path: Path) -> None:
    """How long until something is tried again can be shown to a person."""
    config = Config(backoff=lambda _: 3.0)
    rig = Rig(tmp_path, Flaky(Reply(503, after=0.0)), config, clock=FakeClock(5.0))
    rig.offer(events("a"))
    assert rig.delivery.state().next_try == 0

    rig.step()

    assert 2.5 < rig.delivery.state().next_try <= 3.0


def test_starts_do_not_come_in_a_burst_after_a_wait(tmp_path: Path) -> None:
    """A rate limit saves up a twentieth of a second's worth at most while nothing is to do."""
    rig = Rig(tmp_path, lambda *_: OK, Config(rate_limit=100)).offer(numbered(10)).run()
    rig.clock.sleep(60)

    rig.offer(numbered(50, 10)).run()

    late = [start.at for start in rig.transport.starts[10:]]
    assert sum(1 for at in late if at < late[0] + 0.01) <= 6
    assert all(later >= earlier for earlier, later in pairwise(late))
