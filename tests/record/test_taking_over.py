"""Taking over a ledger of SQLite: whole, in steps that may end midway, and never twice."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from convertro_cli.mapping.dead_letter import wrap
from convertro_cli.reading.identity import FileIdentity
from convertro_cli.record import settled_calls
from convertro_cli.record.ledger import CallState, Failure
from convertro_cli.record.postgres import taking_over
from convertro_cli.record.postgres.address import LedgerUrl
from convertro_cli.record.postgres.ledger import PostgresLedger
from convertro_cli.record.postgres.letters import write_letters
from convertro_cli.record.postgres.overview import read_overview
from convertro_cli.record.postgres.session import ServerPatience, Session
from convertro_cli.record.postgres.taking_over import TakenOver, TakingOver
from convertro_cli.record.sqlite_ledger import SqliteLedger
from convertro_cli.record.state import StateFolder
from tests.postgres import PostgresServer
from tests.record.earlier_ledger import SETTLED, write_earlier_ledger

FILE = FileIdentity("/exports/a.ndjson", 123, 456, b"e" * 16)
CALLS = 95


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A state folder with two runs: calls, failures, a doubt, a file, dead letters."""
    state = StateFolder(tmp_path)
    with SqliteLedger(state.ledger) as ledger:
        first, _ = ledger.begin_run("https://sp1.convertro.com", account="acme", site_id="1")
        sent = [key(n) for n in range(CALLS)]
        failed = [Failure(key(500), "http_400", "a.ndjson:7")]
        ledger.commit(first, sending=b"", sent=sent, failed=failed)
        ledger.commit(first, sending=b"", finished=[(FILE, b"s")])
        ledger.end_run(first, b"{}", exit_code=1)
        second, _ = ledger.begin_run("https://sp1.convertro.com")
        ledger.commit(second, sending=key(600) + key(601), sent=[key(700)])
    letter = wrap(b"{}", reason="http_400", detail="", source="a.ndjson:7", at="now")
    state.dead_letters.write_bytes(letter + letter + b'{"reason":"torn')
    return state


@pytest.fixture
def address(postgres: PostgresServer) -> LedgerUrl:
    address = postgres.new_address()
    PostgresLedger(address).close()
    return address


def take_over(state: StateFolder, address: LedgerUrl, *, steps: int | None = None) -> TakenOver:
    """Take over, or end in the midst of it after so many steps."""
    left = steps

    def tick(_: TakenOver) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

    session = Session(address, ServerPatience())
    try:
        taken = session.do(lambda connection: TakingOver(state, connection, tick).carry_out())
    finally:
        session.close()
    assert taken is not None
    return taken


def assert_all_is_there(address: LedgerUrl) -> None:
    overview = read_overview(address, latest=5)
    assert overview is not None
    assert (overview.sent, overview.failed, overview.in_doubt) == (CALLS + 1, 1, 2)
    assert (overview.runs_total, overview.files_total) == (2, 1)
    assert overview.failures == {"http_400": 1}
    with PostgresLedger(address) as ledger:
        run, _ = ledger.begin_run("https://sp1.convertro.com")
        found = ledger.look_up([key(n) for n in (0, CALLS - 1, 500, 600, 700)])
        assert {one: how.state for one, how in found.items()} == {
            key(0): CallState.SENT,
            key(CALLS - 1): CallState.SENT,
            key(500): CallState.FAILED,
            key(700): CallState.SENT,
        }
        assert found[key(0)].run != found[key(700)].run
        assert ledger.is_finished(FILE, b"s")
        assert ledger.commit(run, sending=key(600)).doubtful == {key(600)}


def test_all_that_the_other_ledger_knows_is_taken_over(
    state: StateFolder, address: LedgerUrl
) -> None:
    """Calls, failures, doubts, files, runs, and the whole lines of its dead letters."""
    assert take_over(state, address) == TakenOver(2, CALLS + 2, 1, 2, 1, 2)
    assert_all_is_there(address)


