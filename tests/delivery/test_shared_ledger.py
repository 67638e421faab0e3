"""The delivery loop beside other runs: what they have is not sent, what they lost is sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from convertro_cli.record.ledger import (
    CallState,
    Failure,
    FinishedFile,
    Marked,
    Settled,
    split_keys,
)
from tests.delivery.fakes import MemoryLedger, Reply
from tests.delivery.rig import Config, Event, Rig, events, key_of, numbered

OTHER_RUN = 77


class Lease:
    """A lease that the test lets run out."""

    held = True
    due = False

    def is_held(self) -> bool:
        return self.held

    def is_due(self) -> bool:
        return self.due


class SharedLedger(MemoryLedger):
    """A ledger in which another run has calls: claimed ones, settled ones, and doubtful ones."""

    def __init__(self) -> None:
        super().__init__()
        self.own_lease = self.lease = Lease()
        self.claimed: set[bytes] = set()
        self.lost: set[bytes] = set()
        self.settled_at_mark: dict[bytes, CallState] = {}
        self.asked = 0
        self.again: dict[bytes, int] = {}

    def commit(
        self,
        run: int,
        *,
        sending: bytes,
        orders: bytes = b"",
        sent: Sequence[bytes] = (),
        failed: Sequence[Failure] = (),
        finished: Sequence[FinishedFile] = (),
        again: Mapping[bytes, int] | None = None,
    ) -> Marked:
        new = {*split_keys(sending), *split_keys(orders)} - self.sending - self.orders
        super().commit(run, sending=sending, orders=orders, sent=sent, failed=failed)
        self.again |= again or {}
        self.asked += bool(new & self.claimed)
        refused: dict[bytes, Settled | None] = dict.fromkeys(new & self.claimed)
        for key in new & self.settled_at_mark.keys():
            refused[key] = Settled(self.settled_at_mark[key], OTHER_RUN)
        self.sending -= refused.keys()
        self.orders -= refused.keys()
        doubtful = (new & self.lost) - refused.keys()
        self.lost -= doubtful
        return Marked(refused, frozenset(doubtful))


def rig_of(folder: Path, ledger: SharedLedger, config: Config | None = None) -> Rig:
    return Rig(folder, lambda *_: Reply(), config, ledger=ledger)


def test_what_another_run_settled_first_is_counted_and_not_sent(tmp_path: Path) -> None:
    """It was looked up before, when nobody knew: the mark tells how it came out."""
    ledger = SharedLedger()
    ledger.settled_at_mark = {key_of("a"): CallState.SENT, key_of("b"): CallState.FAILED}
    rig = rig_of(tmp_path, ledger).offer(events("a", "b", "c")).run()
    assert rig.tried == ["c"]
    assert rig.calls() == {
        "delivered": 1,
        "already_delivered": 1,
        "already_failed": 1,
        "attempts": 1,
    }
    assert rig.messages() == {
        "read": 3,
        "delivered": 1,
        "already_delivered": 1,
        "already_failed": 1,
    }


def test_copies_of_what_another_run_settled_share_its_fate(tmp_path: Path) -> None:
    """A message that came meanwhile, with the same call, is counted with it."""
    ledger = SharedLedger()
    ledger.settled_at_mark = {key_of("a"): CallState.SENT}
    rig = rig_of(tmp_path, ledger).offer(events("a", "a")).run()
    assert rig.tried == []
    assert rig.messages() == {"read": 2, "already_delivered": 2}


def test_what_another_run_is_sending_waits_until_that_is_through(tmp_path: Path) -> None:
    """It is asked for again and again; delivered elsewhere in the end, it was never sent here."""
    ledger = SharedLedger()
    ledger.claimed = {key_of("a")}
    rig = rig_of(tmp_path, ledger).offer(events("a", "b")).run_for(10)
    assert rig.tried == ["b"]
    assert 5 <= ledger.asked <= 25
    ledger.claimed, ledger.settled_at_mark = set(), {key_of("a"): CallState.SENT}
    rig.run()
    assert rig.tried == ["b"]
    assert rig.messages() == {"read": 2, "delivered": 1, "already_delivered": 1}


def test_what_another_run_let_go_of_is_sent_here(tmp_path: Path) -> None:
    """It waited for nothing, and is not lost."""
    ledger = SharedLedger()
    ledger.claimed = {key_of("a")}
    rig = rig_of(tmp_path, ledger).offer(events("a")).run_for(3)
    assert rig.tried == []
    ledger.claimed = set()
    rig.run()
    assert rig.calls() == {"delivered": 1, "attempts": 1}


def test_what_a_lost_run_left_is_sent_and_counted_as_possibly_repeated(tmp_path: Path) -> None:
    """The mark tells that it may have arrived; the doubt is gone once it is settled."""
    ledger = SharedLedger()
    ledger.lost = {key_of("a")}
    rig = rig_of(tmp_path, ledger).offer(events("a", "b")).run()
    assert rig.calls() == {"delivered": 2, "possibly_repeated": 1, "attempts": 2}
    assert not ledger.sending


def test_at_most_once_leaves_alone_what_a_lost_run_left(tmp_path: Path) -> None:
    """It stays marked: who runs without that option sends it."""
    ledger = SharedLedger()
    ledger.lost = {key_of("a")}
    rig = rig_of(tmp_path, ledger, Config(at_most_once=True)).offer(events("a", "b")).run()
    assert rig.tried == ["b"]
    assert rig.calls() == {"delivered": 1, "in_doubt": 1, "attempts": 1}
    assert ledger.sending == {key_of("a")}
    assert not rig.file.clean


def test_an_order_that_another_run_sent_first_is_left_out(tmp_path: Path) -> None:
    """Two messages brought it, to two machines: the mark of the order decides."""
    ledger = SharedLedger()
    ledger.settled_at_mark = {key_of("order o1"): CallState.SENT}
    rig = rig_of(tmp_path, ledger).offer([Event("a", order="o1"), Event("b", order="o1")]).run()
    assert rig.tried == []
    assert rig.tally.skipped == {"repeated_order": 2}
    assert not ledger.sending


def test_an_order_that_another_run_is_sending_waits(tmp_path: Path) -> None:
    """If that one fails, the order goes out from here: with one of its messages only."""
    ledger = SharedLedger()
    ledger.claimed = {key_of("order o1")}
    rig = rig_of(tmp_path, ledger).offer([Event("a", order="o1"), Event("b", order="o1")])
    rig.run_for(3)
    assert rig.tried == []
    ledger.claimed = set()
    rig.run()
    assert rig.tried == ["a"]
    assert rig.tally.skipped == {"repeated_order": 1}


def test_the_next_message_of_an_order_goes_when_the_first_had_failed_elsewhere(
    tmp_path: Path,
) -> None:
    """An order is not lost because another machine's message for it was refused."""
    ledger = SharedLedger()
    ledger.settled_at_mark = {key_of("a"): CallState.FAILED}
    rig = rig_of(tmp_path, ledger).offer([Event("a", order="o1"), Event("b", order="o1")]).run()
    assert rig.tried == ["b"]
    assert rig.messages() == {"read": 2, "delivered": 1, "already_failed": 1}


