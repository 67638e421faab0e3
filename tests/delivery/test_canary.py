"""The canary: the first calls go one by one, each is shown with its answer, and none follow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from convertro_cli.delivery.canary import CanaryOptions, Tried
from convertro_cli.delivery.retry import Verdict
from tests.delivery.fakes import LOST, OK, MemoryLedger, Reply
from tests.delivery.rig import Config, Event, Rig, events, key_of, name_of, numbered


def canary(calls: int, show: Callable[[Tried], object] = lambda _: None) -> Config:
    return Config(canary=CanaryOptions(calls, show), backoff=lambda _: 30.0, max_attempts=3)


def test_only_the_first_calls_go_one_by_one(tmp_path: Path) -> None:
    """Of twenty calls three go, in order, never two at once; the others are left as they are."""
    ledger = MemoryLedger()
    rig = Rig(tmp_path, lambda *_: OK, canary(3), ledger=ledger).offer(numbered(20)).run()
    assert rig.tried == ["e0", "e1", "e2"]
    assert rig.transport.most_in_flight == 1
    assert rig.messages() == {"read": 3, "delivered": 3}
    assert rig.delivery.is_over
    assert set(ledger.calls) == {key_of(name) for name in rig.tried}
    assert ledger.sending == set()


def test_the_rest_goes_on_from_there(tmp_path: Path) -> None:
    """A run after it sends all that is left, and nothing twice."""
    ledger = MemoryLedger()
    Rig(tmp_path, lambda *_: OK, canary(3), ledger=ledger).offer(numbered(20)).run()
    rest = Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(20)).run()
    assert sorted(rest.tried) == sorted(f"e{number}" for number in range(3, 20))
    assert rest.messages() == {"read": 20, "delivered": 17, "already_delivered": 3}


def test_what_was_sent_before_is_none_of_them(tmp_path: Path) -> None:
    """What the ledger knows is not sent, and takes no place among the first calls."""
    ledger = MemoryLedger()
    Rig(tmp_path, lambda *_: OK, ledger=ledger).offer(numbered(5)).run()
    rig = Rig(tmp_path, lambda *_: OK, canary(3), ledger=ledger).offer(numbered(20)).run()
    assert rig.tried == ["e5", "e6", "e7"]


def test_fewer_calls_than_that(tmp_path: Path) -> None:
    """Where all is sent before, the canary ends with it, and is not over."""
    rig = Rig(tmp_path, lambda *_: OK, canary(9)).offer(numbered(4)).run()
    assert rig.messages() == {"read": 4, "delivered": 4}
    assert not rig.delivery.is_over


def test_what_is_tried_again_waits_beside_the_next(tmp_path: Path) -> None:
    """Its next try comes when it is due; every try is shown, with the number of its call."""
    shown: list[tuple[int, int, str, Verdict]] = []

    def server(url: str, now: float) -> Reply:
        is_good = name_of(url) != "e1" or now > 1050
        return OK if is_good else Reply(503, body=b"busy")

    def show(tried: Tried) -> None:
        shown.append((tried.number, tried.attempt, name_of(tried.url), tried.verdict))

    rig = Rig(tmp_path, server, canary(3, show)).offer(numbered(5)).run()
    assert rig.tried == ["e0", "e1", "e2", "e1", "e1"]
    assert rig.transport.most_in_flight == 1
    assert shown == [
        (1, 1, "e0", Verdict.DELIVERED),
        (2, 1, "e1", Verdict.RETRY),
        (3, 1, "e2", Verdict.DELIVERED),
        (2, 2, "e1", Verdict.RETRY),
        (2, 3, "e1", Verdict.DELIVERED),
    ]


@pytest.mark.parametrize(
    ("reply", "reason", "tries"),
    [
        (Reply(400, body=b"no"), "http_400", 1),
        (Reply(500), "http_500", 3),
        (Reply(503), "http_503", 3),
    ],
)
def test_what_fails_for_good_is_a_dead_letter(
    tmp_path: Path, reply: Reply, reason: str, tries: int
) -> None:
    """A refusal, and a call that fails each time, are dead letters as ever, and are shown."""
    shown: list[Tried] = []
    rig = Rig(
        tmp_path, lambda url, _: reply if name_of(url) == "e1" else OK, canary(3, shown.append)
    )
    rig.offer(numbered(5)).run()
    assert rig.reasons == {"e1": reason}
    assert rig.messages() == {"read": 3, "delivered": 2, "failed": 1}
    assert [tried.source for tried in shown].count("export.ndjson:2") == tries
    assert shown[1].answer is not None
    assert shown[1].answer.status == reply.status


def test_no_answer_is_shown_as_well(tmp_path: Path) -> None:
    """A request without an answer is shown with what went wrong."""
    shown: list[Tried] = []
    replies = iter([LOST, OK, OK])
    Rig(tmp_path, lambda *_: next(replies), canary(2, shown.append)).offer(numbered(5)).run()
    found = [(tried.number, tried.fault) for tried in shown]
    assert found == [(1, "connection_lost"), (2, ""), (1, "")]
    assert shown[0].answer is None


def test_an_order_that_goes_out_once(tmp_path: Path) -> None:
    """Where an order's first call fails for good, the next message's call for it comes at once."""

    def server(url: str, now: float) -> Reply:
        return Reply(400) if name_of(url) == "a" else OK

    source = [Event("a", order="o1"), Event("b"), Event("c", order="o1"), *events("d", "e")]
    rig = Rig(tmp_path, server, canary(4)).offer(source).run()
    assert rig.tried == ["a", "b", "c", "d"]
    assert rig.reasons == {"a": "http_400"}


def test_copies_share_the_fate_of_the_first(tmp_path: Path) -> None:
    """A copy of a message takes no place among the calls."""
    rig = Rig(tmp_path, lambda *_: OK, canary(2)).offer(events("a", "a", "a", "b", "c")).run()
    assert rig.tried == ["a", "b"]
    assert rig.messages() == {"read": 4, "delivered": 2, "already_delivered": 2}