@pytest.mark.parametrize("steps", [0, 1, 4, 10])
def test_what_ended_midway_goes_on_where_it_was(
    state: StateFolder, address: LedgerUrl, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it ends: in the end all is there once, and the counts are of the whole."""
    monkeypatch.setattr(taking_over, "_ROWS_A_STEP", 10)
    for _ in range(2):
        with suppress(KeyboardInterrupt):  # the second time there may be no step left to end in
            take_over(state, address, steps=steps)
    assert take_over(state, address) == TakenOver(2, CALLS + 2, 1, 2, 1, 2)
    assert take_over(state, address) == TakenOver(2, CALLS + 2, 1, 2, 1, 2)
    assert_all_is_there(address)


def test_what_was_merged_since_an_earlier_time_is_there(
    state: StateFolder, address: LedgerUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken when it was recent; what came after that is taken the next time."""
    take_over(state, address)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("https://sp1.convertro.com")
        monkeypatch.setattr(settled_calls, "MERGE_AT", 1)
        ledger.commit(run, sending=b"")
        monkeypatch.undo()
        ledger.commit(run, sending=b"", sent=[key(800)])
    take_over(state, address)
    with PostgresLedger(address) as shared:
        asked = [key(n) for n in (0, CALLS - 1, 700, 800)]
        assert {how.state for how in shared.look_up(asked).values()} == {CallState.SENT}
        assert len(shared.look_up(asked)) == len(asked)


@pytest.mark.parametrize("steps", [None, 3, 14, 18])
def test_what_grew_since_an_earlier_time_is_taken_wherever_its_keys_lie(
    state: StateFolder, address: LedgerUrl, steps: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other ledger was used again after an import, or after one that was killed midway."""
    monkeypatch.setattr(taking_over, "_ROWS_A_STEP", 10)
    monkeypatch.setattr(settled_calls, "MERGE_AT", 1)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("https://sp1.convertro.com")
        ledger.commit(run, sending=b"", sent=[key(1_000 + n) for n in range(CALLS)])
        ledger.commit(run, sending=b"")  # which merges
    with suppress(KeyboardInterrupt):
        take_over(state, address, steps=steps)
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("https://sp1.convertro.com")
        low, high = b"\x00" * 15 + b"\xff", b"\xff" * 16
        failed = [Failure(b"\x00" * 14 + b"\x01\x01", "http_400", "a.ndjson:9")]
        ledger.commit(run, sending=b"", sent=[low, high], failed=failed)
        ledger.commit(run, sending=b"")  # which merges
        ledger.end_run(run, b"{}")
    take_over(state, address)
    with PostgresLedger(address) as shared:
        asked = [key(0), key(CALLS - 1), low, high, failed[0].key]
        found = shared.look_up(asked)
    assert [found[one].state for one in asked] == [CallState.SENT] * 4 + [CallState.FAILED]
    overview = read_overview(address, latest=5)
    assert overview is not None
    assert (overview.runs_total, overview.sent, overview.failed) == (4, 2 * CALLS + 3, 2)


def test_what_failed_or_was_in_doubt_and_went_out_since_is_neither_any_more(
    state: StateFolder, address: LedgerUrl
) -> None:
    """An earlier import had it as it was; nothing of that is left in the sums or the marks."""
    take_over(state, address)
    with SqliteLedger(state.ledger) as ledger:
        run, in_doubt = ledger.begin_run("https://sp1.convertro.com")
        assert in_doubt == {key(600), key(601)}
        ledger.commit(run, sending=b"", sent=[key(500), key(600), key(601)])
    take_over(state, address)
    overview = read_overview(address, latest=5)
    assert overview is not None
    assert (overview.sent, overview.failed, overview.in_doubt) == (CALLS + 4, 0, 0)
    assert overview.failures == {}


def test_letters_are_taken_once_however_their_files_change(
    state: StateFolder, address: LedgerUrl
) -> None:
    """One more comes, and those before it leave: what is there already stays alone."""

    def letter(number: int) -> bytes:
        source = f"a.ndjson:{number}"
        return wrap(b"{}", reason="http_400", detail="", source=source, at="2026-01-01T00:00:00Z")

    def letters() -> list[bytes]:
        written: list[bytes] = []
        session = Session(address, ServerPatience())
        try:
            session.do(lambda connection: write_letters(connection, written.append))
        finally:
            session.close()
        return sorted(written)

    state.dead_letters.write_bytes(letter(1) + letter(2) + letter(2))
    take_over(state, address)
    state.dead_letters.write_bytes(letter(2) + letter(2) + letter(3))
    take_over(state, address)
    assert letters() == [letter(1), letter(2), letter(2), letter(3)]


def test_another_ledger_in_the_same_place_is_taken_over_whole(
    state: StateFolder, address: LedgerUrl
) -> None:
    """Its runs are others, though they have the same numbers; how far the first one came is no
    matter of it.
    """
    take_over(state, address)
    state.ledger.unlink()
    with SqliteLedger(state.ledger) as ledger:
        run, _ = ledger.begin_run("https://other.example.com")
        ledger.commit(run, sending=b"", sent=[key(2), key(900)])
        ledger.end_run(run, b"{}")
    take_over(state, address)
    overview = read_overview(address, latest=5)
    assert overview is not None
    assert (overview.runs_total, overview.sent) == (3, CALLS + 2)
    assert overview.runs[0].target == "https://other.example.com"


def test_a_ledger_of_the_version_before_is_taken_over_as_it_is(
    tmp_path: Path, address: LedgerUrl
) -> None:
    """No run has to bring it to this version first, and it is not changed."""
    state = StateFolder(tmp_path)
    write_earlier_ledger(state.ledger)
    before = state.ledger.read_bytes()
    assert take_over(state, address).calls == len(SETTLED)
    with PostgresLedger(address) as shared:
        found = shared.look_up([*SETTLED])
    assert {one: how.state for one, how in found.items()} == {
        one: how.state for one, how in SETTLED.items()
    }
    assert state.ledger.read_bytes() == before


def test_what_the_shared_ledger_knows_stays(state: StateFolder, address: LedgerUrl) -> None:
    """Only that a call was delivered is news; it is not forgotten for another's failure."""
    with PostgresLedger(address) as ledger:
        run, _ = ledger.begin_run("x")
        failed = [Failure(key(0), "http_400", "b:1")]
        ledger.commit(run, sending=b"", sent=[key(500), key(600)], failed=failed)
        ledger.end_run(run, b"{}")
    take_over(state, address)
    overview = read_overview(address, latest=5)
    assert overview is not None
    assert (overview.failed, overview.failures) == (0, {})
    with PostgresLedger(address) as ledger:
        found = ledger.look_up([key(0), key(500), key(600)])
        assert {how.state for how in found.values()} == {CallState.SENT}
        run, _ = ledger.begin_run("x")
        assert ledger.commit(run, sending=key(600)).refused[key(600)] is not None
