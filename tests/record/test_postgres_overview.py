"""What a ledger in PostgreSQL tells of its runs, by target, and what it forgets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convertro_cli.record.forgetting import Forgotten
from convertro_cli.record.open_letters import NO_TARGET, OpenLetters, Target
from convertro_cli.record.overview import Overview
from convertro_cli.record.postgres import lease
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.forgetting import count_rows
from convertro_cli.record.postgres.overview import read_open_letters, read_overview
from convertro_cli.record.postgres.reading import open_for_reading
from tests.postgres import PostgresServer
from tests.record.machine import TARGET, Machine, key

ACME, OTHER = Target(TARGET, "acme", "1"), Target(TARGET, "other", "1")


@pytest.fixture
def address(postgres: PostgresServer) -> LedgerUrl:
    return postgres.new_address()


@pytest.fixture
def pair(address: LedgerUrl) -> Iterator[tuple[Machine, Machine]]:
    one, two = Machine(address), Machine(address, account="other")
    yield one, two
    one.die()
    two.die()


def overview_of(address: LedgerUrl) -> Overview:
    found = read_overview(address, latest=5)
    assert found is not None
    return found


def test_calls_are_told_by_target(address: LedgerUrl, pair: tuple[Machine, Machine]) -> None:
    """Each has its own counts, and all of them add up to those of the ledger."""
    one, two = pair
    one.settle(1, 2)
    one.fail(3, "a:3")
    one.mark(4)
    two.settle(5)
    found = overview_of(address)
    told = {target.account: target for target in found.targets}
    assert (told["acme"].sent, told["acme"].failed, told["acme"].in_doubt) == (2, 1, 1)
    assert (told["other"].sent, told["other"].failed, told["other"].in_doubt) == (1, 0, 0)
    assert (found.sent, found.failed, found.in_doubt) == (3, 1, 1)
    assert [target.account for target in found.targets] == ["other", "acme"]


def test_a_live_run_is_under_way_and_needs_no_attention(
    address: LedgerUrl, pair: tuple[Machine, Machine]
) -> None:
    """One that ended well needs none either; one that failed does."""
    one, two = pair
    assert [run.under_way for run in overview_of(address).runs] == [True, True]
    assert not overview_of(address).wants_attention
    one.end()
    assert [run.under_way for run in overview_of(address).runs] == [True, False]
    assert not overview_of(address).wants_attention
    two.end(exit_code=75)
    assert overview_of(address).wants_attention


def test_a_lost_run_did_not_end(address: LedgerUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not another run has found out yet."""
    monkeypatch.setattr(lease, "SILENCE", 0.0)
    lost = Machine(address, lease_seconds=0.05)
    lost.mark(1)
    lost.die()
    while (found := overview_of(address)).runs[0].under_way:
        pass
    assert (found.runs[0].failed, found.in_doubt, found.wants_attention) == (True, 1, True)
    Machine(address).die()
    assert [run.failed for run in overview_of(address).runs] == [False, True]
    assert overview_of(address).in_doubt == 1


def test_letters_are_open_until_they_are_tried_again_or_their_events_delivered(
    address: LedgerUrl, pair: tuple[Machine, Machine]
) -> None:
    """For each target by itself: what one delivered of a place is still open for another."""
    one, two = pair
    for number in range(3):
        one.fail(number, f"a:{number}")
        two.fail(10 + number, f"a:{number}")
    assert {target: each.count for target, each in read_open_letters(address).items()} == {
        ACME: 3,
        OTHER: 3,
    }
    one.ledger.commit(one.run, sending=b"", sent=[key(0)])
    two.ledger.letters_tried({two.run: 1})
    found = read_open_letters(address)
    assert {target: each.reasons for target, each in found.items()} == {
        ACME: {"http_400": 2},
        OTHER: {"http_400": 1},
    }
    assert all(each.oldest is not None for each in found.values())
    assert overview_of(address).dead_letters == 4


def test_a_letter_of_a_run_that_is_not_known_is_open(address: LedgerUrl) -> None:
    """Taken over from a folder whose ledger was lost, it has no target, and is not hidden."""
    machine = Machine(address)
    machine.ledger.letters.begin(0)
    machine.fail(1, "a:1")
    assert read_open_letters(address).keys() == {NO_TARGET}
    assert [target.url for target in overview_of(address).targets] == [TARGET, NO_TARGET.url]
    machine.die()


def test_an_empty_ledger_has_nothing_open(address: LedgerUrl) -> None:
    """Nor has a database without one."""
    assert read_open_letters(address) == {}
    Machine(address).end()
    assert read_open_letters(address) == {}
    assert overview_of(address).targets[0].dead_letters == OpenLetters()


def test_letters_of_suppressed_users_are_removed_for_good(
    address: LedgerUrl, pair: tuple[Machine, Machine]
) -> None:
    """Those of all runs, tried again or not; others stay, and looking changes nothing."""
    one, two = pair
    one.fail(1, "a:1", b'{"type":"track","userId":"u1"}')
    one.fail(2, "a:2", b'{"type":"track","userId":"u2"}')
    one.fail(3, "a:3", b"no event")
    two.fail(4, "a:1", b'{"type":"track","userId":"u1"}')
    two.ledger.letters_tried({one.run: 0})
    expected = Forgotten(address, removed=2, kept=2, unreadable=1)
    for _ in range(2):
        with open_for_reading(address) as connection:
            assert connection is not None
            assert count_rows(connection, address, {"u1"}) == expected
    assert one.ledger.forget({"u1"}) == 2
    assert one.ledger.forget({"u1"}) == 0
    assert overview_of(address).dead_letters == 2
    two.settle(9)  # the ledger goes on as if nothing had been
    one.fail(5, "a:5")
    assert overview_of(address).dead_letters == 3