def test_the_next_message_of_an_order_keeps_a_third_one_waiting(tmp_path: Path) -> None:
    """One whose first call had failed elsewhere has the order now: no other goes beside it."""
    ledger = SharedLedger()
    ledger.settled_at_mark = {key_of("a"): CallState.FAILED}
    rig = Rig(tmp_path, lambda *_: Reply(after=5), ledger=ledger)
    rig.offer([Event("a", order="o1"), Event("b", order="o1")]).run(until=lambda: rig.tried != [])
    rig.offer([Event("c", order="o1")]).run()
    assert rig.tried == ["b"]
    assert rig.tally.skipped == {"repeated_order": 1}


def test_any_number_of_calls_that_others_are_sending_waits_and_none_is_lost(
    tmp_path: Path,
) -> None:
    """Few of them in memory; and one that is to be sent again is known as such afterwards."""
    ledger = SharedLedger()
    export = numbered(1500)
    ledger.calls = {key_of(event.name): Settled(CallState.SENT, 5) for event in export}
    ledger.claimed = set(ledger.calls)
    rig = rig_of(tmp_path, ledger, Config(resend=True))
    batches = [export[start : start + 300] for start in range(0, 1500, 300)]
    rig.feed(batches, until=lambda: rig.elapsed > 3)
    assert rig.tried == []
    assert rig.file.open_messages == 1500
    assert len(rig.open_calls) < 900
    ledger.claimed = set()
    rig.run()
    assert rig.calls() == {"delivered": 1500, "attempts": 1500}
    assert ledger.again == {key_of(event.name): 5 for event in export}


def test_nothing_starts_while_the_lease_may_be_gone(tmp_path: Path) -> None:
    """What is marked waits for a commit that renews it, and goes out then."""
    ledger = SharedLedger()
    ledger.own_lease.held = False
    rig = rig_of(tmp_path, ledger).offer(events("a", "b")).run_for(5)
    assert rig.tried == []
    ledger.own_lease.held = True
    rig.run()
    assert sorted(rig.tried) == ["a", "b"]


def test_a_lease_that_is_due_is_renewed_though_nothing_happened(tmp_path: Path) -> None:
    """A run that only waits for the other side commits all the same."""
    ledger = SharedLedger()
    rig = Rig(tmp_path, lambda *_: Reply(after=60), ledger=ledger).offer(events("a")).run_for(1)
    before = ledger.commits
    ledger.own_lease.due = True
    rig.run_for(5)
    assert ledger.commits > before + 10
